"""The figures that the papers publish."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib import resources


def figures(row: Mapping[str, str] | None, task: str) -> dict[str, float]:
    """The published metrics of a row of a paper's table, for one task.

    Args:
      row: system, source (the table) and row; None: there is none.
      task: as the corpus names it.

    Returns:
      By the names of `jaxdep.analysis.metrics`; percent become fractions.
    """
    if row is None:
        return {}
    found = {}
    text = resources.files("jaxdep.analysis").joinpath("paper_results.csv").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for entry in csv.DictReader(lines):
        same = all(entry[key] == row[key] for key in ("system", "source", "row"))
        if same and entry["task"] == task and entry["value"]:
            points = entry["metric"] in _POINTS
            found[entry["metric"]] = float(entry["value"]) / (1 if points else 100)
    return found


_POINTS = ("mae", "rmse")
