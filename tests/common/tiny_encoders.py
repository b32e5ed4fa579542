"""Encoders with random weights, saved as a user's local model folder would look."""

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
