"""Tests which words two groups attend to differently: permutation tests, table and figure."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from jaxdep.analysis.intervals import LEVEL, numbered
from jaxdep.analysis.style import GREY, ORANGE, axes, legible
from jaxdep.artifacts.files import replaced

PERMUTATIONS = 9999
ALPHA = 0.05

MEASURES = {
    "alone": "to each word in isolation",
    "words": "to each word in context",
}
"""Prefix of a map's name, and what the map measures."""

_BRANCHES = {"multimodal": "face and voice", "visual": "face", "acoustic": "voice"}


@dataclass(frozen=True)
class Difference:
    """Difference between the mean attention of two groups to one word.

    Attributes:
      measure: key of `MEASURES`.
      branch: branch of the model, such as `visual`.
      word: name of the word.
      means: means of the group and of the other group.
      interval: Welch interval of the difference, at level `LEVEL`.
      t: Welch's t statistic.
      p: p-value of the permutation test of this word.
      corrected: p-value corrected for all words and branches (Westfall and Young's max-T), which
        limits the probability of any false positive in a table.
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
        """Difference of the means."""
        return self.means[0] - self.means[1]

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `ALPHA`."""
        return self.corrected < ALPHA


def compare(stored: Mapping[str, np.ndarray], words: Sequence[str]) -> list[Difference]:
    """Compares the attention of the depressed group and of the other group to each word.

    Each subject counts once in a group: the attention is the mean over runs and over the subject's
    recordings with that label, and the permutations shuffle the labels of subjects.

    Args:
      stored: content of `words.npz`: `targets` [N], 0 or 1; `subjects` [N], without which each
        recording is that of another subject; and maps [R, N, L] named `<measure>/<branch>`.
      words: names of the L words; if empty, words are numbered from 1.

    Returns:
      One entry per measure, branch and word; empty unless there are two groups of at least two.

    Raises:
      ValueError: arrays are missing, or do not go together.
    """
    _check(stored)
    targets, share = _subjects(stored)
    differences: list[Difference] = []
    counts = np.unique(targets, return_counts=True)
    if set(counts[0]) != {0, 1} or counts[1].min() < 2:
        return []
    for measure in MEASURES:
        chosen = {name: x for name, x in stored.items() if name.startswith(f"{measure}/")}
        maps = {name: share @ x.mean(0) for name, x in chosen.items()}
        if not maps:
            continue
        attention = np.concatenate(list(maps.values()), 1)
        length = attention.shape[1] // len(maps)
        names = list(words) if len(words) == length else [str(n + 1) for n in range(length)]
        columns = [(name.partition("/")[2], word) for name in maps for word in names]
        differences += _permutation_tests(
            measure, columns, attention[targets == 1], attention[targets == 0]
        )
    return differences


def _subjects(stored: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the P subjects, [P], and the share of each recording in their means, [P, N]."""
    targets = stored["targets"]
    items = np.arange(len(targets))
    # A subject whose recordings have both labels is in both groups.
    pairs = numbered(stored.get("subjects", items)) * len(items) + numbered(targets)
    _, first, subject, counts = np.unique(
        numbered(pairs), return_index=True, return_inverse=True, return_counts=True
    )
    share = np.zeros((len(first), len(items)))
    share[subject, items] = 1 / counts[subject]
    return targets[first], share


def _check(stored: Mapping[str, np.ndarray]) -> None:
    """Checks arrays that a damaged file may lack or have of another shape or type."""
    targets = stored.get("targets", np.zeros(()))
    maps = {name: array for name, array in stored.items() if name.partition("/")[0] in MEASURES}
    if targets.ndim != 1:
        raise ValueError("targets is missing, or is not [N]")
    if stored.get("subjects", targets).shape != targets.shape:
        raise ValueError(f"subjects is not [{len(targets)}]")
    for name, array in maps.items():
        if array.ndim != 3 or array.shape[1] != len(targets) or not array.size:
            raise ValueError(f"{name} is not [R, {len(targets)}, L]")
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{name} has values that are not finite numbers")
    if len({array.shape[2] for array in maps.values()}) > 1:
        raise ValueError("the maps differ in their numbers of words")


def _welch_statistic(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    """Statistic t of Welch's test of two samples along an axis."""
    result: Any = stats.ttest_ind(x, y, axis=axis, equal_var=False)
    return result.statistic


def _permutation_tests(
    measure: str, columns: Sequence[tuple[str, str]], group: np.ndarray, other: np.ndarray
) -> list[Difference]:
    """Tests all columns [n, K] of one measure, with a joint correction."""
    tested = stats.permutation_test(
        (group, other),
        _welch_statistic,
        n_resamples=PERMUTATIONS,
        vectorized=True,
        axis=0,
        batch=50,
        rng=np.random.default_rng(0),
    )
    t, drawn = np.asarray(tested.statistic), np.abs(tested.null_distribution)
    # The observed labels count as one permutation, so that no p-value is zero.
    p_value = lambda null: (1 + (null >= np.abs(t)).sum(0)) / (1 + len(drawn))
    p, corrected = p_value(drawn), p_value(drawn.max(1, keepdims=True))
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
      path: output file.
      found: differences returned by `compare`.
      groups: names of the other group and of the group, in the order of the classes.
    """
    with (
        replaced(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
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
    """Plots the words ranked by difference, with intervals and one column per branch.

    Args:
      found: differences returned by `compare`.
      measure: key of `MEASURES`.
      groups: names of the other group and of the group, in the order of the classes.

    Returns:
      The figure and its caption; None if the measure has no differences.
    """
    selected = [d for d in found if d.measure == measure]
    branches = list(dict.fromkeys(d.branch for d in selected))
    if not branches:
        return None
    count = len(selected) // len(branches)
    drawn, grid = axes(1, columns=len(branches), width=9, height=1.2 + 0.17 * count)
    for branch, axis in zip(branches, grid, strict=True):
        ranked = sorted((d for d in selected if d.branch == branch), key=lambda d: d.size)
        _ranked(axis, ranked)
        axis.set_title(legible(_BRANCHES.get(branch, branch)), loc="left", fontsize=9)
    grid[len(grid) // 2].set_xlabel(legible(f"attention of {groups[1]} minus {groups[0]}"))
    significant = sorted({d.word for d in selected if d.significant})
    caption = (
        f"Attention {MEASURES[measure]}: {groups[1]} minus {groups[0]}, means over subjects and"
        f" runs with {LEVEL:.0%} intervals. Orange: significant at {ALPHA:.0%} in a test with"
        f" {PERMUTATIONS} permutations of the labels, corrected for all words and branches:"
        f" {', '.join(significant) or 'none'}."
    )
    if measure == "words":
        caption += (
            " Attention in context also depends on neighboring words, which the encoder mixes,"
            " and on all other words, because the weights sum to one."
        )
    else:
        caption += " All other words were removed, so that each word is measured on its own."
    return drawn, caption


def _ranked(axis: Axes, ranked: Sequence[Difference]) -> None:
    for row, d in enumerate(ranked):
        color = ORANGE if d.significant else GREY
        axis.plot(d.interval, [row, row], color=color, linewidth=1.5)
        axis.plot(d.size, row, "o", color=color, markersize=3.5)
    axis.axvline(0, color=GREY, linewidth=0.6)
    axis.set_yticks(range(len(ranked)), [legible(d.word) for d in ranked], fontsize=7)
    axis.locator_params(axis="x", nbins=4)
