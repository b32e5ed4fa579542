"""Explains results in words: notes below a table, and the first paragraphs of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxdep.analysis import published as papers
from jaxdep.analysis.formatting import (
    headline,
    interval,
    main_metrics,
    metric_name,
    number,
    published,
    seeds,
)
from jaxdep.plain import listed


def notes(results: Mapping[str, Any]) -> list[str]:
    """Notes that are needed to interpret the numbers of a table."""
    split, runs = results["split"], results["runs"]
    counted = len(runs) - len(results["excluded"])
    which = seeds([run["seed"] for run in runs])
    lines = [
        f"{counted} of {len(runs)} runs counted (seeds {which}); std with ddof 1",
        f"evaluated on {split['name']}: {_recordings(results)}, hash {split['hash'][:12]}"
        + _merging(results),
        f"selection: {results['selection']} ({_validation(results)})",
        f"labels: {results['label_source']}",
        f"reproducibility: {_reproducibility(results)}",
    ]
    if results["subjects"] != "known":
        lines.insert(2, f"subjects: {_UNKNOWN[results['subjects']]}")
    if "THE SAME" in (usage := _test_usage(results)):
        lines.insert(1, f"{split['name']} is{usage.removeprefix(',')}")
    if results["chosen_among"] > 1:
        lines.insert(3, _choice(results))
    changed = results["changed"] or {}
    if len(changed) > len(results["withheld"]):
        pairs = [f"{path} from {before} to {after}" for path, (before, after) in changed.items()]
        lines.append(f"changed settings: {listed(pairs, 600)}")
    if results["withheld"]:
        lines.append(f"the paper's figures are not shown: {listed(results['withheld'], 300)}")
    if results["excluded"]:
        diverged = [f"run {r['run']} (seed {r['seed']})" for r in runs if r["status"] == "diverged"]
        lines.append(f"DIVERGED and not counted: {', '.join(diverged)}")
    for name, task in results["tasks"].items():
        if "counts" in task:
            counts = ", ".join(f"{task['counts'][label]} {label}" for label in task["classes"])
            lines.append(f"{name}: {counts}; best const.: best score of a constant prediction")
        if task["folds"] and task["summary"]:
            lines.append(f"{name}: {_folds(task)}")
        if "calibration" in task and task["classes"] and task["summary"]:
            lines.append(f"{name}: {_calibration(results, task)}")
        if published(task):
            lines.append(f"{name}: {paper_note(results, task)}")
            if contradictions := papers.notes(task["paper"], results["corpus"], name):
                lines.append(
                    f"{name}: the paper contradicts itself here: {'; '.join(contradictions)}"
                )
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


def _calibration(results: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """Calibration before and after temperature scaling, as means over runs."""
    found = task["calibration"]
    if not found:
        return f"calibration not computed: {task['uncalibrated']}"
    mean = lambda measure: number(found["summary"][measure]["mean"])
    text = f"Brier score {mean('brier')}, ECE {mean('ece')}"
    text += f"; temperature-scaled: {mean('brier_scaled')}, {mean('ece_scaled')}"
    text += f"; ECE of calibrated predictions {mean('ece_if_calibrated')}"
    text += f"; temperature {found['temperature']['mean']:.2f}"
    if pooled := found.get("pooled"):
        return text + _pooled(pooled)
    text += " (mean over runs), fitted on"
    if results["split"]["hash"] == results["splits"]["validation"]["hash"]:
        return f"{text} the SAME data, so the scaled values are optimistic"
    return f"{text} validation data"


def _pooled(pooled: Mapping[str, Any]) -> str:
    """What a cross-validation says of its temperatures, and of the ECE of all its runs together."""
    text = " (mean over runs and folds), each fitted on the validation data of its own fold; the"
    text += " test predictions of all folds are pooled"
    if (runs := pooled["runs"]) == 1:
        return f"{text}, each recording once"
    text += f"; all {runs} runs together, each recording once per repeat and seed: ECE"
    return f"{text} {number(pooled['ece'])}, temperature-scaled {number(pooled['ece_scaled'])}"


def summary(results: Mapping[str, Any]) -> list[str]:
    """The results in plain words: first what was done, then one paragraph per task."""
    train = results["splits"]["train"]
    corpus = ("SYNTHETIC " if results["synthetic"] else "") + results["corpus_title"]
    if about := results["cross_validation"]:
        setup = f"{about['folds']}-fold cross-validation on {corpus}, not its official split:"
        setup += f" {_recordings(results)}, each tested by models trained on other folds"
        setup += f" ({train['items']} recordings in the mean){_merging(results)}. {_runs(results)}"
    else:
        setup = f"Trained on {train['items']} recordings of {corpus}; tested on"
        setup += f" {_recordings(results)} of its {results['split']['name']} split"
        setup += f"{_test_usage(results)}{_merging(results)}. {_runs(results)}"
    if results["chosen_among"] > 1:
        setup += f" The settings were {_choice(results)}."
    return [setup, *(_task_summary(results, name, task) for name, task in results["tasks"].items())]


_UNKNOWN = {
    "unknown": "the corpus does not say who was recorded in some or all of the recordings; each of"
    " these counts as another person, and intervals over test items are too narrow if a person has"
    " several",
    "not written": "an earlier version wrote this run without its subjects; every recording counts"
    " as another person, and intervals over test items are too narrow if a person has several",
}


def _recordings(results: Mapping[str, Any]) -> str:
    """Number of recordings tested, and of their subjects if the corpus names them."""
    split = results["split"]
    known = f" of {split['subjects']} subjects" if results["subjects"] == "known" else ""
    return f"{split['items']} recordings{known}"


def _merging(results: Mapping[str, Any]) -> str:
    merge = results["merge"]
    return "" if merge == "none" else f"; predictions averaged over the recordings of each {merge}"


def _choice(results: Mapping[str, Any]) -> str:
    return f"chosen among {results['chosen_among']} configurations on validation"


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
    if (about := results["cross_validation"]) and about["repeats"] > 1 and counted > 1:
        return f"Results are means over {counted} runs, of {about['repeats']} cuts into folds."
    if counted == 1:
        return "Only one run is counted, which says nothing about other seeds."
    if counted == 0:
        return "Every run diverged."
    return f"Results are means over {counted} runs that differ only in their seeds."


def _folds(task: Mapping[str, Any]) -> str:
    """How much the results differ between folds, which is no standard error."""
    spreads = [
        f"{metric_name(metric)} {number(found['std'], metric)}"
        for metric in main_metrics(task)
        if (found := task["folds"][metric])
    ]
    return (
        f"std over folds: {', '.join(spreads) or 'undefined'} (descriptive: folds share training"
        " data, so their spread is no standard error)"
    )


def _reproducibility(results: Mapping[str, Any]) -> str:
    if results["deterministic"]:
        return "the fit is deterministic"
    if results["bits"] == "nothing":
        return "bits depend neither on the devices nor on the other runs"
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
    resampled = ", resampled by subject" if results["subjects"] == "known" else ""
    return text + f" {over_items} over test recordings{resampled}."


def _validation(results: Mapping[str, Any]) -> str:
    validation = results["splits"]["validation"]
    carved = f", carved from {validation['carved_from']}" if validation["carved_from"] else ""
    return f"{validation['items']} recordings of {validation['name']}{carved}"


def _progress(share: float | None) -> str:
    return "" if share is None else f"; the model reaches {share:.0%} of the way between them"
