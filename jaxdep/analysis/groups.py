"""Which words two groups attend to differently: permutation tests, a table, a figure."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from jaxdep.analysis.intervals import LEVEL
from jaxdep.analysis.style import GREY, ORANGE, axes

PERMUTATIONS = 9999
ALPHA = 0.05

MEASURES = {
    "alone": "drawn by a word itself",
    "words": "read of a word as it was said",
}
"""Beginning of a map's name to what it measures."""

_BRANCHES = {"multimodal": "face and voice", "visual": "face", "acoustic": "voice"}


@dataclass(frozen=True)
class Difference:
    """How much more of a word one group reads than the other, on average over its members.

    Attributes:
      means: of the group and of the other one.
      interval: Welch's, of the difference, at `LEVEL`.
      t: Welch's statistic.
      p: of the permutation test of this word alone.
      corrected: that of a difference so large at any word of any branch (Westfall and Young's
        max-T): it is under 5% by chance in 5% of all tables.
    """

    measure: str
    branch: str
    word: str
    means: tuple[float, float]
    interval: tuple[float, float]
    t: float
    p: float
    corrected: float

    @property
    def size(self) -> float:
        """The difference of the means."""
        return self.means[0] - self.means[1]

    @property
    def significant(self) -> bool:
        """Whether it is more than chance."""
        return self.corrected < ALPHA


def compare(stored: Mapping[str, np.ndarray], words: Sequence[str]) -> list[Difference]:
    """Compares what the depressed and the others read of each word.

    A recording counts once: its attention is the mean over runs, and groups are drawn anew by
    permuting the recordings' labels.

    Args:
      stored: the content of `words.npz`: `targets` [N], 0 or 1, and maps [R, N, L] named
        `<measure>/<branch>`.
      words: L names; none: they are numbered from 1.

    Returns:
      Every measure, branch and word; empty where there are not two groups of two.
    """
    targets, found = stored["targets"], []
    counts = np.unique(targets, return_counts=True)
    if set(counts[0]) != {0, 1} or counts[1].min() < 2:
        return []
    for measure in MEASURES:
        maps = {name: x.mean(0) for name, x in stored.items() if name.startswith(f"{measure}/")}
        if not maps:
            continue
        of = np.concatenate(list(maps.values()), 1).astype(np.float64)
        length = of.shape[1] // len(maps)
        names = list(words) if len(words) == length else [str(n + 1) for n in range(length)]
        columns = [(name.partition("/")[2], word) for name in maps for word in names]
        found += _tested(measure, columns, of[targets == 1], of[targets == 0])
    return found


def _tested(
    measure: str, columns: Sequence[tuple[str, str]], group: np.ndarray, other: np.ndarray
) -> list[Difference]:
    """All columns [n, K] of one measure, which are corrected together."""
    welch = lambda x, y, axis: stats.ttest_ind(x, y, axis=axis, equal_var=False).statistic
    tested = stats.permutation_test(
        (group, other),
        welch,
        n_resamples=PERMUTATIONS,
        vectorized=True,
        axis=0,
        batch=50,
        rng=np.random.default_rng(0),
    )
    t, drawn = np.asarray(tested.statistic), np.abs(tested.null_distribution)
    # The observed labels count among the permutations, so that no p is zero.
    share = lambda of: (1 + (of >= np.abs(t)).sum(0)) / (1 + len(drawn))
    p, corrected = share(drawn), share(drawn.max(1, keepdims=True))
    interval = stats.ttest_ind(group, other, equal_var=False).confidence_interval(LEVEL)
    return [
        Difference(
            measure,
            branch,
            word,
            (float(group[:, k].mean()), float(other[:, k].mean())),
            (float(interval.low[k]), float(interval.high[k])),
            float(t[k]),
            float(p[k]),
            float(corrected[k]),
        )
        for k, (branch, word) in enumerate(columns)
    ]


def write(path: Path, found: Sequence[Difference], groups: Sequence[str]) -> None:
    """Writes the table as CSV.

    Args:
      groups: names of the other group and of the group, as the classes are ordered.
    """
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        means = [f"attention_{group}" for group in groups[::-1]]
        tests = ["difference", "low", "high", "t", "p", "p_corrected"]
        writer.writerow(["measure", "branch", "word", *means, *tests])
        for d in found:
            numbers = (*d.means, d.size, *d.interval, d.t, d.p, d.corrected)
            writer.writerow([d.measure, d.branch, d.word, *(f"{x:.6g}" for x in numbers)])


def figure(
    found: Sequence[Difference], measure: str, groups: Sequence[str]
) -> tuple[Figure, str] | None:
    """Words ranked by difference, with intervals, a column for each branch."""
    own = [d for d in found if d.measure == measure]
    branches = list(dict.fromkeys(d.branch for d in own))
    if not branches:
        return None
    count = len(own) // len(branches)
    drawn, grid = axes(1, columns=len(branches), width=9, height=1.2 + 0.17 * count)
    for branch, axis in zip(branches, grid, strict=True):
        ranked = sorted((d for d in own if d.branch == branch), key=lambda d: d.size)
        _ranked(axis, ranked)
        axis.set_title(_BRANCHES.get(branch, branch), loc="left", fontsize=9)
    grid[len(grid) // 2].set_xlabel(f"attention of {groups[1]} minus {groups[0]}")
    told = sorted({d.word for d in own if d.significant})
    said = (
        f"Attention {MEASURES[measure]}: {groups[1]} minus {groups[0]}, means over recordings and"
        f" runs with {LEVEL:.0%} intervals. Orange: more than chance at {ALPHA:.0%} in"
        f" {PERMUTATIONS} permutations of the labels, corrected for all words and branches:"
        f" {', '.join(told) or 'none'}."
    )
    if measure == "words":
        said += (
            " What is read of a word as it was said depends on its neighbours, with which it is"
            " mixed before anything is read, and on all others, as the shares sum to one."
        )
    else:
        said += " Every other word was taken away, so that a word answers for itself alone."
    return drawn, said


def _ranked(axis: Axes, ranked: Sequence[Difference]) -> None:
    for row, d in enumerate(ranked):
        color = ORANGE if d.significant else GREY
        axis.plot(d.interval, [row, row], color=color, linewidth=1.5)
        axis.plot(d.size, row, "o", color=color, markersize=3.5)
    axis.axvline(0, color=GREY, linewidth=0.6)
    axis.set_yticks(range(len(ranked)), [d.word for d in ranked], fontsize=7)
    axis.locator_params(axis="x", nbins=4)
