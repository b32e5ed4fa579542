"""Noise of the synthetic stand-ins."""

from __future__ import annotations

import numpy as np
from scipy import signal


def autocorrelated(
    length: int, width: int, correlation: float, rng: np.random.Generator
) -> np.ndarray:
    """Stationary noise of variance 1, each frame correlated with the one before it.

    Returns:
      [length, width] float32.
    """
    steps = rng.standard_normal((length, width), np.float32)
    # The first frame has the variance of all, not that of a step.
    steps[1:] *= np.float32(np.sqrt(1 - correlation**2))
    one = np.ones(1, np.float32)
    return signal.lfilter(one, np.array([1, -correlation], np.float32), steps, axis=0)
