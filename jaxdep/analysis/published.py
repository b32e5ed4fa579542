"""Looks up the results published in the papers."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib import resources


def figures(row: Mapping[str, str] | None, corpus: str, task: str) -> dict[str, float]:
    """Published metrics of a row of a paper's table, for one corpus and task.

    Args:
      row: system, source (table) and row; None for none.
      corpus: corpus of our run; results on other corpora are not comparable and are left out.
      task: name of the task in the corpus.

    Returns:
      Values by metric name of `jaxdep.analysis.metrics`. Percentages become fractions; points stay
      points. If a paper does not state the averaging of F1, precision and recall, they are assumed
      to be those of the depressed class.
    """
    if row is None:
        return {}
    wanted = {key: row[key] for key in ("system", "source", "row")}
    wanted |= {"corpus": corpus, "task": task}
    text = resources.files("jaxdep.analysis").joinpath("paper_results.csv").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {
        _OF_THE_DEPRESSED.get(entry["metric"], entry["metric"]): float(entry["value"])
        / _DIVISOR[entry["unit"]]
        for entry in csv.DictReader(lines)
        if wanted.items() <= entry.items()
    }


_OF_THE_DEPRESSED = {kind: f"{kind}_positive" for kind in ("f1", "precision", "recall")}

_DIVISOR = {"%": 100, "": 1}
"""Divisor for each unit of the table."""
