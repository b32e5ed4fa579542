"""The figures that the papers publish."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib import resources


def figures(row: Mapping[str, str] | None, corpus: str, task: str) -> dict[str, float]:
    """The published metrics of a row of a paper's table, on one corpus and task.

    Args:
      row: system, source (the table) and row; None: there is none.
      corpus: the one that was trained on; a figure of another corpus is no comparison.
      task: as the corpus names it.

    Returns:
      By the names of `jaxdep.analysis.metrics`; percent become fractions, points stay. Where a
      paper names no averaging, its F1, precision and recall are taken for those of the depressed.
    """
    if row is None:
        return {}
    wanted = {key: row[key] for key in ("system", "source", "row")}
    wanted |= {"corpus": corpus, "task": task}
    scale = 100 if row["system"] in _PERCENT else 1
    text = resources.files("jaxdep.analysis").joinpath("paper_results.csv").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {
        _OF_THE_DEPRESSED.get(entry["metric"], entry["metric"]): float(entry["value"]) / scale
        for entry in csv.DictReader(lines)
        if wanted.items() <= entry.items()
    }


_OF_THE_DEPRESSED = {kind: f"{kind}_positive" for kind in ("f1", "precision", "recall")}

_PERCENT = ("JAMFN", "AMM")
"""Systems whose papers print percent; MDDR's prints points, the others fractions."""
