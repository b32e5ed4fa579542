"""Commands that ask trained runs about new recordings: `predict` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from jaxdep.cli import output
from jaxdep.cli.options import Set, flat
from jaxdep.errors import UserError
from jaxdep.overrides import parse_assignments

Texts = Annotated[
    UseAppendAction[tuple[str, ...]], arg(metavar="TEXT", help="A text to predict; repeatable.")
]


def predict(
    folder: Positional[Path],
    inputs: Positional[tuple[Path, ...]] = (),
    text: Texts = (),
    out: Path | None = None,
    coverage: float = 1.0,
    explain: bool = False,
    set_: Set = (),
) -> None:
    """Predicts new recordings with all seeds of a run, with calibrated uncertainty.

    Args:
        folder: Run directory; nothing else is needed of the run or its corpus.
        inputs: Raw files in the layout of the run's corpus, without labels: the folder of a
            recording, a folder of several, or a file of texts; or ID.npz with an array a feature.
        out: Table to write, as CSV and as JSON lines beside it.
        coverage: Abstain from what is less certain than this share of the validation split.
        explain: Draw the attention over time of the first recordings, beside the table.
        set_: Options of the corpus that have changed since, such as text_encoder=FOLDER.
    """
    from jaxdep.inference import explaining, table
    from jaxdep.inference.model import load
    from jaxdep.inference.predictions import LEGEND

    if not (inputs or text):
        raise UserError("nothing to predict: give files of recordings, or --text")
    if explain and not out:
        raise UserError("--explain draws beside the table: set --out")
    model = load(folder)
    options = parse_assignments(flat(set_))
    recordings = model.read(*inputs, texts=text, options=options, log=output.say)
    predictions = model.predict(recordings, coverage=coverage)
    synthetic = " (trained on SYNTHETIC data)" if model.meta["corpus"]["synthetic"] else ""
    table.show(predictions, output.console, f"{model.meta['title']}{synthetic}")
    output.say(LEGEND)
    if out:
        written = table.write(out, predictions)
        output.say(f"table: {written[0]} and {written[1].name}")
        if explain:
            name = f"{out.stem}-attention"
            caption = explaining.explain(model, recordings, predictions, out.parent, name)
            output.say(f"attention: {out.parent / 'figures' / name}.png, .svg and .pdf\n{caption}")


def export(folder: Positional[Path], out: Path) -> None:
    """Exports a run: a program for JAX alone, weights for PyTorch, and a model card.

    Args:
        folder: Run directory.
        out: Folder to write; must be new or empty.
    """
    from jaxdep.inference import exporting
    from jaxdep.inference.model import load

    described = exporting.export(load(folder), out)
    output.say(f"program: {out / exporting.PROGRAM}, free sizes: {described['free']}")
    output.say(f"model card: {out / exporting.CARD}")
