"""Prints what commands have to say, and shows the progress of training."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from jaxdep.experiment import Experiment
from jaxdep.plain import visible

if TYPE_CHECKING:  # it would slow down commands that do not train
    from jaxdep.train.runs import Report

console = Console(markup=False, emoji=False)  # titles and ids are text, whatever they contain


def say(text: str) -> None:
    """Prints a line, with characters that would control the terminal made visible."""
    console.print(Text(visible(text)), soft_wrap=True)


def progress(experiment: Experiment, runs: int) -> AbstractContextManager[Report]:
    """Shows the progress of training, as `jaxdep.cli.progress.display`."""
    from jaxdep.cli.progress import display

    return display(experiment, runs, console=console)
