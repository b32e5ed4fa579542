"""Means of features over intervals of equal length."""

from __future__ import annotations

import numpy as np


def by_time(values: np.ndarray, times: np.ndarray, seconds: float, rate: float) -> np.ndarray:
    """Averages rows by the time to which they belong.

    Args:
      values: [N, width], N at least 1.
      times: [N], in seconds, increasing; every interval before the last row has some.
      seconds: length of the recording.
      rate: rows per second of the result.

    Returns:
      [T, width] float32; row t is the mean of those in `[t / rate, (t + 1) / rate)`. Intervals
      that the recording does not fill, or in which no row lies, are left out at the end.
    """
    rows = np.floor(times * rate + 1e-6).astype(int)
    number = min(int(seconds * rate + 1e-6), rows[-1] + 1)
    kept = rows < number
    sums = np.zeros((number, values.shape[1]))
    np.add.at(sums, rows[kept], values[kept].astype(np.float64))
    counts = np.bincount(rows[kept], minlength=number)
    return (sums / counts[:, None]).astype(np.float32)


def of_found(values: np.ndarray, size: int) -> np.ndarray:
    """Averages every `size` consecutive entries, leaving out those that are NaN.

    Args:
      values: [N, ...]; an entry is NaN throughout, or nowhere.
      size: entries for each row; what remains at the end is dropped.

    Returns:
      [N // size, ...]; NaN where all entries are.
    """
    number = len(values) // size
    groups = values[: number * size].reshape(number, size, *values.shape[1:])
    there = np.isfinite(groups)
    counts = there.sum(1)
    sums = np.where(there, groups, 0).sum(1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
