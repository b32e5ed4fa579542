"""Features of baselines: functionals of real frames, by modality."""

import numpy as np
import pytest
from baseline_case import data

from jaxdep.data import functionals
from jaxdep.errors import UserError
from jaxdep.models import baselines
from jaxdep.models.baselines.features import feature_blocks


def test_means_ignore_padding():
    inputs, _ = data(5, 0)
    expected = [inputs["text"][i][inputs["text_mask"][i]].mean(0) for i in range(5)]
    spoiled = np.where(inputs["text_mask"][..., None], inputs["text"], 1e6)
    ours = baselines.feature_columns({**inputs, "text": spoiled * inputs["text_mask"][..., None]})
    np.testing.assert_allclose(ours[:, 2:], expected, rtol=1e-5)
    np.testing.assert_allclose(ours[:, :2], inputs["color"])


def test_functionals_by_hand():
    frames = np.array([[0.0, 1], [2, 1], [4, 1], [6, 1], [8, 1]])
    found = functionals.summarize(frames)
    # Mean 4, variance (16 + 4 + 0 + 4 + 16) / 5 = 8; a tenth of 4 steps of 2 is 0.8.
    first = [4, np.sqrt(8), 0.8, 4, 7.2]
    np.testing.assert_allclose(found[0::2], first, rtol=1e-6)
    np.testing.assert_allclose(found[1::2], [1, 0, 1, 1, 1], rtol=1e-6)


def test_a_normalised_sequence_is_read_by_its_functionals_from_before():
    """What remains of its mean is rounding, and says nothing of anyone."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(4, 50, 3)) + rng.normal(size=(4, 1, 3))
    inputs = {
        "acoustic": ((raw - raw.mean(1, keepdims=True)) / raw.std(1, keepdims=True)),
        "acoustic_mask": np.ones((4, 50), bool),
        "acoustic_functionals": np.stack([functionals.summarize(x) for x in raw]),
    }
    found = baselines.feature_columns(inputs, ("mean", "std"))
    expected = np.concatenate([raw.mean(1), raw.std(1)], 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_means_of_an_empty_recording_are_zero():
    inputs, _ = data(3, 0)
    inputs["text_mask"][1] = False
    assert not baselines.feature_columns(inputs)[1, 2:].any()


def test_inputs_of_every_kind_by_modality():
    """Bytes, sequences stored with functionals, vectors; neither masks nor sentence windows."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, 5, 2), np.uint8)
    inputs = {
        "visual": frames,
        "visual_mask": np.ones((3, 5), bool),
        "acoustic": rng.normal(size=(3, 5, 4)).astype(np.float32),
        "acoustic_mask": np.ones((3, 5), bool),
        "acoustic_functionals": rng.normal(size=(3, 20)).astype(np.float32),
        "color": np.array([[0, 255]] * 3, np.uint8),
        "sentences": np.zeros((3, 2, 6), np.int32),
        "sentences_mask": np.ones((3, 2), bool),
    }
    blocks = feature_blocks(inputs)
    assert {name: block.shape for name, block in blocks.items()} == {
        "acoustic": (3, 4),
        "color": (3, 2),
        "visual": (3, 2),
    }
    assert {block.dtype for block in blocks.values()} == {np.dtype(np.float64)}
    np.testing.assert_allclose(blocks["visual"], frames.mean(1), rtol=1e-6)
    np.testing.assert_array_equal(blocks["acoustic"], inputs["acoustic_functionals"][:, :4])
    chosen = feature_blocks(inputs, modalities=("visual", "acoustic"))
    assert list(chosen) == ["acoustic", "visual"]
    np.testing.assert_array_equal(chosen["visual"], blocks["visual"])


@pytest.mark.parametrize("modalities", [("smell",), ("text", "text"), ("text_mask",)])
def test_refused_modalities(modalities):
    with pytest.raises(UserError, match="one or more of color, text without repetition"):
        baselines.feature_columns(data(3, 0)[0], modalities=modalities)


def test_no_features_at_all():
    with pytest.raises(UserError, match="no input that a baseline can read"):
        baselines.feature_columns({"sentences": np.zeros((3, 2, 6), np.int32)})
