"""What is fuzzed: formats, corpora and commands."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

Attempt = Callable[[Random, list[str]], object]
"""Damages something and uses it; adds what was damaged to a list.

It returns if the input was accepted, and raises `UserError` or `BadFileError` if it was refused.
"""


@dataclass(frozen=True)
class Subject:
    """A format, corpus or command.

    Attributes:
      group: "format", "corpus" or "command".
      name: name, unique among all subjects.
      cases: standard number of cases.
      module: module whose `opened` makes the attempts; imported only where they are made.
    """

    group: str
    name: str
    cases: int
    module: str

    def open(self, folder: Path) -> Attempt:
        """Prepares all attempts in an empty folder."""
        return importlib.import_module(self.module).opened(self.name, folder)


_FORMATS = ("npy", "npz", "h5", "parquet", "mat", "ark", "xlsx", "png", "csv", "table", "columns")

SUBJECTS = {
    name: Subject(group, name, cases, module)
    for group, module, names in (
        (
            "corpus",
            "fuzz.corpora",
            {"daicwoz": 60, "edaic": 60, "mmd2023": 30, "avec2013": 60, "avec2014": 60, "lmvd": 60}
            | {"dvlog": 250, "ewre": 250, "folder": 250, "mgid": 250},
        ),
        (
            "command",
            "fuzz.run_folders",
            {"report": 60, "report of two runs": 20, "report of a sweep": 40}
            | {"evaluate": 50, "missing": 40, "run --resume": 50},
        ),
        ("command", "fuzz.settings", {"run --set": 800}),
        (
            "format",
            "fuzz.formats",
            dict.fromkeys(_FORMATS, 2000),
        ),
    )
    for name, cases in names.items()
}
"""All subjects by name; those that take longest come first."""
