"""Results as tables in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from jaxdep.analysis import words


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints a table for each task, and below it what its numbers mean."""
    for name, task in results["tasks"].items():
        table = Table(title=f"{words.title(results)}: {name}", title_justify="left")
        table.add_column("metric", no_wrap=True)
        table.add_column("mean", justify="right", no_wrap=True)
        table.add_column("std", justify="right", no_wrap=True)
        table.add_column("95% over runs", no_wrap=True)
        table.add_column("95% over items", no_wrap=True)
        if task["paper_figures"]:
            head = words.paper_column(results).replace(" (", "\n(").replace("; ", ";\n")
            table.add_column(head, justify="right", no_wrap=True)
        for cells in words.rows(task):
            table.add_row(*(cells if task["paper_figures"] else cells[:-1]))
        console.print(table)
    for note in words.notes(results):
        console.print(f"  {note}", highlight=False, markup=False, soft_wrap=True)
