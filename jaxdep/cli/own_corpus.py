"""Defines the commands for a corpus of one's own."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text
from tyro.conf import Positional

from jaxdep.cli.commands import app
from jaxdep.plain import visible


@app.command
def init(directory: Positional[Path], items: int = 40, seed: int = 0) -> None:
    """Writes a commented corpus.yaml and the small SYNTHETIC corpus that it describes.

    Args:
        directory: Output folder; must be new or empty.
        items: Number of recordings.
        seed: Seed of the random generator.
    """
    from jaxdep.data import corpus_file, stand_ins

    truth = stand_ins.synthesize("folder", directory, items=items, seed=seed)
    file = directory / corpus_file.NAME
    lines = [
        f"{file}: describes {truth['items']} SYNTHETIC recordings; replace them by your own,"
        " and delete synthetic.json",
        f"  jaxdep prepare folder --manual-dir {directory}",
        f"  jaxdep run jamfn-demo --corpus {file} --seeds 4",
    ]
    Console(markup=False, emoji=False).print(Text(visible("\n".join(lines))), soft_wrap=True)
