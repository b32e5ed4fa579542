"""Defines the tables of a paper as data: which experiment reproduces each row, or why none does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jaxdep.errors import UserError


@dataclass(frozen=True)
class Row:
    """A row of a table, named as in `analysis/paper_results.csv`.

    Attributes:
      label: name of the row in the paper.
      corpus: corpus of the published figures.
      task: task of the published figures.
      experiment: name of the experiment that reproduces the row; empty if none does.
      overrides: settings of the experiment to override, by dotted path.
      reason: why no experiment reproduces the row; empty if one does.
      own: whether the row is the paper's system or a variant of it, rather than another method.
    """

    label: str
    corpus: str
    task: str = "depression"
    experiment: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    own: bool = True

    def __post_init__(self) -> None:
        """Checks that the row names either an experiment or a reason."""
        if bool(self.experiment) == bool(self.reason):
            raise ValueError(f"row {self.label!r} needs either an experiment or a reason")


def by_others(*rows: Row) -> tuple[Row, ...]:
    """The same rows, of methods that other papers proposed."""
    return tuple(replace(row, own=False) for row in rows)


@dataclass(frozen=True)
class Table:
    """A table or figure of a paper.

    Attributes:
      name: name on the command line, such as `table4`.
      source: name in the paper, such as `Table 4`.
      title: what the table compares.
      rows: rows in the paper's order.
      proposed: label of the row that the others are compared with.
      note: what a reader must know to compare the rows with the paper's.
    """

    name: str
    source: str
    title: str
    rows: tuple[Row, ...]
    proposed: str
    note: str = ""


@dataclass(frozen=True)
class Paper:
    """The tables of a paper.

    Attributes:
      name: name on the command line.
      system: name of the system in `analysis/paper_results.csv`.
      title: system, authors, venue and year.
      tables: its tables, in the paper's order.
    """

    name: str
    system: str
    title: str
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table:
        """Returns the table with a name.

        Raises:
          UserError: the paper has no such table.
        """
        for table in self.tables:
            if table.name == name:
                return table
        known = ", ".join(table.name for table in self.tables)
        raise UserError(f"{self.name} has no table {name!r}; choose from {known}")
