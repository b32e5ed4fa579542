"""Compares two passes: measurements whose ratio to PyTorch changed are unstable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.benchmarks import rows

CHANGE = 1.15
"""Largest factor between two ratios of a stable measurement."""


@dataclass(frozen=True)
class Pair:
    """Ratio of one measurement to one reference, in two passes.

    Attributes:
      row: name of the row.
      label: the measurement among those of its row.
      side: name of the reference.
      before: PyTorch's time by ours in the first pass.
      after: the same in the second pass.
    """

    row: str
    label: str
    side: str
    before: float
    after: float

    @property
    def unstable(self) -> bool:
        """Whether the ratio changed by more than `CHANGE`, in either direction."""
        return max(self.before / self.after, self.after / self.before) > CHANGE


@dataclass(frozen=True)
class Comparison:
    """Two passes.

    Attributes:
      pairs: ratios that both have.
      alone: measurements that only one of them has.
      machines: whether all results are of the same machine and versions.
    """

    pairs: list[Pair]
    alone: list[str]
    machines: bool


def compare(first: Iterable[Mapping[str, Any]], second: Iterable[Mapping[str, Any]]) -> Comparison:
    """Compares the results of two folders, as `tables.read` returns them."""
    first, second = list(first), list(second)
    before, after = dict(_ratios(first)), dict(_ratios(second))
    pairs = [Pair(*key, before[key], after[key]) for key in before if key in after]
    alone = [" ".join(filter(None, key)) for key in before.keys() ^ after.keys()]
    machines = [line["machine"] for line in (*first, *second)]
    return Comparison(pairs, sorted(alone), all(each == machines[0] for each in machines))


def show(found: Comparison, console: Console) -> None:
    """Prints all ratios, and marks the unstable ones."""
    table = Table(
        *("row", "measurement", "ratio to", "before", "after", "change", ""), box=box.SIMPLE_HEAD
    )
    for pair in found.pairs:
        change = f"{pair.after / pair.before - 1:+.0%}"
        numbers = (f"{pair.before:.3g}", f"{pair.after:.3g}", change)
        verdict = "unstable" if pair.unstable else ""
        table.add_row(pair.row, pair.label, pair.side, *numbers, verdict)
    console.print(table)
    unstable = sum(pair.unstable for pair in found.pairs)
    console.print(
        f"{unstable} of {len(found.pairs)} ratios changed by more than {CHANGE - 1:.0%}",
        highlight=False,
    )
    for name in found.alone:
        console.print(f"only in one of them: {name}", highlight=False)
    if not found.machines:
        console.print("the results are not all of the same machine and versions", highlight=False)


def _ratios(lines: Iterable[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str, str], float]]:
    for line in lines:
        for point in rows.points_of(line):
            for side, ratio in point.get("ratio", {}).items():
                yield (rows.name_of(line), rows.label_of(point), side), ratio
