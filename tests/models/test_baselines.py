"""The logistic regression: functionals of real frames, and C chosen on validation."""

import numpy as np

from jaxdep.data import functionals
from jaxdep.models import baselines


def data(items, seed, signal=1.0):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, items)
    x = rng.normal(size=(items, 6, 4)).astype(np.float32)
    x[..., 0] += signal * label[:, None]
    mask = np.arange(6) < rng.integers(1, 7, items)[:, None]
    return {"text": x, "text_mask": mask, "color": rng.normal(size=(items, 2))}, label


def test_means_ignore_padding():
    inputs, _ = data(5, 0)
    expected = [inputs["text"][i][inputs["text_mask"][i]].mean(0) for i in range(5)]
    spoiled = np.where(inputs["text_mask"][..., None], inputs["text"], 1e6)
    ours = baselines.feature_columns({**inputs, "text": spoiled * inputs["text_mask"][..., None]})
    np.testing.assert_allclose(ours[:, 2:], expected, rtol=1e-5)
    np.testing.assert_allclose(ours[:, :2], inputs["color"])


def test_learns_and_chooses_on_validation():
    model = baselines.LogisticRegression(C=(1e-6, 1.0))
    test, label = data(200, 3)
    outputs, chosen, loss = model.fit_predict(data(300, 1), data(100, 2), test)
    assert chosen == 1.0
    assert loss < 0.69
    assert (outputs.argmax(1) == label).mean() > 0.75
    np.testing.assert_allclose(np.exp(outputs).sum(1), 1, rtol=1e-6)


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
