"""Results as tables in the terminal, narrow enough for 80 columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.analysis import sentences, words


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints a table for each task, and below it what its numbers mean."""
    for name, task in results["tasks"].items():
        title = f"{words.title(results)}: {name}"
        table = Table(
            title=title,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            show_edge=False,
        )
        table.add_column("metric", no_wrap=True)
        table.add_column("mean", justify="right", no_wrap=True)
        table.add_column("std", justify="right", no_wrap=True)
        table.add_column("95% over\nruns", no_wrap=True)
        table.add_column("95% over\nitems", no_wrap=True)
        table.add_column("best\nconst.", justify="right", no_wrap=True)
        if words.published(task):
            head = words.paper_column(results).replace(" ", "\n")
            table.add_column(head, justify="right", no_wrap=True)
        for cells in words.rows(task):
            cells = [cells[0], *map(_short, cells[1:])]
            table.add_row(*(cells if words.published(task) else cells[:-1]))
        console.print(table)
    for note in sentences.notes(results):
        console.print(f"  {note}", highlight=False, markup=False, soft_wrap=True)


def _short(cell: str) -> str:
    """`[.911, .948]`: a fraction needs no zero before its point."""
    return re.sub(r"(?<!\d)0\.", ".", cell)
