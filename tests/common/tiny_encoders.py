"""Encoders with random weights, saved as a user's local model folder would look."""

from typing import Any

WORDS = ["grey", "river", "table", "wide", "view", "lamp", "cup", "road"]


def tiny_bert(folder, seed=0, positions=150):
    """A BERT of width 12 whose vocabulary is five special tokens and `WORDS`."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "words.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]) + "\n")
    tokenizer = BertTokenizer(str(vocabulary), model_max_length=positions)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=16,
        max_position_embeddings=positions,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_efficientnet(folder, seed=0):
    """An EfficientNet of width 320 that sees images of 128 x 128 as 4 rows."""
    import torch
    from transformers import EfficientNetConfig, EfficientNetModel

    torch.manual_seed(seed)
    config = EfficientNetConfig(
        image_size=128,
        width_coefficient=0.25,
        depth_coefficient=0.2,
        batch_norm_eps=1e-12,
        hidden_dim=320,  # 1280 channels times the width coefficient
    )
    model = EfficientNetModel(config)
    # One step in training mode sets the statistics; as initialised, every signal would die out.
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    model.train()(pixel_values=torch.randn(4, 3, 128, 128))
    model.save_pretrained(folder)
    return folder


def tiny_speech(folder, seed=0, kind="hubert"):
    """A HuBERT or wav2vec 2.0 of width 12, with 50 rows a second and two layers."""
    import torch
    from transformers import (
        HubertConfig,
        HubertModel,
        Wav2Vec2Config,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2Model,
        WavLMConfig,
        WavLMModel,
    )

    kinds = {
        "hubert": (HubertConfig, HubertModel),
        "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model),
        "wavlm": (WavLMConfig, WavLMModel),
    }
    config, model = kinds[kind]
    torch.manual_seed(seed)
    made = config(
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=4,
    )
    model(made).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


def tiny_images(folder, seed=0, kind="vit"):
    """A ViT or CLIP of width 12 that sees 16 patches of 32 x 32 pixels, or a ResNet of 20."""
    import torch
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        ResNetConfig,
        ResNetModel,
        ViTConfig,
        ViTImageProcessor,
        ViTModel,
    )

    torch.manual_seed(seed)
    size = {"height": 32, "width": 32}
    narrow: dict[str, Any] = {
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 16,
    }
    seen: dict[str, Any] = {**narrow, "image_size": 32, "patch_size": 8}
    if kind == "vit":
        ViTModel(ViTConfig(**seen)).save_pretrained(folder)
        ViTImageProcessor(size=size).save_pretrained(folder)
    elif kind == "clip":
        config = CLIPConfig(text_config=narrow, vision_config=seen)
        CLIPModel(config).save_pretrained(folder)
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size).save_pretrained(folder)
    else:
        config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 20], depths=[1, 1])
        ResNetModel(config).save_pretrained(folder)
        ViTImageProcessor(size=size).save_pretrained(folder)
    return folder


def tiny_whisper(folder, seed=0):
    """A Whisper of width 12 whose vocabulary is the bytes; what it recognises has no meaning."""
    import torch
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizer,
    )

    torch.manual_seed(seed)
    letters = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256))]
    words = {letter: number for number, letter in enumerate([*letters, "Ġ"])}
    tokenizer = WhisperTokenizer(vocab=words, merges=[])
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>"]
    special += ["<|translate|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    tokenizer.add_tokens([f"<|{step * 0.02:.2f}|>" for step in range(1501)])
    ids: dict[str, Any] = {name: tokenizer.convert_tokens_to_ids(name) for name in special}
    end, begin = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=12,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_mel_bins=80,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=begin,
    )
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=begin,
        no_timestamps_token_id=ids["<|notimestamps|>"],
        prev_sot_token_id=ids["<|startofprev|>"],
        is_multilingual=True,
        lang_to_id={"<|en|>": ids["<|en|>"]},
        task_to_id={"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        max_length=20,
        max_initial_timestamp_index=50,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    return folder
