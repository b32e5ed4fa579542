"""Tests whether two runs on the same recordings differ: from run directories to rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxdep.analysis import bootstrap_metrics, calibration, significance
from jaxdep.analysis.compare import load_pair
from jaxdep.analysis.predictions import Predictions
from jaxdep.analysis.results import load
from jaxdep.analysis.significance import PairedTest


def between(
    first: Path,
    second: Path,
    task: str,
    metric: str = "",
    subjects: Mapping[str, str] | None = None,
    only_bootstrap: bool = False,
) -> list[PairedTest]:
    """Tests the difference between two runs in one task, `first` minus `second`.

    Args:
      first: run directory.
      second: run directory.
      task: task to compare.
      metric: name of a metric of `jaxdep.analysis.metrics`, compared by the bootstrap and over
        seeds; by default the accuracy, or the mean absolute error of a regression.
      subjects: subject of each recording, by id; by default, those that the runs name.
      only_bootstrap: whether to leave out all tests but the paired bootstrap.

    Returns:
      A classification has the paired bootstrap, McNemar's test, DeLong's test if there are two
      classes, and Wilcoxon's test over seeds; a regression the paired bootstrap, and Wilcoxon's
      test over the errors of subjects and over seeds. The p-values are not corrected; for that,
      pass all tests of a table to `significance.holm`.

    Raises:
      UnpairedError: the runs were not tested on the same recordings in that task.
    """
    (a, classes, _), (b, _, _) = load_pair(first, second, task)
    metric = metric or ("accuracy" if classes else "mae")
    named = dict(zip(a.ids.tolist(), a.subjects.tolist(), strict=True)) | dict(subjects or {})
    groups = np.array([named[name] for name in a.ids.tolist()])
    runs_a, runs_b = (
        [bootstrap_metrics.statistic(metric, x.select_runs([run]), classes) for run in x.runs]
        for x in (a, b)
    )
    seeds_a, seeds_b = _seeds(first, a), _seeds(second, b)
    tests = [significance.paired_bootstrap(runs_a, runs_b, groups, same_seeds=seeds_a == seeds_b)]
    if only_bootstrap:
        return tests
    if classes:
        correct_a, correct_b = (
            _probabilities(x, classes).mean(0).argmax(-1) == x.target for x in (a, b)
        )
        tests.append(significance.mcnemar(correct_a, correct_b, groups))
    else:
        error_a, error_b = (np.abs(x.prediction - x.target).mean(0) for x in (a, b))
        tests.append(significance.wilcoxon(error_a, error_b, groups))
    if classes == 2:
        score_a, score_b = a.probability.mean(0), b.probability.mean(0)
        tests.append(significance.delong(a.target, score_a, score_b, groups))
    once = np.ones((1, len(a.ids)), int)
    shared = [seed for seed in seeds_a if seed in seeds_b]
    values_a = np.array([runs_a[seeds_a.index(seed)](once)[0] for seed in shared])
    values_b = np.array([runs_b[seeds_b.index(seed)](once)[0] for seed in shared])
    return [*tests, significance.wilcoxon(values_a, values_b)]


def _probabilities(predictions: Predictions, classes: int) -> np.ndarray:
    """Probability of each class, [R, N, C]."""
    if predictions.logits is not None:
        return calibration.probabilities(predictions.logits)
    # Files of earlier versions of jaxdep have one probability: of class 1, or of the prediction.
    if classes == 2:
        return np.stack([1 - predictions.probability, predictions.probability], -1)
    return np.eye(classes)[predictions.prediction.astype(int)]


def _seeds(run_dir: Path, predictions: Predictions) -> list[int]:
    """Seed of each run that did not diverge."""
    seeds = {run["run"]: run["seed"] for run in load(run_dir, "meta.json")["runs"]}
    return [seeds[run] for run in predictions.runs]
