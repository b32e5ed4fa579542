"""A display of training: runs alive, epoch, loss, time left."""

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
    """Shows one line that moves in a terminal, and a line for each epoch elsewhere."""
    epochs = experiment.training.epochs
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} epochs"),
        TextColumn("{task.fields[state]}"),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    alive = f"{runs} of {runs} runs alive"
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(experiment.name, total=epochs, state=f"{alive}, compiling")

        def report(epoch: int, status: np.ndarray, history: list[dict[str, Any]]) -> None:
            said = _state(runs, status, history)
            progress.update(bar, completed=epoch, state=said)
            if not console.is_terminal:
                console.print(f"epoch {epoch}/{epochs}: {said}", highlight=False)

        yield report


def _state(runs: int, status: np.ndarray, history: list[dict[str, Any]]) -> str:
    alive = int((status == Status.RUNNING).sum())
    said = f"{alive} of {runs} runs alive"
    for split in ("train", "validation"):
        losses = [line[split]["loss"] for line in history if line[split]["loss"] is not None]
        said += f", {split} loss {np.mean(losses):.4f}" if losses else f", {split} loss not finite"
    return said
