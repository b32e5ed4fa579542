"""Shows the results of subgroups: tables of the report and of the terminal, and `subgroups.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.analysis import formatting, subgroups
from jaxdep.analysis.table import plain, short
from jaxdep.artifacts.files import write_text

METHODS = (
    "groups: metrics are averaged over runs. 95% intervals are over test items, as above: subjects"
    " are drawn with all their recordings, and the trained networks are given. For the gap, the"
    " subjects of each group are drawn from that group.",
    "gap: difference of two groups; of more, the largest value minus the smallest. The latter has"
    " no interval, because resampling enlarges it.",
    f"p: two-sided permutation test ({subgroups.PERMUTATIONS} permutations) that exchanges the"
    " attribute between subjects, who keep all their recordings; for balanced accuracy, ROC AUC and"
    " the true and false positive rates, between subjects of the same class. If a subject has"
    " recordings of several values, they are exchanged between the recordings of each subject."
    " p, Holm: corrected for all gaps of a task.",
    "Accuracy, precision, F1 and the positive rate also depend on how frequent a class is in a"
    " group; the true and false positive rates do not. A p-value above 5% does not show that there"
    f" is no difference. A group of fewer than {subgroups.FEWEST_SUBJECTS} subjects is too small"
    " for a conclusion.",
)

_FEW = "too few for a conclusion"


class AttributeTable(NamedTuple):
    """Table of one attribute in one task, as texts.

    Attributes:
      title: task and attribute.
      heads: heads of the columns.
      rows: cells; of a group or gap, value and interval, separated by a line end.
      notes: how the groups were made, and what restricts a comparison.
    """

    title: str
    heads: list[str]
    rows: list[list[str]]
    notes: list[str]


def tables(results: Mapping[str, Any]) -> list[AttributeTable]:
    """Tables of all attributes that were compared, by task, given `results.json`."""
    found = []
    for name, task in _tasks(results):
        for attribute in task["subgroups"]["attributes"]:
            groups = attribute["groups"]
            rows = [
                [
                    formatting.metric_name(metric),
                    *(_estimate(group["metrics"][metric], metric) for group in groups),
                    _estimate(gap, metric, formatting.difference),
                    *_p_values(gap),
                ]
                for metric, gap in attribute["gaps"].items()
            ]
            known = results["subjects"] == "known"
            parts = [_parts(group, task["classes"], known) for group in groups]
            names = [group["name"] for group in groups]
            stacked = ["\n".join([name, *each]) for name, each in zip(names, parts, strict=True)]
            heads = ["metric", *stacked, f"gap\n{_gap_name(attribute)}", "p", "p, Holm"]
            title = f"{name}: {attribute['name']}"
            found.append(AttributeTable(title, heads, rows, _notes(attribute)))
    return found


def left_out(results: Mapping[str, Any]) -> list[str]:
    """Why attributes were not compared, each reason once."""
    notes = (note for _, task in _tasks(results) for note in task["subgroups"]["notes"])
    return list(dict.fromkeys(notes))


def write(path: Path, results: Mapping[str, Any]) -> None:
    """Writes all groups and gaps as CSV; removes the file if there are none.

    Args:
      path: output file.
      results: content of `results.json`.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    about = ("task", "attribute", "row", "group", "recordings", "subjects", "metric")
    writer.writerow([*about, "value", "low", "high", "p", "p_holm", "remark"])
    empty = True
    for name, task in _tasks(results):
        for attribute in task["subgroups"]["attributes"]:
            for metric, gap in attribute["gaps"].items():
                where = (name, attribute["name"])
                for group in attribute["groups"]:
                    counts = (group["name"], group["items"], group["subjects"])
                    remark = _FEW if group["few"] else ""
                    cells = _numbers(group["metrics"][metric])
                    writer.writerow([*where, "group", *counts, metric, *cells, "", "", remark])
                remark = _FEW if attribute["few"] else ""
                gap_of = (_gap_name(attribute), "", "")
                tests = map(_cell, (gap["p"], gap["p_holm"]))
                writer.writerow([*where, "gap", *gap_of, metric, *_numbers(gap), *tests, remark])
                empty = False
    if empty:
        path.unlink(missing_ok=True)
    else:
        write_text(path, text.getvalue())


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints the gaps of all attributes, and the values between which they lie.

    Args:
      results: content of `results.json`.
      console: output console.
    """
    for name, task in _tasks(results):
        for attribute in task["subgroups"]["attributes"]:
            mark = "SYNTHETIC: " if results["synthetic"] else ""
            table = Table(
                title=plain(f"{mark}{name}, subgroups by {attribute['name']}"),
                title_justify="left",
                box=box.SIMPLE_HEAD,
                padding=(0, 1, 0, 0),
                show_edge=False,
            )
            two = len(attribute["groups"]) == 2
            ends = [group["name"] for group in attribute["groups"]] if two else _ENDS
            for head in ("metric", *ends, "gap", "95% CI\n(items)", "p", "p,\nHolm"):
                table.add_column(plain(head), justify="left" if head == "metric" else "right")
            for metric, gap in attribute["gaps"].items():
                cells = [formatting.metric_name(metric), *_ends(attribute, metric)]
                cells += _estimate(gap, metric, formatting.difference).split("\n")
                cells += _p_values(gap)
                table.add_row(*(plain(short(cell)) for cell in cells))
            console.print(table)
            known = results["subjects"] == "known"
            for group in attribute["groups"]:
                parts = ", ".join(_parts(group, task["classes"], known))
                console.print(plain(f"  {group['name']}: {parts}"), soft_wrap=True)
            for note in _notes(attribute):
                console.print(plain(f"  {note}"), soft_wrap=True)
    for note in left_out(results):
        console.print(plain(f"  {note}"), soft_wrap=True)


_ENDS = ("smallest", "largest")


def _tasks(results: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Tasks whose recordings have attributes."""
    return ((name, task) for name, task in results["tasks"].items() if task["subgroups"])


def _ends(attribute: Mapping[str, Any], metric: str) -> list[str]:
    """Values of two groups; of more, the smallest and the largest, with the names of the groups."""
    values = [(group["metrics"][metric]["mean"], group["name"]) for group in attribute["groups"]]
    if len(values) == 2:
        return [formatting.number(value, metric) for value, _ in values]
    known = [(value, name) for value, name in values if value is not None]
    if len(known) < len(values):
        return ["-", "-"]
    ends = (min(known, key=lambda pair: pair[0]), max(known, key=lambda pair: pair[0]))
    return [f"{formatting.number(value, metric)} {name}" for value, name in ends]


def _parts(group: Mapping[str, Any], classes: list[str], known: bool) -> list[str]:
    """What a group consists of, and whether it is too small."""
    parts = [f"{group['items']} recordings"]
    parts += [f"{group['subjects']} subjects"] if known else []
    parts += [f"{group['counts'][1]} {classes[1]}"] if len(classes) == 2 else []
    return parts + ([_FEW] if group["few"] else [])


def _gap_name(attribute: Mapping[str, Any]) -> str:
    first, second, *more = (group["name"] for group in attribute["groups"])
    return "largest minus smallest" if more else f"{first} minus {second}"


def _notes(attribute: Mapping[str, Any]) -> list[str]:
    """Notes below the table of an attribute."""
    notes = [attribute["note"]] if attribute["note"] else []
    if attribute["unknown"]:
        notes.append(f"{attribute['name']}: {attribute['unknown']} unknown, left out")
    if attribute["within"]:
        notes.append(
            f"{attribute['name']}: subjects have recordings of several values, so values are"
            " exchanged between the recordings of a subject"
        )
    return notes


def _estimate(
    estimate: Mapping[str, Any],
    metric: str,
    formatted: Callable[[float, str], str] = formatting.number,
) -> str:
    """A value and its interval, in two lines."""
    mean = estimate["mean"]
    value = "-" if mean is None else formatted(mean, metric)
    return f"{value}\n{formatting.interval(estimate['interval_items'], metric)}"


def _p_values(gap: Mapping[str, Any]) -> list[str]:
    """Cells of the p-values of a gap."""
    return ["-" if p is None else f"{p:.3f}" for p in (gap["p"], gap["p_holm"])]


def _numbers(estimate: Mapping[str, Any]) -> list[str]:
    return list(map(_cell, (estimate["mean"], *(estimate["interval_items"] or (None, None)))))


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
