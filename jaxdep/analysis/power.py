"""Power of a comparison: which differences a test set of its size and variance can show."""

from __future__ import annotations

from typing import Any

from scipy import optimize, stats

from jaxdep.analysis.intervals import LEVEL

POWER = 0.8


def power(difference: float, error: float, freedom: float) -> float:
    """Probability that a two-sided t-test at 5% finds a difference.

    Args:
      difference: true difference.
      error: standard error of its estimate.
      freedom: degrees of freedom. With n independent pairs whose differences have the standard
        deviation s, the error is s / sqrt(n), and the degrees of freedom are n - 1.
    """
    critical, shift = stats.t.ppf((1 + LEVEL) / 2, freedom), abs(difference) / error
    found = stats.nct.sf(critical, freedom, shift)
    # The tail on the wrong side has less than the normal tail at -5, where SciPy returns NaN.
    if shift < 5:
        found += stats.nct.cdf(-critical, freedom, shift)
    return float(found)


def smallest_difference(error: float, freedom: float, wanted: float = POWER) -> float:
    """Smallest true difference that a two-sided t-test at 5% finds with the wanted power.

    Args:
      error: standard error of the difference.
      freedom: degrees of freedom, as in `power`.
      wanted: power, between 0.05 and 1.
    """
    most = 2 * float(stats.t.ppf((1 + LEVEL) / 2, freedom)) + 10
    shift: Any = optimize.brentq(lambda shift: power(shift, 1, freedom) - wanted, 0, most)
    return error * float(shift)


def warning(claimed: float, smallest: float | None, units: str) -> str | None:
    """A sentence that warns of a claim that a comparison is too small for.

    Args:
      claimed: claimed difference of a metric.
      smallest: smallest difference of that metric that the comparison can show, from
        `smallest_difference`; None if it is unknown.
      units: size of the comparison, such as "42 subjects and 5 seeds".

    Returns:
      The warning; None if the claimed difference is large enough, or if that is unknown.
    """
    if smallest is None or abs(claimed) >= smallest:
        return None
    return (
        f"a difference of {abs(claimed):.3g} is smaller than {smallest:.3g}, the smallest that"
        f" {units} of this variance show with {POWER:.0%} power: if it is significant, its size is"
        " probably exaggerated; if it is not, the systems may still differ"
    )


def published_warning(published: float | None, smallest: float | None, units: str) -> str | None:
    """A sentence that warns of a paper's difference that our comparison is too small to show.

    Args:
      published: difference of two of a paper's figures; None if they cannot be compared with ours.
      smallest: as in `warning`, for the same metric.
      units: as in `warning`.

    Returns:
      The warning; None if the difference is large enough, none at all, or unknown.
    """
    if smallest is None or published is None or not 1e-9 < abs(published) < smallest:
        return None
    return (
        f"the paper's difference of {abs(published):.3g} is smaller than {smallest:.3g}, the"
        f" smallest that {units} of this variance show with {POWER:.0%} power"
    )
