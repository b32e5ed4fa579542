"""Features of models: those of transformers called directly, at the right times."""

import shutil

import numpy as np
import pytest
import recordings
import torch
from safetensors.numpy import load_file, save_file
from tiny_encoders import tiny_images, tiny_speech
from transformers import AutoModel, Wav2Vec2FeatureExtractor

from jaxdep.errors import BadFileError, UserError
from jaxdep.extract import deep


@pytest.fixture(scope="module", params=["hubert", "wav2vec2", "wavlm"])
def speech(request, tmp_path_factory):
    return tiny_speech(tmp_path_factory.mktemp("speech") / request.param, kind=request.param)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    top = tmp_path_factory.mktemp("images")
    return {kind: tiny_images(top / kind, kind=kind) for kind in ("vit", "clip", "resnet")}


def states(folder, samples, layer):
    """All rows of a layer, by transformers alone; the samples are standardised by hand."""
    model = AutoModel.from_pretrained(folder).eval()
    scaled = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    with torch.no_grad():
        found = model(torch.from_numpy(scaled)[None], output_hidden_states=True)
    return found.hidden_states[layer][0].numpy()


@pytest.mark.parametrize("layer", [-1, 1])
def test_speech_is_averaged_over_seconds(speech, layer):
    samples = recordings.voice(4.0)
    found = deep.SpeechEncoder(str(speech), layer).encode(samples, 1.0)
    rows = states(speech, samples, layer)
    # Row k of 50 a second sees samples 320 k to 320 k + 400: its middle is at k / 50 + 1 / 80 s.
    seconds = ((320 * np.arange(len(rows)) + 200) / 16_000).astype(int)
    expected = [rows[seconds == second].mean(0) for second in range(4)]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_fifty_rows_a_second_are_the_states_themselves(speech):
    samples = recordings.voice(2.0)
    found = deep.SpeechEncoder(str(speech), -1).encode(samples, 50.0)
    np.testing.assert_allclose(found, states(speech, samples, -1), atol=1e-5)


def test_long_recordings_are_seen_in_windows(speech, monkeypatch):
    """Each state once and in order; without attention beyond the context they agree."""
    monkeypatch.setattr(deep, "WINDOW", 1.0)
    encoder, samples = deep.SpeechEncoder(str(speech), 0), recordings.voice(5.3)
    found = encoder.encode(samples, 50.0)
    whole = states(speech, samples, 0)
    assert len(found) == len(whole) == 264
    # Layer 0 has convolutions only; HuBERT's and wav2vec 2.0's normalise over time, WavLM's too.
    inside = slice(10, 254)
    assert np.abs(found - whole)[inside].mean() < 0.2 * np.abs(whole).mean()
    order = np.abs(found[:, None] - whole[None]).mean(-1).argmin(1)
    assert np.mean(np.abs(order - np.arange(264)) <= 1) > 0.8


def test_speech_that_cannot_be_encoded(speech, folders, tmp_path):
    encoder = deep.SpeechEncoder(str(speech), -1)
    with pytest.raises(BadFileError, match="too short"):
        encoder.encode(recordings.voice(0.5), 1.0)
    with pytest.raises(UserError, match="has 50 rows a second; choose a lower rate than 100"):
        encoder.encode(recordings.voice(1.0), 100.0)
    with pytest.raises(UserError, match=r"layer 9: .* has 3 layers of states"):
        deep.SpeechEncoder(str(speech), 9).encode(recordings.voice(1.0), 1.0)
    with pytest.raises(UserError, match=r'The speech encoder ".*vit" cannot be loaded'):
        deep.SpeechEncoder(str(folders["vit"]), -1)
    shutil.copytree(folders["vit"], tmp_path / "vit")
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / "vit")
    with pytest.raises(UserError, match=r"is no wav2vec 2\.0, HuBERT or WavLM but a ViTModel"):
        deep.SpeechEncoder(str(tmp_path / "vit"), -1)
    with pytest.raises(UserError, match="There is no folder"):
        deep.SpeechEncoder("/nowhere/hubert", -1)


def test_pictures_are_those_of_transformers(folders):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(20)]
    pixels = np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32) / 255
    model = AutoModel.from_pretrained(folders["vit"]).eval()
    with torch.no_grad():
        rows = model(torch.from_numpy((pixels - 0.5) / 0.5)).last_hidden_state
        hidden = model(torch.from_numpy((pixels - 0.5) / 0.5), output_hidden_states=True)
    last = hidden.hidden_states[-1].numpy()
    assert rows.shape == last.shape
    first = deep.ImageEncoder(str(folders["vit"]), -1, "cls")
    mean = deep.ImageEncoder(str(folders["vit"]), -1, "mean")
    assert first.width == mean.width == 12
    np.testing.assert_allclose(first.encode(pictures), last[:, 0], atol=1e-5)
    np.testing.assert_allclose(mean.encode(pictures), last[:, 1:].mean(1), atol=1e-5)


def test_clip_and_convolutional_networks(folders):
    pictures = [recordings.astronaut(64), np.zeros((20, 50, 3), np.uint8)]
    clip = deep.ImageEncoder(str(folders["clip"]), 1, "cls").encode(pictures)
    assert clip.shape == (2, 12)
    resnet = deep.ImageEncoder(str(folders["resnet"]), -1, "mean").encode(pictures)
    assert resnet.shape == (2, 20)
    assert (np.abs(clip[0] - clip[1]).max() > 1e-3) & (np.abs(resnet[0] - resnet[1]).max() > 1e-3)
    with pytest.raises(UserError, match="has no class token: choose --image-pooling mean"):
        deep.ImageEncoder(str(folders["resnet"]), -1, "cls")


def test_a_model_with_missing_weights_is_refused(folders, tmp_path):
    folder = tmp_path / "cut"
    shutil.copytree(folders["vit"], folder)
    weights = load_file(folder / "model.safetensors")
    weights.pop("embeddings.cls_token")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"lacks weights of the model: embeddings\.cls_token"):
        deep.ImageEncoder(str(folder), -1, "mean")


def test_a_face_is_cut_out_as_a_square():
    image = np.arange(100 * 80 * 3, dtype=np.uint32).reshape(100, 80, 3).astype(np.uint8)
    points = np.array([[30.0, 40.0], [50.0, 60.0]])
    np.testing.assert_array_equal(deep.crop(image, points), image[35:65, 25:55])
    corner = deep.crop(image, points - (28, 38))
    assert corner.shape == (30, 30, 3)
    np.testing.assert_array_equal(corner[3:, 3:], image[:27, :27])
    np.testing.assert_array_equal(corner[0], corner[1])
