"""Looks up the results published in the papers, and what contradicts them there."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from typing import Any

from jaxdep.plain import one_line


@dataclass(frozen=True)
class Entry:
    """A figure printed in a paper.

    Attributes:
      system: system of the paper that prints the figure, also for methods of others.
      source: table or figure of the paper, or its abstract.
      corpus: corpus of the test data.
      task: name of the task in the corpus.
      row: method or variant.
      metric: name as in `jaxdep.analysis.metrics`. F1, precision and recall whose averaging the
        paper does not state are assumed to be those of the depressed class.
      value: a fraction, also where the paper prints percent; points for errors of scores; a number
        of items for `severity_outliers`.
      std: what the paper prints after a plus-minus sign, in the unit of the value; None if nothing.
      note: what else in the paper contradicts the figure, separated by semicolons; empty if nothing
        does.
    """

    system: str
    source: str
    corpus: str
    task: str
    row: str
    metric: str
    value: float
    std: float | None
    note: str


@functools.cache
def entries() -> tuple[Entry, ...]:
    """All figures of `paper_results.csv`, in its order."""
    text = resources.files("jaxdep.analysis").joinpath("paper_results.csv").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return tuple(map(_entry, csv.DictReader(lines)))


def figures(row: Mapping[str, Any] | None, corpus: str, task: str) -> dict[str, float]:
    """Published metrics of a row of a paper's table, for one corpus and task.

    Args:
      row: system, source (table) and row; None for none.
      corpus: corpus of our run; results on other corpora are not comparable and are left out.
      task: name of the task in the corpus.

    Returns:
      Values by metric, both as in `Entry`.
    """
    return {entry.metric: entry.value for entry in _find(row, corpus, task)}


def notes(row: Mapping[str, Any] | None, corpus: str, task: str) -> list[str]:
    """What contradicts a row of a paper's table elsewhere in the paper, or within the row.

    Args:
      row: system, source (table) and row; None for none.
      corpus: corpus of our run.
      task: name of the task in the corpus.

    Returns:
      Distinct notes on the figures of the row, in the order of the table.
    """
    found = [note for entry in _find(row, corpus, task) for note in entry.note.split("; ")]
    return [note for note in dict.fromkeys(found) if note]


def _entry(line: Mapping[str, str]) -> Entry:
    divisor = _DIVISOR[line["unit"]]
    return Entry(
        **{key: line[key] for key in ("system", "source", "corpus", "task", "row", "note")},
        metric=_OF_THE_DEPRESSED.get(line["metric"], line["metric"]),
        value=float(line["value"]) / divisor,
        std=float(line["std"]) / divisor if line["std"] else None,
    )


def _find(row: Mapping[str, Any] | None, corpus: str, task: str) -> list[Entry]:
    if row is None:
        return []
    wanted = (row["system"], row["source"], corpus, task, row["row"])
    return [
        entry
        for entry in entries()
        if (entry.system, entry.source, entry.corpus, entry.task, entry.row) == wanted
    ]


def withheld(
    row: Mapping[str, Any] | None, changed: Mapping[str, Sequence[Any]] | None
) -> list[str]:
    """Reasons not to show a row next to our results; none if only open settings were changed.

    Args:
      row: system, source and row, and the settings that the paper leaves open, as described at
        `jaxdep.experiment.PaperRow`.
      changed: values before and after of the changed settings; None if they were not recorded.
    """
    if changed is None:
        return ["the run does not record which settings were changed"]
    entries = [*_NEVER_IN_A_PAPER, *((row or {}).get("open") or ())]
    return [
        f"{path} was changed from {one_line(str(before), 60)} to {one_line(str(after), 60)}"
        for path, (before, after) in changed.items()
        if not any(_leaves_open(entry, path, after) for entry in entries)
    ]


def _leaves_open(entry: str, path: str, value: Any) -> bool:
    pattern, equals, only = entry.partition("=")
    parts = [*zip(path.split("."), pattern.split("."), strict=False)]
    matches = path.count(".") == pattern.count(".") and all(fnmatchcase(*pair) for pair in parts)
    text = str(tuple(value)) if isinstance(value, list) else str(value)
    return matches and not path.startswith("paper.") and (not equals or text == only)


_NEVER_IN_A_PAPER = ("corpus.synthetic.*", "training.shard_batch")
"""Settings that no paper has: those of stand-ins, and of the distribution over devices."""

_OF_THE_DEPRESSED = {kind: f"{kind}_positive" for kind in ("f1", "precision", "recall")}

_DIVISOR = {"%": 100, "": 1}
"""Divisor for each unit of the table."""
