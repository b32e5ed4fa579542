"""The logistic regression: averages over real frames, and C chosen on validation."""

import numpy as np

from jaxdep.models import baselines


def data(items, seed, signal=1.0):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, items)
    x = rng.normal(size=(items, 6, 4)).astype(np.float32)
    x[..., 0] += signal * label[:, None]
    mask = np.arange(6) < rng.integers(1, 7, items)[:, None]
    return {"text": x, "text_mask": mask, "color": rng.normal(size=(items, 2))}, label


def test_averages_ignore_padding():
    inputs, _ = data(5, 0)
    expected = [inputs["text"][i][inputs["text_mask"][i]].mean(0) for i in range(5)]
    spoiled = np.where(inputs["text_mask"][..., None], inputs["text"], 1e6)
    ours = baselines.averages({**inputs, "text": spoiled * inputs["text_mask"][..., None]})
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


def test_averages_of_an_empty_recording_are_zero():
    inputs, _ = data(3, 0)
    inputs["text_mask"][1] = False
    assert not baselines.averages(inputs)[1, 2:].any()
