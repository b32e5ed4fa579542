"""Results in words and cells, the same in the terminal and in the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "roc_auc": "ROC AUC",
    "mae": "MAE (points)",
    "rmse": "RMSE (points)",
}


def headline(task: Mapping[str, Any]) -> list[str]:
    """The metrics that a table shows, those of the paper's averaging first."""
    average = task["average"]
    wanted = ["accuracy", "balanced_accuracy"]
    wanted += [f"{kind}_{average}" for kind in ("precision", "recall", "f1")]
    wanted += ["f1_positive", "f1_macro", "roc_auc", "mae", "rmse"]
    return [metric for metric in wanted if task["summary"].get(metric)]


def metric_name(metric: str) -> str:
    """`f1_weighted` as "F1, weighted"."""
    if metric in _NAMES:
        return _NAMES[metric]
    kind, _, average = metric.rpartition("_")
    return f"{'F1' if kind == 'f1' else kind}, {average}"


def title(results: Mapping[str, Any]) -> str:
    """The experiment's title; of synthetic data it says so."""
    return ("SYNTHETIC: " if results["synthetic"] else "") + results["title"]


def paper_column(results: Mapping[str, Any]) -> str:
    """Heading of the column of published figures."""
    return "paper (real; ours SYNTHETIC)" if results["synthetic"] else "paper"


def number(value: float | None) -> str:
    """Three decimals, or a dash."""
    return "-" if value is None else f"{value:.3f}"


def interval(pair: tuple[float, float] | None) -> str:
    """`[low, high]`, or a dash."""
    return "-" if pair is None else f"[{pair[0]:.3f}, {pair[1]:.3f}]"


def rows(task: Mapping[str, Any]) -> list[list[str]]:
    """Cells of the table of a task: metric, mean, std, both intervals, paper."""
    cells = []
    for metric in headline(task):
        of = task["summary"][metric]
        cells.append(
            [
                metric_name(metric),
                number(of["mean"]),
                number(of["std"]),
                interval(of["interval_runs"]),
                interval(of["interval_items"]),
                number(task["paper_figures"].get(metric)),
            ]
        )
    return cells


def notes(results: Mapping[str, Any]) -> list[str]:
    """What every number of the table needs to be understood."""
    split, runs = results["split"], results["runs"]
    counted = len(runs) - len(results["excluded"])
    said = [
        f"{counted} of {len(runs)} runs counted (seeds {_seeds(runs)}); std with ddof 1",
        f"evaluated on {split['name']}: {split['items']} recordings, hash {split['hash'][:12]}",
        f"selection: {results['selection']} ({_validation(results)})",
        f"labels: {results['label_source']}",
    ]
    if results["excluded"]:
        named = [f"run {r['run']} (seed {r['seed']})" for r in runs if r["status"] == "diverged"]
        said.append(f"DIVERGED and not counted: {', '.join(named)}")
    for name, task in results["tasks"].items():
        if "majority" in task:
            said.append(f"{name}: the most frequent class has a share of {task['majority']:.3f}")
        if "bayes_accuracy" in task:
            said.append(
                f"{name}: chance {task['chance']:.3f}, best attainable accuracy"
                f" {task['bayes_accuracy']:.3f}" + _way(task["share_of_the_way"])
            )
    return said + [f"warning: {warning}" for warning in results["warnings"]]


def summary(results: Mapping[str, Any]) -> str:
    """The result in a few sentences."""
    sentences = []
    for name, task in results["tasks"].items():
        if not task["summary"]:
            sentences.append("Every run diverged: there is no result.")
            continue
        metric = headline(task)[0]
        of = task["summary"][metric]
        said = f"{name.capitalize()}: {metric_name(metric)} {of['mean']:.3f}"
        said += f", the mean of {of['runs']} run{'s' if of['runs'] > 1 else ''}."
        if of["interval_runs"]:
            said += (
                f" Trained again with other seeds it would lie in {interval(of['interval_runs'])}"
            )
            said += f"; with other people tested, in {interval(of['interval_items'])} (95%)."
        else:
            said += f" With other people tested it would lie in {interval(of['interval_items'])}"
            said += " (95%); one run says nothing about other seeds."
        sentences.append(said)
    return " ".join(sentences)


def _seeds(runs: list[dict[str, Any]]) -> str:
    seeds = [run["seed"] for run in runs]
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]}-{seeds[-1]}"
    return ", ".join(map(str, seeds))


def _validation(results: Mapping[str, Any]) -> str:
    validation = results["splits"]["validation"]
    carved = f", carved from {validation['carved_from']}" if validation["carved_from"] else ""
    return f"{validation['items']} recordings of {validation['name']}{carved}"


def _way(share: float | None) -> str:
    return "" if share is None else f"; {share:.0%} of the way is reached"
