"""Commands that make corpora: `synthesize`, `init` and `prepare`."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from jaxdep.cli import output
from jaxdep.cli.options import Set, flat
from jaxdep.overrides import parse_assignments


def synthesize(
    corpus: Positional[str],
    directory: Positional[Path],
    items: int | None = None,
    seed: int = 0,
    signal: float = 1.0,
) -> None:
    """Generates a synthetic stand-in for a corpus, in the layout of the real files.

    Args:
        corpus: Name of a corpus, as listed by `jaxdep list`.
        directory: Output folder; must be new or empty.
        items: Number of recordings; by default that of the real corpus.
        seed: Seed of the random generator.
        signal: Strength of the planted signal; with 0 there is nothing to learn.
    """
    from jaxdep.data import stand_ins

    truth = stand_ins.synthesize(corpus, directory, items=items, seed=seed, signal=signal)
    output.say(f"{directory}: {truth['items']} SYNTHETIC recordings of {corpus}")
    for task, known in truth["tasks"].items():
        best = ", ".join(f"{k} {v:.3f}" for k, v in known.items() if isinstance(v, float))
        output.say(f"  {task}: {best}")


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
    output.say(
        f"{file}: describes {truth['items']} SYNTHETIC recordings; replace them by your own,"
        " and delete synthetic.json"
    )
    output.say(f"  jaxdep prepare folder --manual-dir {directory}")
    output.say(f"  jaxdep run jamfn-demo --corpus {file} --seeds 4")


def prepare(
    corpus: Positional[str],
    manual_dir: Path,
    text_encoder: str | None = None,
    image_encoder: str | None = None,
    data_dir: Path | None = None,
    skip_bad: bool = False,
    strict_subjects: bool = False,
    set_: Set = (),
) -> None:
    """Validates the raw files of a corpus and stores them for training.

    Args:
        corpus: Name of a corpus, as listed by `jaxdep list`.
        manual_dir: Folder with the raw files; of one's own (folder), also its corpus.yaml.
        text_encoder: Hugging Face name or folder of the text encoder (mgid).
        image_encoder: Folder of the image encoder (mgid).
        data_dir: Folder for prepared corpora; by default in the user's cache.
        skip_bad: Skip invalid recordings instead of rejecting the corpus.
        strict_subjects: Reject a corpus with a subject in two splits (avec2013, avec2014).
        set_: Further corpus options, such as speakers=both split=stratified (daicwoz).
    """
    from jaxdep.data import corpora, preparation

    given = {"text_encoder": text_encoder, "image_encoder": image_encoder}
    options = corpora.parse_options(corpus, parse_assignments(flat(set_)))
    options |= {k: value for k, value in given.items() if value is not None}
    if strict_subjects:
        options["strict_subjects"] = True
    folder = preparation.prepare(
        corpus, manual_dir, data_dir=data_dir, skip_bad=skip_bad, options=options, log=output.say
    )
    output.say(f"prepared: {folder}")
