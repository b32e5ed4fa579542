"""Tests of all pairs of runs that a page compares, corrected together, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxdep.analysis import formatting, pairwise, power, significance
from jaxdep.analysis.compare import UnpairedError
from jaxdep.analysis.significance import PairedTest

HEADS = ("runs", "task", "test", "difference", "95% CI", "p", "p, Holm", "remark")
"""Heads of the columns of `rows`."""

CORRECTED = (
    "p, Holm: the p-value corrected for all tests of this table, by Holm's method. The paired"
    " bootstrap draws seeds and subjects; the other tests look at the same runs in other ways."
)


class Pair(NamedTuple):
    """Two runs to compare.

    Attributes:
      label: names of the two.
      first: run directory.
      second: run directory; the differences are `first` minus `second`.
      task: task in which they are compared.
      metric: metric that the bootstrap compares.
      published: the paper's difference of that metric; None if it cannot be compared with ours.
    """

    label: str
    first: Path
    second: Path
    task: str
    metric: str
    published: float | None = None


_UNPAIRED = PairedTest(
    method="",
    compared="",
    units="",
    difference=None,
    reason="the two have no predictions for the same recordings of the same subjects",
)


def rows(pairs: Sequence[Pair], only_bootstrap: bool = False) -> list[list[str]]:
    """Cells of all tests of all pairs, one for each of `HEADS`.

    Args:
      pairs: pairs of runs.
      only_bootstrap: whether to leave out all tests but the paired bootstrap.

    Returns:
      A pair that cannot be tested has one row, which says so.
    """
    found: list[tuple[Pair, PairedTest]] = []
    for pair in pairs:
        try:
            _, first, second, task, metric, _ = pair
            tests = pairwise.between(first, second, task, metric, only_bootstrap=only_bootstrap)
        except UnpairedError:
            tests = [_UNPAIRED]
        found += [(pair, test) for test in tests]
    corrected = significance.holm([test for _, test in found])
    return [_cells(pair, test) for (pair, _), test in zip(found, corrected, strict=True)]


def _cells(pair: Pair, test: PairedTest) -> list[str]:
    shown = lambda value: "-" if value is None else f"{value:.3g}"
    difference = (
        "-" if test.difference is None else formatting.difference(test.difference, pair.metric)
    )
    warnings = (
        test.reason or test.warning,
        power.published_warning(pair.published, test.smallest, test.units),
    )
    return [
        pair.label,
        pair.task,
        f"{test.method}: {test.compared} ({test.units})" if test.method else "-",
        difference,
        formatting.interval(test.interval, pair.metric),
        shown(test.p),
        shown(test.corrected),
        "; ".join(filter(None, warnings)),
    ]
