"""Prints the tables of a reproduction in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.analysis.reproduction import Coverage, Line
from jaxdep.analysis.reproduction_notes import comparability, marked, mixed
from jaxdep.analysis.table import plain, short
from jaxdep.analysis.table_formats import rows


def show(title: str, lines: Sequence[Line], console: Console) -> None:
    """Prints the lines of a reproduction, one table for each table of the paper."""
    for name, group in groupby(lines, key=lambda line: line.table):
        chosen = list(group)
        some = mixed(chosen)
        mark = any(line.synthetic for line in chosen) and not some
        source = chosen[0].source or name
        table = Table(
            title=plain(marked(f"{title}, {source}", chosen)),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            show_edge=False,
        )
        table.add_column("row", max_width=24)
        table.add_column("metric", max_width=16)
        for head in ("mean", "std"):
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column("95% CI\n(runs)", no_wrap=True)
        table.add_column("paper;\nours SYN-\nTHETIC" if mark else "paper", justify="right")
        table.add_column("in", no_wrap=False)
        for row, corpus, metric, mean, std, interval, _, paper, inside in rows(chosen):
            where = "" if corpus == chosen[0].corpus and not some else f" ({corpus})"
            shown = [f"{row}{where}", metric, *map(short, (mean, std, interval, paper)), inside]
            table.add_row(*map(plain, shown))
        console.print(table)
        for note in comparability(chosen):
            console.print(plain(f"  {note}"), soft_wrap=True)
        for reason in dict.fromkeys(line.reason for line in chosen if line.reason):
            console.print(plain(f"  not run: {reason}"), soft_wrap=True)


def show_coverage(counted: Sequence[Coverage], console: Console) -> None:
    """Prints how many published rows are reproduced, by paper, and their sums."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for head in ("paper", "rows", "published", "experiment", "reason"):
        table.add_column(head, justify="left" if head in ("paper", "rows") else "right")
    for each in counted:
        kind = "own" if each.own else "other methods"
        numbers = (each.rows, each.experiments, each.reasons)
        table.add_row(plain(each.paper), kind, *map(str, numbers))
    console.print(table)
    for own, kind in ((True, "own rows"), (False, "rows of other methods")):
        chosen = [each for each in counted if each.own == own]
        covered = sum(each.experiments + each.reasons for each in chosen)
        console.print(f"  {covered} of {sum(each.rows for each in chosen)} {kind}", highlight=False)
