"""Defines the command that turns recordings into features."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text
from tyro.conf import OmitArgPrefixes, Positional

from jaxdep.errors import UserError
from jaxdep.extract.settings import Settings
from jaxdep.plain import visible

if TYPE_CHECKING:
    from jaxdep.extract.job import Report

_console = Console(markup=False, emoji=False)  # names of files are text, whatever they contain


def extract(
    media: Positional[tuple[Path, ...]],
    settings: OmitArgPrefixes[Settings],
    out: Path | None = None,
    workers: int = 0,
    skip_bad: bool = False,
) -> None:
    """Extracts features of recordings, in the files of a corpus; repeated, it goes on.

    Args:
        media: Video or audio files, or folders of them; names without suffix are the ids.
        out: Folder for the files of the corpus.
        workers: Number of processes; 0 for one per core, or one alone with Hugging Face models.
        skip_bad: Leave out recordings with faults.
    """
    from jaxdep.extract import job, layouts

    if out is None:
        raise UserError("--out is missing: name a folder for the features")
    if not media:
        raise UserError("no media files: name some, or folders that hold them")
    with _display() as report:
        outcome = job.extract(
            media, out, settings, workers=workers, skip_bad=skip_bad, log=_print, report=report
        )
    kept = f", {len(outcome.kept)} kept as they were" if outcome.kept else ""
    _print(f"{out}: features of {len(outcome.extracted)} recordings{kept}")
    if needs := layouts.LAYOUTS[settings.like].needs:
        _print(f"to train on them, add {needs}; then: jaxdep prepare {settings.like}")


@contextmanager
def _display() -> Iterator[Report]:
    """Shows a progress bar in a terminal, and one line per recording otherwise."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} recordings"),
        TextColumn("{task.fields[state]}", markup=False),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_console, disable=not _console.is_terminal) as progress:
        bar = progress.add_task("extract", total=None, state="")

        def report(done: int, total: int, name: str) -> None:
            progress.update(bar, completed=done, total=total, state=visible(name))
            if not _console.is_terminal:
                _print(f"recording {done}/{total}: {name}")

        yield report


def _print(text: str) -> None:
    _console.print(Text(visible(text)), soft_wrap=True)
