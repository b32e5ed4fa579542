"""Tables of predictions: CSV, JSON lines, and a short one for the terminal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from jaxdep.artifacts.files import check_writable, write_text
from jaxdep.inference.predictions import Predictions, rows
from jaxdep.plain import visible

SHOWN = 40
"""Maximum number of recordings in the terminal."""


def write(path: Path, predictions: Predictions) -> tuple[Path, Path]:
    """Writes predictions as CSV, and as JSON lines beside it.

    Args:
      path: file to write; its suffix becomes `.csv` and `.jsonl`.
      predictions: predictions of N recordings.

    Raises:
      UserError: the folder cannot be written.
    """
    check_writable(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    table, lines = path.with_suffix(".csv"), path.with_suffix(".jsonl")
    found = rows(predictions)
    flat = [_flat(each) for each in found]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(flat[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    write_text(table, text.getvalue())
    write_text(lines, "".join(f"{json.dumps(each, allow_nan=False)}\n" for each in found))
    return table, lines


def show(predictions: Predictions, console: Console, title: str = "") -> None:
    """Prints the predictions of the first recordings."""
    found = rows(predictions)[:SHOWN]
    tasks = list(predictions.tasks)
    table = Table("id", *tasks, "distance", title=visible(title), title_justify="left", box=None)
    for each in found:
        cells = [_cell(each["tasks"][task]) for task in tasks]
        table.add_row(visible(each["id"]), *cells, f"{each['distance_percentile']:.0f}%")
    console.print(table)
    if (more := len(predictions.ids) - len(found)) > 0:
        console.print(f"and {more} more")


def _cell(task: Mapping[str, Any]) -> str:
    """Prediction with its probability or interval, for the terminal."""
    if "prediction" in task:
        chosen = task["prediction"]
        text = f"{visible(chosen)} {task['probability'][chosen]:.3f}"
        low, high = task["low"][chosen], task["high"][chosen]
        digits = 3
    else:
        text, low, high, digits = f"{task['score']:.1f}", task["low"], task["high"], 1
    if low is not None:
        text += f" [{low:.{digits}f}, {high:.{digits}f}]"
    return f"{text} (abstains)" if task["abstains"] else text


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the CSV: columns are joined by dots, such as `depression.probability.normal`."""
    flat: dict[str, Any] = {"id": row["id"]}
    for task, values in row["tasks"].items():
        for kind, value in values.items():
            if isinstance(value, Mapping):
                flat |= {f"{task}.{kind}.{name}": each for name, each in value.items()}
            else:
                flat[f"{task}.{kind}"] = value
    return {**flat, "distance": row["distance"], "distance_percentile": row["distance_percentile"]}
