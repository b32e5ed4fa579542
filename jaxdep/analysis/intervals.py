"""Two intervals for one number: over training again, and over testing other people.

Depression test sets are small, so that which people were tested often matters more than which
seed was trained; a table that gives one interval hides the other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LEVEL = 0.95
RESAMPLES = 2000

OVER_RUNS = (
    "over runs: bootstrap of the mean over seeds; how it would vary had other seeds been trained"
)
OVER_ITEMS = (
    "over test items: bootstrap of the recordings, the same for all runs; how it would vary had"
    " other people been tested"
)

Interval = tuple[float, float] | None


def over_runs(values: np.ndarray) -> Interval:
    """Percentile bootstrap of the mean of R runs; None where one run says nothing of others."""
    if len(values) < 2:
        return None
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(values), (RESAMPLES, len(values)))
    return _percentiles(values[drawn].mean(1))


def over_items(statistic: Callable[[np.ndarray], float], items: int) -> Interval:
    """Percentile bootstrap over test items.

    Args:
      statistic: of row numbers [N], drawn with replacement: the metric averaged over runs; NaN
        where it is not defined, as the ROC AUC of one class.
      items: N.
    """
    rng = np.random.default_rng(0)
    values = [statistic(rng.integers(0, items, items)) for _ in range(RESAMPLES)]
    defined = np.array([value for value in values if np.isfinite(value)])
    return _percentiles(defined) if len(defined) > RESAMPLES / 2 else None


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
