"""Tests of all pairs of runs that a page compares, corrected together, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxdep.analysis import formatting, pairwise, significance
from jaxdep.analysis.significance import PairedTest

HEADS = ("runs", "task", "test", "difference", "95% CI", "p", "p, Holm", "remark")
"""Heads of the columns of `rows`."""

CORRECTED = (
    "p, Holm: the p-value corrected for all tests of this table, by Holm's method. The paired"
    " bootstrap draws seeds and subjects; the other tests look at the same runs in other ways."
)


class Pair(NamedTuple):
    """Two runs that were tested on the same recordings.

    Attributes:
      label: names of the two.
      first: run directory.
      second: run directory; the differences are `first` minus `second`.
      task: task in which they are compared.
      metric: metric that the bootstrap compares.
    """

    label: str
    first: Path
    second: Path
    task: str
    metric: str


def rows(pairs: Sequence[Pair], only_bootstrap: bool = False) -> list[list[str]]:
    """Cells of all tests of all pairs, one for each of `HEADS`.

    Args:
      pairs: pairs of runs.
      only_bootstrap: whether to leave out all tests but the paired bootstrap.

    Raises:
      UserError: the runs of a pair were not tested on the same recordings.
    """
    found: list[tuple[Pair, PairedTest]] = []
    for pair in pairs:
        tests = pairwise.between(pair.first, pair.second, pair.task, pair.metric)
        found += [(pair, test) for test in (tests[:1] if only_bootstrap else tests)]
    corrected = significance.holm([test for _, test in found])
    return [_cells(pair, test) for (pair, _), test in zip(found, corrected, strict=True)]


def _cells(pair: Pair, test: PairedTest) -> list[str]:
    shown = lambda value: "-" if value is None else f"{value:.3g}"
    difference = (
        "-" if test.difference is None else formatting.difference(test.difference, pair.metric)
    )
    return [
        pair.label,
        pair.task,
        f"{test.method}: {test.compared}, {test.units}",
        difference,
        formatting.interval(test.interval, pair.metric),
        shown(test.p),
        shown(test.corrected),
        test.reason or test.warning or "",
    ]
