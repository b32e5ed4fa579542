"""Columns of OpenFace's tables, and how to read some of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

POINTS = 68
"""Number of facial landmarks."""

LEADING = ("frame", "face_id", "timestamp", "confidence", "success")
"""Columns that describe a row; `face_id` is in some versions only."""

_INTENSITIES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
_PRESENCES = (*_INTENSITIES[:-1], 28, 45)

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "landmarks": tuple(f"{axis}_{point}" for axis in "xy" for point in range(POINTS)),
    "gaze": (
        *(f"gaze_{eye}_{axis}" for eye in range(2) for axis in "xyz"),
        *(f"gaze_angle_{axis}" for axis in "xy"),
    ),
    "pose": tuple(f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz"),
    "action_units": (
        *(f"AU{unit:02d}_r" for unit in _INTENSITIES),
        *(f"AU{unit:02d}_c" for unit in _PRESENCES),
    ),
}
"""Columns of each group: 136 coordinates of landmarks in pixels, x before y; 8 of gaze; 6 of pose,
in millimetres and radians; 35 action units, 17 intensities before 18 presences."""

LONGEST = 86_400.0
"""Largest time stamp in seconds that is believed; no recording lasts a day."""


def usable(times: np.ndarray | None) -> bool:
    """Whether time stamps [T] in seconds are finite, increasing and of one day."""
    if times is None or len(times) < 2 or not np.isfinite(times).all():
        return False
    return times[0] >= 0 and times[-1] <= LONGEST and bool((np.diff(times) > 0).all())


def seconds(times: np.ndarray | None) -> np.ndarray | None:
    """Rows at the beginning of each second: every 30th one, at 30 rows a second.

    Args:
      times: time stamps [T] in seconds; None if there are none.

    Returns:
      The row nearest to each full second since the first row; None if the stamps are not usable.
    """
    if times is None or not usable(times):
        return None
    whole = times[0] + np.arange(int(times[-1] - times[0] + 1e-6) + 1)
    later = np.searchsorted(times, whole).clip(1, len(times) - 1)
    nearer = np.abs(times[later - 1] - whole) <= np.abs(times[later] - whole)
    return np.unique(later - nearer)


def rate(times: np.ndarray | None) -> float | None:
    """Rows per second between the first and the last row; None if the stamps are not usable."""
    if times is None or not usable(times):
        return None
    return float((len(times) - 1) / (times[-1] - times[0]))
