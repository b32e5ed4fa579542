"""Displays training progress: active runs, epoch, losses and remaining time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from jaxdep.experiment import Experiment
from jaxdep.train.runs import Report
from jaxdep.train.status import Status


@contextmanager
def display(experiment: Experiment, runs: int, *, console: Console) -> Iterator[Report]:
    """Shows a progress bar in a terminal, and one line per epoch otherwise."""
    epochs = experiment.training.epochs
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} epochs"),
        TextColumn("{task.fields[state]}"),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    active = f"{runs} of {runs} runs active"
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(experiment.name, total=epochs, state=f"{active}, compiling")

        def report(epoch: int, status: np.ndarray, history: list[dict[str, Any]]) -> None:
            state = _state(runs, status, history)
            progress.update(bar, completed=epoch, state=state)
            if not console.is_terminal:
                console.print(f"epoch {epoch}/{epochs}: {state}", highlight=False)

        yield report


def _state(runs: int, status: np.ndarray, history: list[dict[str, Any]]) -> str:
    active = int((status == Status.RUNNING).sum())
    text = f"{active} of {runs} runs active"
    for split in ("train", "validation"):
        losses = [line[split]["loss"] for line in history if line[split]["loss"] is not None]
        text += f", {split} loss {np.mean(losses):.4f}" if losses else f", {split} loss not finite"
    return text
