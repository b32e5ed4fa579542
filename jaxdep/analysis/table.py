"""Prints results as terminal tables that fit into 80 columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxdep.analysis import formatting, narrative
from jaxdep.plain import visible


def show(results: Mapping[str, Any], console: Console, title: str = "") -> None:
    """Prints a table for each task, followed by notes that explain the numbers.

    Args:
      results: content of `results.json`.
      console: output console.
      title: title of the tables, instead of that of the results.
    """
    title = title or formatting.title(results)
    for name, task in results["tasks"].items():
        table = Table(
            title=plain(f"{title}: {name}"),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            show_edge=False,
        )
        table.add_column("metric", no_wrap=True)
        table.add_column("mean", justify="right", no_wrap=True)
        table.add_column("std", justify="right", no_wrap=True)
        table.add_column("95% CI\n(runs)", no_wrap=True)
        table.add_column("95% CI\n(items)", no_wrap=True)
        table.add_column("best\nconst.", justify="right", no_wrap=True)
        if formatting.published(task):
            head = formatting.paper_column(results).replace(" ", "\n")
            table.add_column(head, justify="right", no_wrap=True)
        for cells in formatting.rows(task):
            cells = [cells[0], *map(short, cells[1:])]
            table.add_row(*(cells if formatting.published(task) else cells[:-1]))
        console.print(table)
    for note in narrative.notes(results):
        console.print(plain(f"  {note}"), soft_wrap=True)


def plain(text: object) -> Text:
    """Text that is printed as it is, by any console: without markup, emoji codes and escapes."""
    return Text(visible(str(text)))


def short(cell: str) -> str:
    """Drops the leading zero of fractions: `[.911, .948]`."""
    return re.sub(r"(?<!\d)0\.", ".", cell)
