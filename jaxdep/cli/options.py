"""Command-line options shared by several commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from tyro.conf import UseAppendAction, arg

from jaxdep.errors import UserError
from jaxdep.runner.options import RunOptions

Groups = UseAppendAction[tuple[tuple[str, ...], ...]]
"""Values of an option that may be repeated, each time with several values."""

Set = Annotated[Groups, arg(name="set", metavar="KEY=VALUE ...", help="Settings to override.")]


def flat(groups: Sequence[Sequence[str]]) -> list[str]:
    """All values of a repeated option."""
    return [value for group in groups for value in group]


def parse_seeds(text: str) -> int | list[int]:
    """Parses `8` (a number of seeds), `3,5` (a list) or `0-7` (a range, both ends included)."""
    try:
        if "," in text:
            return [int(part) for part in text.split(",") if part]
        first, dash, last = text.partition("-")
        return list(range(int(first), int(last) + 1)) if dash else int(text)
    except ValueError:
        raise UserError(
            f"--seeds {text}: expected a number (8), a list (3,5) or a range (0-7)"
        ) from None


@dataclass(frozen=True)
class Options(RunOptions):
    """Data, settings, devices and output, as in `RunOptions`; overrides are assignments."""

    manual_dir: Annotated[Groups, arg(metavar="[CORPUS=]FOLDER ...")] = ()
    overrides: Set = ()

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for `jaxdep.run` and `jaxdep.sweep`."""
        from jaxdep.runner import across  # late: it reads the registry of corpora

        given = {field.name: getattr(self, field.name) for field in fields(RunOptions)}
        folders = across.parse_folders(flat(self.manual_dir))
        return given | {"overrides": flat(self.overrides), "manual_dir": folders}


@dataclass(frozen=True)
class Processes:
    """Options for training in several processes, on one or several machines.

    Attributes:
      distributed: Join the processes started by Slurm, Open MPI or Kubernetes.
      coordinator: HOST:PORT of the first process, to join processes without a scheduler.
      processes: Total number of processes.
      process: Index of this process, from 0.
    """

    distributed: bool = False
    coordinator: str = ""
    processes: int = 0
    process: int = 0
