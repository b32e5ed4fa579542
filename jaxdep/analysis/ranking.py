"""Configurations of a sweep in the order of their validation scores, with intervals."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.analysis import intervals, words

OPTIMISTIC = (
    "Ranked on validation alone. The best of many is best partly by luck: its validation score is"
    " optimistic, and only the test table of the chosen configuration says what it is worth."
)


@dataclass(frozen=True)
class Row:
    """One configuration.

    Attributes:
      number: of the configuration, from 0.
      values: its settings by dotted field.
      scores: what was monitored, of its runs that did not diverge.
      diverged: how many did.
      epochs: the longest that one of its runs trained.
      dropped: the epoch after which successive halving gave it up; 0: never.
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
        """Of the scores; NaN where a run diverged: half a configuration ranks nowhere."""
        return float(np.mean(self.scores)) if self.scores and not self.diverged else float("nan")

    @property
    def std(self) -> float | None:
        """With ddof 1."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else None

    @property
    def interval(self) -> intervals.Interval:
        """95%, over runs."""
        return intervals.over_runs(np.asarray(self.scores))


def rank(rows: Sequence[Row]) -> list[Row]:
    """Best first: those that were trained to the end, then by how far they came, then by score."""

    def place(row: Row) -> tuple[float, bool, float, int]:
        mean = -row.mean if row.higher_is_better else row.mean
        return -(row.dropped or np.inf), bool(np.isnan(mean)), mean, row.number

    return sorted(rows, key=place)


def to_csv(rows: Sequence[Row], monitor: str) -> str:
    """The text of `ranking.csv`."""
    text = io.StringIO()
    fields = list(rows[0].values)
    out = csv.writer(text, lineterminator="\n")
    tail = ["seeds", "diverged", "epochs", "dropped_after", "std", "low", "high"]
    out.writerow(["rank", "configuration", *fields, f"validation {monitor}", *tail])
    for place, row in enumerate(rows, 1):
        values = [row.values[name] for name in fields]
        about = [len(row.scores) + row.diverged, row.diverged, row.epochs, row.dropped or ""]
        low, high = row.interval or ("", "")
        mean = row.mean if np.isfinite(row.mean) else ""
        std = "" if row.std is None else row.std
        out.writerow([place, row.number, *values, mean, *about, std, low, high])
    return text.getvalue()


def show(rows: Sequence[Row], title: str, monitor: str, console: Console, most: int = 20) -> None:
    """Prints the best configurations."""
    fields = list(rows[0].values)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    # The last part of a field says enough where no two end alike.
    short = {name: name.rpartition(".")[2] for name in fields}
    heads = short.values() if len(set(short.values())) == len(fields) else fields
    for head in ["", *heads, f"validation\n{monitor}", "std", "95% over\nruns", "epochs"]:
        table.add_column(head, justify="right", no_wrap=True)
    for place, row in enumerate(rows[:most], 1):
        low_high = row.interval
        table.add_row(
            str(place),
            *(str(row.values[name]) for name in fields),
            f"{row.mean:.3f}" if np.isfinite(row.mean) else f"{row.diverged} diverged",
            "-" if row.std is None else f"{row.std:.3f}",
            "-" if low_high is None else words.interval(low_high),
            f"{row.epochs}, dropped" if row.dropped else str(row.epochs),
        )
    console.print(table)
    if len(rows) > most:
        console.print(f"  {len(rows) - most} more in ranking.csv", highlight=False)
    console.print(f"  {OPTIMISTIC}", highlight=False, soft_wrap=True)
