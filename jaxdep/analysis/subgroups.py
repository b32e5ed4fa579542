"""Compares the results for subgroups of the people tested, such as women and men.

For each value of an attribute there are metrics with intervals over test items (`intervals`), and
for each attribute the gap between its groups, with a permutation test: if the attribute had nothing
to do with the recordings and their predictions, it could be exchanged between subjects, who keep
all of their recordings. The observed assignment counts as one of the permutations, so that no
p-value is zero (Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9,
2010).

Some metrics are shares of the recordings of one class: the true and the false positive rate, and
their relatives. If a class is more frequent in one group, exchanging the attribute between all
subjects would change the number of such recordings in a group, and reject too often: 15% of equal
true positive rates at 5%, in a simulation with 18 and 30 subjects, of whom 25% and 70% were
positive. For these metrics it is exchanged between subjects whose recordings have the same classes,
which tests whether predictions depend on the attribute given the true class, and rejected 5% in the
same simulation. Accuracy, precision, F1 and the positive rate may differ between groups merely
because a class is more frequent in one of them; they are tested as they are.

If a subject has recordings of several values (two tasks, say), the values are exchanged between the
recordings of each subject, and subjects are drawn with the recordings of all groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxdep.analysis import attribute_groups, bootstrap_metrics, intervals, significance
from jaxdep.analysis.attribute_groups import Grouping
from jaxdep.analysis.intervals import Statistic, numbered
from jaxdep.analysis.predictions import Predictions

PERMUTATIONS = 1999

FEWEST_SUBJECTS = 10
"""A group of fewer subjects is marked as too small for a conclusion."""

Gap = Callable[[Sequence[np.ndarray]], np.ndarray]
"""Maps counts [S, N] of how often each item was drawn in each of G groups to values [S]."""

_BY_CLASS = ("balanced_accuracy", "roc_auc", "true_positive_rate", "false_positive_rate")
"""Metrics of the predictions given the true class."""

_BLOCK = 4_000_000
"""Number of permuted labels evaluated at once; limits memory without affecting the draws."""


def compare(
    predictions: Predictions, attributes: Mapping[str, np.ndarray], classes: int, average: str
) -> dict[str, Any] | None:
    """Metrics of the groups of each attribute, and the gaps between them, with tests.

    Args:
      predictions: predictions of the R runs, over which metrics are averaged.
      attributes: values of attributes as texts [N] by name; empty where unknown.
      classes: number of classes; 0 for a regression.
      average: averaging of precision and F1 that the paper of the system reports.

    Returns:
      `attributes`: for each, its groups with their metrics, and `gaps`, by metric: the first group
      minus the second, or, of more groups, the largest value minus the smallest, without an
      interval, since resampling enlarges it. p-values are corrected by Holm's method for all gaps
      of the task. `notes`: attributes that are not compared, and why. A metric is None where it is
      undefined, as the true positive rate is without positives. None if there are no attributes or
      no runs.
    """
    if not attributes or not len(predictions.runs):
        return None
    metrics = metrics_of(classes, average)
    groupings, notes = attribute_groups.divide(attributes, predictions.subjects)
    found = [_attribute(grouping, predictions, metrics, classes) for grouping in groupings]
    gaps = [gap for each in found for gap in each["gaps"].values()]
    for gap, corrected in zip(gaps, significance.adjust([gap["p"] for gap in gaps]), strict=True):
        gap["p_holm"] = corrected
    return {"attributes": found, "notes": notes, "permutations": PERMUTATIONS}


def metrics_of(classes: int, average: str) -> list[str]:
    """Metrics that groups are compared by.

    Recall is left out: weighted and micro recall are the accuracy, macro recall is the balanced
    accuracy, and that of class 1 is the true positive rate. So are micro precision and F1.
    """
    if not classes:
        return ["mae", "rmse", "mean_error"]
    metrics = ["accuracy", "balanced_accuracy"]
    metrics += [] if average == "micro" else [f"precision_{average}", f"f1_{average}"]
    rates = ["roc_auc", "positive_rate", "true_positive_rate", "false_positive_rate"]
    return metrics + (rates if classes == 2 else [])


def _attribute(
    grouping: Grouping, predictions: Predictions, metrics: Sequence[str], classes: int
) -> dict[str, Any]:
    """Metrics of the groups of one attribute, and the gaps between them."""
    known = predictions.select_items(grouping.member >= 0)
    member = grouping.member[grouping.member >= 0]
    occurring = np.unique(known.target)
    statistics = lambda items: {m: _statistic(m, items, classes, occurring) for m in metrics}
    groups = []
    for number, name in enumerate(grouping.names):
        own = known.select_items(member == number)
        subjects = len(np.unique(own.subjects))
        estimates = _estimates(statistics(own), own.subjects)
        counts = np.bincount(own.target.astype(int), minlength=classes) if classes else []
        groups.append(
            {
                "name": name,
                "items": len(own.ids),
                "subjects": subjects,
                "few": subjects < FEWEST_SUBJECTS,
                "counts": list(map(int, counts)),
                "metrics": estimates,
            }
        )
    of_gaps = {
        metric: _gap(statistic, len(groups)) for metric, statistic in statistics(known).items()
    }
    masks = [(member == number).astype(float) for number in range(len(groups))]
    in_groups = lambda drawn: [drawn * mask for mask in masks]
    if len(groups) == 2:
        strata = None if grouping.within else member
        resampled = {m: lambda drawn, gap=gap: gap(in_groups(drawn)) for m, gap in of_gaps.items()}
        gaps = _estimates(resampled, known.subjects, strata)
    else:
        once = np.ones((1, len(member)))
        gaps = {m: _estimate(gap(in_groups(once))[0], None) for m, gap in of_gaps.items()}
    tests = _tests(of_gaps, grouping.within, known, member)
    return {
        "name": grouping.attribute,
        "note": grouping.note,
        "within": grouping.within,
        "unknown": int((grouping.member < 0).sum()),
        "groups": groups,
        "few": any(group["few"] for group in groups),
        "gaps": {metric: {**gaps[metric], "p": tests[metric]} for metric in metrics},
    }


def _estimates(
    statistics: Mapping[str, Statistic], subjects: np.ndarray, groups: np.ndarray | None = None
) -> dict[str, Any]:
    """Value of each statistic, and its interval over test items."""
    once = np.ones((1, len(subjects)), int)
    values = {name: statistic(once)[0] for name, statistic in statistics.items()}
    defined = {name: statistics[name] for name, value in values.items() if np.isfinite(value)}
    spans = intervals.over_items(defined, subjects, groups)
    return {name: _estimate(value, spans.get(name)) for name, value in values.items()}


def _estimate(value: float, interval: intervals.Interval) -> dict[str, Any]:
    return {"mean": float(value) if np.isfinite(value) else None, "interval_items": interval}


def _statistic(
    metric: str, predictions: Predictions, classes: int, occurring: np.ndarray
) -> Statistic:
    """A metric as in `bootstrap_metrics`, but undefined where a class that it needs is not drawn.

    Args:
      metric: name of the metric.
      predictions: predictions of the R runs.
      classes: number of classes; 0 for a regression.
      occurring: classes that occur in any group.
    """
    plain = bootstrap_metrics.statistic(metric, predictions, classes)
    needed = []
    if metric in ("balanced_accuracy", "roc_auc", "f1_macro"):
        needed = occurring.tolist()
    elif metric in ("f1_positive", "true_positive_rate"):
        needed = [1]
    elif metric == "false_positive_rate":
        needed = [0]
    target = predictions.target
    present = np.stack([np.ones(len(target)), *(target == label for label in needed)])

    def defined(drawn: np.ndarray) -> np.ndarray:
        drawn = np.asarray(drawn, float)
        valid = (drawn @ present.T > 0).all(1)
        if valid.all():
            return plain(drawn)
        values = np.full(len(drawn), np.nan)
        if valid.any():
            values[valid] = plain(drawn[valid])
        return values

    return defined


def _gap(statistic: Statistic, groups: int) -> Gap:
    """The gap of a metric between groups, as a function of the counts in each."""

    def gap(drawn: Sequence[np.ndarray]) -> np.ndarray:
        values = np.stack([statistic(each) for each in drawn])
        return values[0] - values[1] if groups == 2 else values.max(0) - values.min(0)

    return gap


def _tests(
    gaps: Mapping[str, Gap], within: bool, predictions: Predictions, member: np.ndarray
) -> dict[str, float | None]:
    """Two-sided p-value of the gap of each metric; None if it is undefined, or cannot be tested."""
    subject = numbered(predictions.subjects)
    unit = np.arange(len(member)) if within else subject
    exchangeable = subject if within else np.zeros(len(member), int)
    classes: dict[int, set[float]] = {}
    for who, target in zip(unit.tolist(), predictions.target.tolist(), strict=True):
        classes.setdefault(who, set()).add(target)
    pairs = [(s, frozenset(classes[u])) for s, u in zip(exchangeable, unit.tolist(), strict=True)]
    codes = {pair: code for code, pair in enumerate(dict.fromkeys(pairs))}
    same_class = np.array([codes[pair] for pair in pairs])
    by_class = {metric: gap for metric, gap in gaps.items() if metric in _BY_CLASS}
    others = {metric: gap for metric, gap in gaps.items() if metric not in _BY_CLASS}
    return {
        **_p_values(others, member, unit, exchangeable),
        **_p_values(by_class, member, unit, same_class),
    }


def _p_values(
    gaps: Mapping[str, Gap], member: np.ndarray, unit: np.ndarray, stratum: np.ndarray
) -> dict[str, float | None]:
    """p-values of a permutation test that exchanges labels between units of the same stratum.

    Args:
      gaps: gaps by metric.
      member: group of each recording, [N].
      unit: number of the unit of each recording, [N], which has one group and one stratum.
      stratum: number of the stratum of each recording, [N].
    """
    first = np.unique(unit, return_index=True)[1]
    code, stratum = member[first], stratum[first]
    names = range(member.max() + 1)
    split = lambda labels: [(labels == name).astype(float) for name in names]
    observed = {metric: abs(gap(split(member[None]))[0]) for metric, gap in gaps.items()}
    if len(set(zip(stratum.tolist(), code.tolist(), strict=True))) == len(set(stratum.tolist())):
        return dict.fromkeys(gaps)  # no exchange changes anything
    place = np.argsort(stratum, kind="stable")
    rng = np.random.default_rng(0)
    defined, extreme = dict.fromkeys(gaps, 0), dict.fromkeys(gaps, 0)
    block = int(np.clip(_BLOCK // len(member), 1, PERMUTATIONS))
    for start in range(0, PERMUTATIONS, block):
        size = min(block, PERMUTATIONS - start)
        shuffled = np.empty((size, len(code)), int)
        shuffled[:, place] = code[np.argsort(stratum + rng.random((size, len(code))), axis=1)]
        drawn = split(shuffled[:, unit])
        for metric, gap in gaps.items():
            values = np.abs(gap(drawn))
            defined[metric] += int(np.isfinite(values).sum())
            # Gaps that are equal but for rounding count as equal.
            extreme[metric] += int((values >= observed[metric] - 1e-9).sum())
    return {
        metric: (1 + extreme[metric]) / (1 + defined[metric]) if np.isfinite(value) else None
        for metric, value in observed.items()
    }
