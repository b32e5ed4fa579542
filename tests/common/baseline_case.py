"""A small corpus whose label shifts one feature of a sequence."""

import numpy as np


def data(items, seed, signal=1.0, scores=False):
    """Inputs, and classes 0 and 1 or scores of 0 to 2 that the sequence's first feature shows."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, items)
    if scores:
        label = rng.uniform(0, 2, items).astype(np.float32)
    x = rng.normal(size=(items, 6, 4)).astype(np.float32)
    x[..., 0] += signal * label[:, None]
    mask = np.arange(6) < rng.integers(1, 7, items)[:, None]
    return {"text": x, "text_mask": mask, "color": rng.normal(size=(items, 2))}, label
