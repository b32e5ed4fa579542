"""Ranks the configurations of a sweep by validation score, with intervals."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.analysis import formatting, intervals
from jaxdep.analysis.table import plain
from jaxdep.artifacts import schema
from jaxdep.errors import UserError
from jaxdep.settings.paths import short_names

OPTIMISTIC = (
    "Ranked on validation data alone. The best of many configurations is best partly by chance, so"
    " its validation score is optimistic; only its test results are unbiased."
)


@dataclass(frozen=True)
class Row:
    """Result of one configuration.

    Attributes:
      number: index of the configuration, from 0.
      values: settings by dotted path.
      scores: monitored metric of each run that did not diverge.
      higher_is_better: whether a higher score is better.
      diverged: number of runs that diverged.
      epochs: number of epochs of the longest run.
      dropped: epoch after which successive halving stopped the configuration; 0 if it did not.
    """

    number: int
    values: Mapping[str, Any]
    scores: tuple[float, ...]
    higher_is_better: bool
    diverged: int
    epochs: int
    dropped: int

    @property
    def mean(self) -> float:
        """Mean score; NaN if any run diverged, because an incomplete mean would be misleading."""
        return float(np.mean(self.scores)) if self.scores and not self.diverged else float("nan")

    @property
    def std(self) -> float | None:
        """Standard deviation of the scores, with ddof 1; None for a single run."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else None

    @property
    def interval(self) -> intervals.Interval:
        """95% interval over runs."""
        return intervals.over_runs(np.asarray(self.scores))


@dataclass(frozen=True)
class Outcome:
    """Outcome of a sweep.

    Attributes:
      title: title of the experiment with the settings that all configurations share.
      monitor: validation metric used for ranking.
      rows: all configurations, best first.
      programs: number of compiled training programs.
      compile_seconds: time spent compiling them.
    """

    title: str
    monitor: str
    rows: list[Row]
    programs: int
    compile_seconds: float


def read(folder: Path, name: str = "sweep.json") -> Outcome:
    """Reads `sweep.json`, or the outcome of a task of a sweep.

    Raises:
      UserError: the folder is not the directory of a finished sweep.
    """
    path = folder / name
    try:
        content = schema.read(path)
        rows = [Row(**{**row, "scores": tuple(row["scores"])}) for row in content["ranking"]]
        if any(row.values.keys() != rows[0].values.keys() for row in rows):
            raise ValueError("the configurations have different settings")
    except (OSError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder} is not the directory of a finished sweep: {name} cannot be read"
            f" ({error}); pass a folder created by `jaxdep sweep`"
        ) from None
    compiled = content["compile"]
    return Outcome(
        content["title"], content["monitor"], rows, compiled["programs"], compiled["seconds"]
    )


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Content of `sweep.json`, the inverse of `read`."""
    return {
        "title": outcome.title,
        "monitor": outcome.monitor,
        "compile": {"programs": outcome.programs, "seconds": round(outcome.compile_seconds, 1)},
        "ranking": [asdict(row) for row in outcome.rows],
    }


def rank(rows: Sequence[Row]) -> list[Row]:
    """Sorts rows: completed configurations first, then by epoch of stopping, then by score."""

    def place(row: Row) -> tuple[float, bool, float, int]:
        mean = -row.mean if row.higher_is_better else row.mean
        return -(row.dropped or np.inf), bool(np.isnan(mean)), mean, row.number

    return sorted(rows, key=place)


def to_csv(rows: Sequence[Row], monitor: str) -> str:
    """Content of `ranking.csv`."""
    text = io.StringIO()
    fields = list(rows[0].values)
    out = csv.writer(text, lineterminator="\n")
    tail = ["seeds", "diverged", "epochs", "dropped_after", "std", "low", "high"]
    out.writerow(["rank", "configuration", *fields, f"validation {monitor}", *tail])
    for place, row in enumerate(rows, 1):
        values = [row.values[name] for name in fields]
        counts = [len(row.scores) + row.diverged, row.diverged, row.epochs, row.dropped or ""]
        low, high = row.interval or ("", "")
        mean = row.mean if np.isfinite(row.mean) else ""
        std = "" if row.std is None else row.std
        out.writerow([place, row.number, *values, mean, *counts, std, low, high])
    return text.getvalue()


def show(
    rows: Sequence[Row], title: str, monitor: str, console: Console, max_rows: int = 20
) -> None:
    """Prints the best configurations.

    Args:
      rows: ranked configurations.
      title: title of the table.
      monitor: monitored metric.
      console: output console.
      max_rows: maximum number of rows to print.
    """
    fields = list(rows[0].values)
    table = Table(title=plain(title), title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    heads = short_names(fields, fields)
    for head in [
        "",
        *(heads[name] for name in fields),
        f"validation\n{monitor}",
        "std",
        "95% CI\n(runs)",
        "epochs",
    ]:
        table.add_column(plain(head), justify="right", no_wrap=True)
    for place, row in enumerate(rows[:max_rows], 1):
        low_high = row.interval
        table.add_row(
            str(place),
            *(plain(row.values[name]) for name in fields),
            f"{row.mean:.3f}" if np.isfinite(row.mean) else f"{row.diverged} diverged",
            "-" if row.std is None else f"{row.std:.3f}",
            "-" if low_high is None else formatting.interval(low_high),
            f"{row.epochs}, dropped" if row.dropped else str(row.epochs),
        )
    console.print(table)
    if len(rows) > max_rows:
        console.print(f"  {len(rows) - max_rows} more in ranking.csv", highlight=False)
    console.print(f"  {OPTIMISTIC}", highlight=False, soft_wrap=True)
