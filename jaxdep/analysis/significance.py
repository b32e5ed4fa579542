"""Tests of the difference between two systems on the same test recordings.

Of these tests, only the bootstrap asks whether the difference would remain with other seeds and
with other subjects. The others treat the trained networks, or the recordings, as given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from jaxdep.analysis import power, two_way_bootstrap
from jaxdep.analysis.intervals import LEVEL, Interval, Statistic

ALPHA = 1 - LEVEL

BLOCK = 4_000_000
"""Number of counts evaluated at once, which limits memory."""

BOOTSTRAP = (
    "the metric, averaged over seeds. Subjects and seeds are both resampled: would there be a"
    " difference with other subjects and other seeds?"
)
MCNEMAR = (
    "which recordings the two systems classify correctly. A system's answer is the class with the"
    " highest probability, averaged over its seeds. Exact (binomial) if they disagree on fewer than"
    " 25 recordings, otherwise chi-squared without continuity correction."
)
DELONG = (
    "areas under the ROC curves of two correlated scores, which are the probabilities of class 1,"
    " averaged over the seeds of each system."
)
WILCOXON_SEEDS = "signed ranks, of the metric of each seed; the test recordings are given."
WILCOXON_ERRORS = (
    "signed ranks, of the absolute error of each subject, averaged over its recordings and over"
    " seeds; the trained networks are given."
)
HOLM = (
    "p-values in a table are corrected by Holm's method, which limits the probability of any false"
    " positive in it to 5%."
)


@dataclass(frozen=True)
class PairedTest:
    """Outcome of a test of `first` minus `second`.

    Attributes:
      method: name of the test.
      compared: what is compared, in words.
      units: what the test counts, such as "42 subjects and 5 seeds".
      difference: observed difference of the compared quantity; None if it is undefined.
      interval: 95% interval of the difference; None if the test has none.
      p: two-sided p-value; None if the test does not apply.
      reason: why the test does not apply; empty if it does.
      smallest: smallest difference that the test finds in 80% of cases; None if unknown.
      corrected: p-value corrected for a table of tests, by `holm`.
    """

    method: str
    compared: str
    units: str
    difference: float | None
    interval: Interval = None
    p: float | None = None
    reason: str = ""
    smallest: float | None = None
    corrected: float | None = None

    @property
    def warning(self) -> str | None:
        """A warning if the test is too small to be relied on for the observed difference."""
        return power.warning(self.difference or 0.0, self.smallest, self.units)


def paired_bootstrap(
    first: Sequence[Statistic],
    second: Sequence[Statistic],
    subjects: np.ndarray,
    *,
    same_seeds: bool,
) -> PairedTest:
    """Tests the difference of a metric, averaged over seeds, for other seeds and other subjects.

    The standard error is that of `two_way_bootstrap`, which says why it is not simply that of joint
    draws; the difference is compared with Student's t.

    Args:
      first: for each run of the first system, its metric as a function of how often each of the N
        recordings was drawn (`bootstrap_metrics.statistic` of that run).
      second: as `first`, for the second system.
      subjects: subject of each recording, [N].
      same_seeds: whether run i of both systems has the same seed; their seeds are then drawn
        together, otherwise independently. A system with a single run counts as given: the result
        says nothing about its other seeds, which a deterministic fit does not have.

    Returns:
      The test; without a p-value if there are fewer than two subjects, if the metric is undefined
      in most draws, or if nothing varies.
    """
    draws, count = two_way_bootstrap.draws(subjects)
    parts = np.array_split(draws, 1 + draws.size // BLOCK)
    values = lambda run: np.concatenate([run(part) for part in parts])
    a, b = (np.stack(list(map(values, runs))) for runs in (first, second))
    tables = [a - b] if same_seeds else [a, -b]
    runs = f"{len(a)}" if same_seeds else f"{len(a)} and {len(b)}"
    units = f"{count} subjects and {runs} seed{'s' * (runs != '1')}"
    difference = float(a[:, 0].mean() - b[:, 0].mean())
    test = PairedTest("paired bootstrap", BOOTSTRAP, units, difference)

    defined = np.isfinite(np.concatenate(tables).sum(axis=0))
    if count < 2:
        return replace(test, reason="it needs several subjects")
    if not defined[0]:
        return replace(test, difference=None, reason="the metric is undefined")
    if defined.mean() <= 0.5:
        return replace(test, reason="the metric is undefined for most draws of subjects")
    tables = [table[:, defined] for table in tables]
    error, freedom = two_way_bootstrap.standard_error(tables, count)
    if error < 1e-12:
        if abs(difference) > 1e-12:
            return replace(test, reason="the difference is the same for all subjects and seeds")
        return replace(test, interval=(difference, difference), p=1.0)
    half = float(stats.t.ppf(1 - ALPHA / 2, freedom)) * error
    return replace(
        test,
        interval=(difference - half, difference + half),
        p=float(2 * stats.t.sf(abs(difference) / error, freedom)),
        smallest=power.smallest_difference(error, freedom),
    )


def mcnemar(first: np.ndarray, second: np.ndarray, subjects: np.ndarray) -> PairedTest:
    """McNemar's test of the recordings that only one of two systems classifies correctly.

    It is exact (binomial) for fewer than 25 such recordings, and conservative for very few.

    Args:
      first: whether the first system's answer to each recording is correct, [N].
      second: the same for the second system.
      subjects: subject of each recording, [N]; the test does not apply if any occurs twice.
    """
    from statsmodels.stats.contingency_tables import mcnemar as of_table

    difference = float(first.mean() - second.mean())
    test = PairedTest("McNemar", MCNEMAR, f"{len(first)} recordings", difference)
    if reason := _dependent(subjects):
        return replace(test, reason=reason)
    cells = [[int(np.sum((first == a) & (second == b))) for b in (1, 0)] for a in (1, 0)]
    one_sided = cells[0][1] + cells[1][0]
    if not one_sided:
        return replace(test, p=1.0)
    result: Any = of_table(cells, exact=one_sided < 25, correction=False)
    return replace(test, p=float(result.pvalue))


def delong(
    target: np.ndarray, first: np.ndarray, second: np.ndarray, subjects: np.ndarray
) -> PairedTest:
    """DeLong's test of two correlated areas under the ROC curve.

    DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; computed from midranks as by Sun and Xu,
    IEEE Signal Processing Letters 21, 2014.

    Args:
      target: classes, 0 or 1, [N].
      first: score of the first system, higher for class 1, [N].
      second: the same for the second system.
      subjects: subject of each recording, [N]; the test does not apply if any occurs twice.

    Returns:
      The test; without a p-value if a class has fewer than two recordings, or if no score varies.
    """
    positive = target == 1
    m, n = int(positive.sum()), int((~positive).sum())
    units = f"{m + n} recordings"
    if min(m, n) < 2:
        reason = "it needs two recordings of each class"
        return PairedTest("DeLong", DELONG, units, None, reason=reason)
    scores = np.stack([first, second])
    ranks = stats.rankdata(scores, axis=1)
    # Share of the other class that each recording is ranked above (or below), ties counted half.
    above = (ranks[:, positive] - stats.rankdata(scores[:, positive], axis=1)) / n
    below = 1 - (ranks[:, ~positive] - stats.rankdata(scores[:, ~positive], axis=1)) / m
    areas = above.mean(1)
    difference = float(areas[0] - areas[1])
    test = PairedTest("DeLong", DELONG, units, difference)
    if reason := _dependent(subjects):
        return replace(test, reason=reason)
    # The variance of the difference, L S L' with L = (1, -1).
    variance = np.diff(above, axis=0).var(ddof=1) / m + np.diff(below, axis=0).var(ddof=1) / n
    error = float(np.sqrt(variance))
    if error < 1e-12:
        if abs(difference) > 1e-12:
            return replace(test, reason="the scores of neither system vary within the classes")
        return replace(test, interval=(difference, difference), p=1.0)
    half = float(stats.norm.ppf(1 - ALPHA / 2)) * error
    p = float(2 * stats.norm.sf(abs(difference) / error))
    return replace(test, interval=(difference - half, difference + half), p=p)


def wilcoxon(
    first: np.ndarray, second: np.ndarray, subjects: np.ndarray | None = None
) -> PairedTest:
    """Wilcoxon's signed-rank test of paired values.

    Args:
      first: values of the first system: metrics by seed, or errors by recording, [n].
      second: the same for the second system.
      subjects: subject of each recording, [n], by which the values are averaged first, since the
        test assumes independent pairs; None if the pairs are seeds.

    Returns:
      The test; without a p-value for fewer than 6 pairs, which cannot reach 5%.
    """
    compared = WILCOXON_SEEDS if subjects is None else WILCOXON_ERRORS
    delta = first - second
    if subjects is not None:
        _, places = np.unique(subjects, return_inverse=True)
        delta = np.bincount(places, delta) / np.bincount(places)
    delta = np.round(delta, 12)  # differences that are equal but for rounding share a rank
    units = f"{len(delta)} {'seeds' if subjects is None else 'subjects'}"
    if not (len(delta) and np.isfinite(delta).all()):
        return PairedTest("Wilcoxon", compared, units, None, reason="no pairs, or undefined values")
    test = PairedTest("Wilcoxon", compared, units, float(delta.mean()))
    if len(delta) < 6:
        return replace(test, reason="with fewer than 6 pairs no result is significant")
    if not delta.any():
        return replace(test, p=1.0)
    result: Any = stats.wilcoxon(delta)
    return replace(test, p=float(result.pvalue))


def _dependent(subjects: np.ndarray) -> str:
    """Why a test that assumes independent recordings does not apply; empty if it does."""
    if len(np.unique(subjects)) == len(subjects):
        return ""
    return "subjects have several recordings, which it takes for independent; see the bootstrap"


def adjust(p_values: Sequence[float | None], method: str = "holm") -> list[float | None]:
    """Corrects the p-values of a table for their number.

    Args:
      p_values: p-values; None for tests that did not apply, which do not count.
      method: `holm`, which limits the probability of any false positive, or `fdr_bh` (Benjamini and
        Hochberg), which limits the expected share of false positives among the positives.
    """
    from statsmodels.stats.multitest import multipletests

    known = [p for p in p_values if p is not None]
    corrected: Any = multipletests(known, ALPHA, method)[1] if known else ()
    each = iter(map(float, corrected))
    return [None if p is None else next(each) for p in p_values]


def holm(tests: Sequence[PairedTest]) -> list[PairedTest]:
    """Sets the corrected p-values of all tests that are shown in one table."""
    corrected = adjust([test.p for test in tests])
    return [replace(test, corrected=p) for test, p in zip(tests, corrected, strict=True)]
