"""What the generators of synthetic stand-ins share: noise, and the file that says what is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def write_truth(
    directory: Path,
    corpus: str,
    given: Mapping[str, Any],
    parameters: Mapping[str, Any],
    tasks: Mapping[str, Any],
) -> dict[str, Any]:
    """Writes `synthetic.json`, last of all: a folder that has it is whole.

    Args:
      given: items, seed and signal.
      parameters: what else decides the files.
      tasks: of each the best attainable score, and chance.

    Returns:
      Its content.
    """
    truth = {"corpus": corpus, **given, "parameters": dict(parameters), "tasks": dict(tasks)}
    (directory / "synthetic.json").write_text(json.dumps(truth, indent=1) + "\n")
    return truth
