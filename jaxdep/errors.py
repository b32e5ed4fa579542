"""Errors caused by the user's input, and a collector for the faults of a corpus."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field


class UserError(Exception):
    """Invalid user input; the command line prints it without a traceback and exits with code 2."""


class ModelError(UserError, ValueError):
    """A model's settings contradict one another or do not match its inputs."""


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
        """Records one fault."""
        self.found.append(Fault(kind, str(where), detail, item))

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
    """Formats faults as a list grouped by kind."""
    by_kind: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_kind[fault.kind].append(fault)
    lines = []
    for kind, members in sorted(by_kind.items()):
        lines.append(f"  {kind} ({len(members)}):")
        lines += [f"    {f.where}{': ' + f.detail if f.detail else ''}" for f in members]
    return "\n".join(lines)
