"""What a table's numbers mean: the notes below it, and the first paragraph of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxdep.analysis.words import headline, interval, metric_name, number, published


def notes(results: Mapping[str, Any]) -> list[str]:
    """What every number of the table needs to be understood."""
    split, runs = results["split"], results["runs"]
    counted = len(runs) - len(results["excluded"])
    said = [
        f"{counted} of {len(runs)} runs counted (seeds {_seeds(runs)}); std with ddof 1",
        f"evaluated on {split['name']}: {split['items']} recordings, hash {split['hash'][:12]}"
        + ("; scores of one session's recordings averaged" if results["merged"] else ""),
        f"selection: {results['selection']} ({_validation(results)})",
        f"labels: {results['label_source']}",
    ]
    if "THE SAME" in (part := _part_taken(results)):
        said.insert(1, f"{split['name']} is{part.removeprefix(',')}")
    if results["excluded"]:
        named = [f"run {r['run']} (seed {r['seed']})" for r in runs if r["status"] == "diverged"]
        said.append(f"DIVERGED and not counted: {', '.join(named)}")
    for name, task in results["tasks"].items():
        if "counts" in task:
            counts = ", ".join(f"{task['counts'][label]} {label}" for label in task["classes"])
            said.append(f"{name}: {counts}; constant: the best answer that is the same for all")
        if published(task):
            said.append(f"{name}: {paper_note(results, task)}")
        if "attainable" in task:
            metric = task["known"]
            said.append(
                f"{name}: chance {number(task['chance'], metric)}, best attainable"
                f" {metric_name(metric)} {number(task['attainable'], metric)}"
                + _way(task["share_of_the_way"])
            )
    return said + [f"warning: {warning}" for warning in results["warnings"]]


def paper_note(results: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """Where the published figures come from, and whether they lie within our intervals."""
    row = task["paper"]
    said = f"paper: {row['system']}, {row['source']}, row {row['row']}"
    if results["synthetic"]:
        return f"{said}, on the real corpus; ours is SYNTHETIC, and the two cannot be compared"
    if results["split"]["name"] != "test":
        said += f" (on its test split, ours on {results['split']['name']})"
    apart = []
    for metric in published(task):
        of, figure = task["summary"][metric], task["paper_figures"][metric]
        both = [pair for pair in (of["interval_runs"], of["interval_items"]) if pair]
        if both and not any(low <= figure <= high for low, high in both):
            side = "above" if figure > of["mean"] else "below"
            apart.append(f"{metric_name(metric)} ({side} ours)")
    if apart:
        return f"{said}; OUTSIDE our intervals: {', '.join(apart)}"
    return f"{said}; within at least one of our intervals"


def summary(results: Mapping[str, Any]) -> list[str]:
    """The result in plain words: what was done, then a paragraph for each task."""
    train, test = results["splits"]["train"], results["split"]
    corpus = ("SYNTHETIC " if results["synthetic"] else "") + results["corpus"]
    said = f"Fitted to {train['items']} recordings of {corpus}; tested on {test['items']} of its"
    said += f" {test['name']} split{_part_taken(results)}. {_runs(results)}"
    return [said, *(_of_task(results, name, task) for name, task in results["tasks"].items())]


def _part_taken(results: Mapping[str, Any]) -> str:
    splits, tested = results["splits"], results["split"]["hash"]
    if tested == splits["train"]["hash"]:
        return ", THE SAME that the weights were fitted to: this says nothing about new recordings"
    if tested == splits["validation"]["hash"]:
        return ", THE SAME that chose the epoch: the numbers flatter"
    return ", which took no part in fitting or choosing"


def _runs(results: Mapping[str, Any]) -> str:
    counted = len(results["runs"]) - len(results["excluded"])
    if results["deterministic"]:
        return "The fit draws nothing at random: one run says all."
    if counted == 1:
        return "One run counts; it says nothing about other seeds."
    if counted == 0:
        return "Every run diverged."
    return f"Numbers are means over {counted} runs that differ in nothing but the seed."


def _of_task(results: Mapping[str, Any], name: str, task: Mapping[str, Any]) -> str:
    if not task["summary"]:
        return f"{name.capitalize()}: every run diverged, there is no result."
    metric = headline(task)[0]
    of = task["summary"][metric]
    said = f"{name.capitalize()}: {metric_name(metric)} {number(of['mean'], metric)}; the best"
    said += f" constant answer has {number(task['constant'][metric], metric)}."
    if "attainable" in task and task["share_of_the_way"] is not None:
        said += f" The best attainable is {number(task['attainable'], task['known'])};"
        said += f" {task['share_of_the_way']:.0%} of the way from chance to it is reached."
    over_runs, over_items = (interval(of[f"interval_{over}"], metric) for over in ("runs", "items"))
    said += f" At {results['level']:.0%}:"
    if of["interval_runs"]:
        said += f" trained again with other seeds, the mean would lie in {over_runs};"
    return said + f" with other recordings tested, in {over_items}."


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
