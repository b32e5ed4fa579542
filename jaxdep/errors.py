"""Errors caused by the user's input, and a collector for the faults of a corpus."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from jaxdep.plain import one_line


class UserError(Exception):
    """Invalid user input; the command line prints it without a traceback and exits with code 2.

    Messages may quote settings and files, so each line is shown as text.
    """

    def __str__(self) -> str:
        return "\n".join(one_line(line, 1000) for line in super().__str__().split("\n"))


class ModelError(UserError, ValueError):
    """A model's settings contradict one another or do not match its inputs."""


class BadFileError(Exception):
    """A file that cannot be used.

    Attributes:
      kind: category of the fault, as in `Fault`.
      detail: what was found.
      line: number of the line of a text file, from 1; None if the fault is not in a line.
    """

    def __init__(self, kind: str, detail: str = "", line: int | None = None):
        """Sets the attributes; long details, which may quote the file, are shortened."""
        self.kind, self.detail, self.line = kind, one_line(detail[:200]), line
        super().__init__(self.kind, self.detail)


@dataclass(frozen=True)
class Fault:
    """A fault of one raw file.

    Attributes:
      kind: category of the fault, identical for all files that have it ("missing file").
      where: path of the file, relative to the given folder, with a line number where applicable.
      detail: what was found and what was expected.
      item: id of the affected recording; empty if the fault affects the whole corpus.
    """

    kind: str
    where: str
    detail: str = ""
    item: str = ""


@dataclass
class Faults:
    """Collects the faults of a corpus, so that all of them are reported at once."""

    found: list[Fault] = field(default_factory=list)

    def add(self, kind: str, where: object, detail: str = "", item: str = "") -> None:
        """Records one fault; place and detail, which may quote the file, are shown as text."""
        self.found.append(Fault(kind, one_line(str(where)), one_line(detail), item))

    def add_file(self, error: BadFileError, where: object, item: str = "") -> None:
        """Records a file that cannot be used."""
        place = f"{where}:{error.line}" if error.line else where
        self.add(error.kind, place, error.detail, item)

    def __bool__(self) -> bool:
        return bool(self.found)

    @property
    def fatal(self) -> list[Fault]:
        """Faults that cannot be avoided by leaving out single recordings."""
        return [fault for fault in self.found if not fault.item]

    @property
    def items(self) -> set[str]:
        """Ids of the recordings that have a fault."""
        return {fault.item for fault in self.found if fault.item}

    def raise_if_any(self, title: str, advice: str) -> None:
        """Raises one `UserError` that lists all faults, if there are any."""
        if self.found:
            raise UserError(f"{title}\n{describe(self.found)}\n{advice}")


def closest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Hint for a misspelt name: the closest known name, or `otherwise` if none is close."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def describe(faults: Iterable[Fault]) -> str:
    """Formats faults as a list grouped by kind; one that concerns several items is listed once."""
    by_kind: dict[str, dict[str, None]] = defaultdict(dict)
    for fault in faults:
        detail = f": {fault.detail}" if fault.detail else ""
        by_kind[fault.kind][f"    {fault.where}{detail}"] = None
    lines = []
    for kind, members in sorted(by_kind.items()):
        lines += [f"  {kind} ({len(members)}):", *members]
    return "\n".join(lines)
