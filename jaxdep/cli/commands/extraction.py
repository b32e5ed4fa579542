"""The command that turns recordings into features: `extract`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from tyro.conf import OmitArgPrefixes, Positional

from jaxdep.cli import output
from jaxdep.errors import UserError
from jaxdep.extract.settings import Settings
from jaxdep.plain import visible

if TYPE_CHECKING:
    from jaxdep.extract.job import Report


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
            media, out, settings, workers=workers, skip_bad=skip_bad, log=output.say, report=report
        )
    kept = f", {len(outcome.kept)} kept as they were" if outcome.kept else ""
    output.say(f"{out}: features of {len(outcome.extracted)} recordings{kept}")
    if needs := layouts.LAYOUTS[settings.like].needs:
        output.say(f"to train on them, add {needs}; then: jaxdep prepare {settings.like}")


@contextmanager
def _display() -> Iterator[Report]:
    """Shows a progress bar in a terminal, and one line per recording otherwise."""
    terminal = output.console.is_terminal
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} recordings"),
        TextColumn("{task.fields[state]}", markup=False),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=output.console, disable=not terminal) as progress:
        bar = progress.add_task("extract", total=None, state="")

        def report(done: int, total: int, name: str) -> None:
            progress.update(bar, completed=done, total=total, state=visible(name))
            if not terminal:
                output.say(f"recording {done}/{total}: {name}")

        yield report
