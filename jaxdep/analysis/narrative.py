"""Explains results in words: notes below a table, and the first paragraphs of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxdep.analysis.formatting import headline, interval, metric_name, number, published


def notes(results: Mapping[str, Any]) -> list[str]:
    """Notes that are needed to interpret the numbers of a table."""
    split, runs = results["split"], results["runs"]
    counted = len(runs) - len(results["excluded"])
    lines = [
        f"{counted} of {len(runs)} runs counted (seeds {_seeds(runs)}); std with ddof 1",
        f"evaluated on {split['name']}: {split['items']} recordings, hash {split['hash'][:12]}"
        + ("; scores averaged over the recordings of a session" if results["merged"] else ""),
        f"selection: {results['selection']} ({_validation(results)})",
        f"labels: {results['label_source']}",
        f"reproducibility: {_reproducibility(results)}",
    ]
    if "THE SAME" in (usage := _test_usage(results)):
        lines.insert(1, f"{split['name']} is{usage.removeprefix(',')}")
    if results["excluded"]:
        diverged = [f"run {r['run']} (seed {r['seed']})" for r in runs if r["status"] == "diverged"]
        lines.append(f"DIVERGED and not counted: {', '.join(diverged)}")
    for name, task in results["tasks"].items():
        if "counts" in task:
            counts = ", ".join(f"{task['counts'][label]} {label}" for label in task["classes"])
            lines.append(f"{name}: {counts}; best const.: best score of a constant prediction")
        if published(task):
            lines.append(f"{name}: {paper_note(results, task)}")
        if "attainable" in task:
            metric = task["known"]
            lines.append(
                f"{name}: chance {number(task['chance'], metric)}, best attainable"
                f" {metric_name(metric)} {number(task['attainable'], metric)}"
                + _progress(task["share_of_the_way"])
            )
    return lines + [f"warning: {warning}" for warning in results["warnings"]]


def paper_note(results: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """Source of the published results, and whether they lie within our intervals."""
    row = task["paper"]
    source = f"paper: {row['system']}, {row['source']}, row {row['row']}"
    if results["synthetic"]:
        return f"{source}, on the real corpus; ours is SYNTHETIC, so the two are not comparable"
    if results["split"]["name"] != "test":
        source += f" (on its test split, ours on {results['split']['name']})"
    outside = []
    for metric in published(task):
        summary, figure = task["summary"][metric], task["paper_figures"][metric]
        both = [pair for pair in (summary["interval_runs"], summary["interval_items"]) if pair]
        if both and not any(low <= figure <= high for low, high in both):
            side = "above" if figure > summary["mean"] else "below"
            outside.append(f"{metric_name(metric)} ({side} ours)")
    if outside:
        return f"{source}; OUTSIDE our intervals: {', '.join(outside)}"
    return f"{source}; within at least one of our intervals"


def summary(results: Mapping[str, Any]) -> list[str]:
    """The results in plain words: first what was done, then one paragraph per task."""
    train, test = results["splits"]["train"], results["split"]
    corpus = ("SYNTHETIC " if results["synthetic"] else "") + results["corpus"]
    setup = f"Trained on {train['items']} recordings of {corpus}; tested on {test['items']}"
    setup += f" recordings of its {test['name']} split{_test_usage(results)}. {_runs(results)}"
    return [setup, *(_task_summary(results, name, task) for name, task in results["tasks"].items())]


def _test_usage(results: Mapping[str, Any]) -> str:
    splits, tested = results["splits"], results["split"]["hash"]
    if tested == splits["train"]["hash"]:
        return ", THE SAME data as used for training: this says nothing about new recordings"
    if tested == splits["validation"]["hash"]:
        return ", THE SAME data as used to select the epoch: the results are optimistic"
    return ", which was not used for training or model selection"


def _runs(results: Mapping[str, Any]) -> str:
    counted = len(results["runs"]) - len(results["excluded"])
    if results["deterministic"]:
        return "The fit is deterministic, so a single run is sufficient."
    if counted == 1:
        return "Only one run is counted, which says nothing about other seeds."
    if counted == 0:
        return "Every run diverged."
    return f"Results are means over {counted} runs that differ only in their seeds."


def _reproducibility(results: Mapping[str, Any]) -> str:
    if results["deterministic"]:
        return "the fit is deterministic"
    if results["bits"] == "run":
        return "--deterministic: bits depend neither on the devices nor on the other runs"
    return "bits depend on the layout of devices and runs; other layouts agree to rounding"


def _task_summary(results: Mapping[str, Any], name: str, task: Mapping[str, Any]) -> str:
    if not task["summary"]:
        return f"{name.capitalize()}: every run diverged, so there is no result."
    metric = headline(task)[0]
    metric_summary = task["summary"][metric]
    text = f"{name.capitalize()}: {metric_name(metric)} {number(metric_summary['mean'], metric)};"
    text += f" the best constant prediction scores {number(task['constant'][metric], metric)}."
    if "attainable" in task and task["share_of_the_way"] is not None:
        text += f" The best attainable value is {number(task['attainable'], task['known'])};"
        text += f" the model reaches {task['share_of_the_way']:.0%} of the way from chance to it."
    over_runs, over_items = (
        interval(metric_summary[f"interval_{over}"], metric) for over in ("runs", "items")
    )
    text += f" {results['level']:.0%} confidence intervals:"
    if metric_summary["interval_runs"]:
        text += f" {over_runs} over training seeds,"
    return text + f" {over_items} over test recordings."


def _seeds(runs: list[dict[str, Any]]) -> str:
    seeds = [run["seed"] for run in runs]
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]}-{seeds[-1]}"
    return ", ".join(map(str, seeds))


def _validation(results: Mapping[str, Any]) -> str:
    validation = results["splits"]["validation"]
    carved = f", carved from {validation['carved_from']}" if validation["carved_from"] else ""
    return f"{validation['items']} recordings of {validation['name']}{carved}"


def _progress(share: float | None) -> str:
    return "" if share is None else f"; the model reaches {share:.0%} of the way between them"
