"""Functionals: statistics of a recording's frames over time, for models without sequence input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

FUNCTIONALS = ("mean", "std", "p10", "p50", "p90")
"""Mean, standard deviation, and the 10th, 50th and 90th percentiles over time."""

SUFFIX = "_functionals"
"""Name suffix of the functionals that a corpus stores next to a normalised sequence."""


def summarize(
    frames: Float[np.ndarray, "time feature"], names: Sequence[str] = FUNCTIONALS
) -> np.ndarray:
    """Computes the functionals of one recording, [F D] float32; zeros if it has no frames."""
    if not len(frames):
        return np.zeros(len(names) * frames.shape[1], np.float32)
    frames = frames.astype(np.float64)
    return np.concatenate([_COMPUTE[name](frames) for name in names]).astype(np.float32)


def select(
    vectors: Float[np.ndarray, "item functional"], names: Sequence[str]
) -> Float[np.ndarray, "item selected"]:
    """Selects some of the stored `FUNCTIONALS`, [N, F D]."""
    by_functional = vectors.reshape(len(vectors), len(FUNCTIONALS), -1)
    return by_functional[:, [FUNCTIONALS.index(name) for name in names]].reshape(len(vectors), -1)


_COMPUTE = {
    "mean": lambda x: x.mean(0),
    "std": lambda x: x.std(0),
    "p10": lambda x: np.percentile(x, 10, axis=0),
    "p50": lambda x: np.percentile(x, 50, axis=0),
    "p90": lambda x: np.percentile(x, 90, axis=0),
}
