"""Errors that a user can mend: what is wrong, where, and what to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field


class UserError(Exception):
    """The user's input is at fault; the command line prints it without a traceback and exits 2."""


class ModelError(UserError, ValueError):
    """A model's settings do not fit one another, or not what the model is given to read."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one raw file.

    Attributes:
      kind: what sort of fault, the same words for every file that has it ("missing file").
      where: the file, relative to the folder that the user named, with a line number if it has one.
      detail: what was found and what was expected.
      item: id of the recording that the fault spoils; empty if it spoils the whole corpus.
    """

    kind: str
    where: str
    detail: str = ""
    item: str = ""


@dataclass
class Faults:
    """Collects every fault of a corpus, so that a user mends all of them at once."""

    found: list[Fault] = field(default_factory=list)

    def add(self, kind: str, where: object, detail: str = "", item: str = "") -> None:
        """Records one fault."""
        self.found.append(Fault(kind, str(where), detail, item))

    def __bool__(self) -> bool:
        return bool(self.found)

    @property
    def fatal(self) -> list[Fault]:
        """The faults that leaving out single recordings does not mend."""
        return [fault for fault in self.found if not fault.item]

    @property
    def items(self) -> set[str]:
        """Ids of the recordings that have a fault."""
        return {fault.item for fault in self.found if fault.item}

    def raise_if_any(self, title: str, advice: str) -> None:
        """Raises one `UserError` that lists all faults, if there are any."""
        if self.found:
            raise UserError(f"{title}\n{describe(self.found)}\n{advice}")


def describe(faults: Iterable[Fault]) -> str:
    """Lists faults grouped by kind, each with its file."""
    by_kind: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_kind[fault.kind].append(fault)
    lines = []
    for kind, group in sorted(by_kind.items()):
        lines.append(f"  {kind} ({len(group)}):")
        lines += [f"    {f.where}{': ' + f.detail if f.detail else ''}" for f in group]
    return "\n".join(lines)
