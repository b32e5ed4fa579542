"""Voice features by openSMILE: the eGeMAPS descriptors, and its functionals."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from jaxdep.errors import BadFileError
from jaxdep.extract import pooling
from jaxdep.extract.packages import load

RATE = 16_000
"""Samples per second that the descriptors are computed from; they lie below 8 kHz."""

DESCRIPTORS, FUNCTIONALS = 25, 88
"""Number of low-level descriptors, and of functionals, of eGeMAPS v02."""

FRAMES_PER_SECOND = 100
"""Rows of descriptors per second, and thus the highest rate of their means."""

_SHORTEST = 0.1


def descriptors(samples: np.ndarray, rate: float) -> np.ndarray:
    """Means of the 25 low-level descriptors of eGeMAPS v02 (Eyben et al., 2016) over time.

    openSMILE computes 100 rows per second. Row t of the result is the mean of those that begin in
    `[t / rate, (t + 1) / rate)`, unvoiced ones included, where openSMILE sets the descriptors of
    the fundamental frequency to zero.

    Args:
      samples: [samples] float32, at `RATE`.
      rate: rows per second of the result, at most `FRAMES_PER_SECOND`.

    Returns:
      [T, 25] float32 in openSMILE's order and units. T counts complete intervals.

    Raises:
      BadFileError: there are too few samples for one row.
    """
    _check_length(samples, max(_SHORTEST, 1 / rate))
    table = _smile("LowLevelDescriptors").process_signal(samples, RATE)
    starts = table.index.get_level_values("start").total_seconds().to_numpy()
    return pooling.by_time(table.to_numpy(), starts, len(samples) / RATE, rate)


def functionals(samples: np.ndarray) -> np.ndarray:
    """Computes the 88 functionals of eGeMAPS v02 over a whole recording.

    Args:
      samples: [samples] float32, at `RATE`.

    Returns:
      [1, 88] float32 in openSMILE's order and units.

    Raises:
      BadFileError: there are too few samples.
    """
    _check_length(samples, 1.0)  # openSMILE returns NaN for much shorter ones
    table = _smile("Functionals").process_signal(samples, RATE)
    return table.to_numpy(np.float32)


def _check_length(samples: np.ndarray, shortest: float) -> None:
    seconds = len(samples) / RATE
    if seconds < shortest:
        detail = f"the sound lasts {seconds:.2f} s; at least {shortest:g} s are needed"
        raise BadFileError("too short", detail)


@cache
def _smile(level: str) -> Any:
    opensmile = load("opensmile")
    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=getattr(opensmile.FeatureLevel, level),
    )
