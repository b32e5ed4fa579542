"""The smallest synthetic corpora, damaged and prepared."""

from __future__ import annotations

import gc
import shutil
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from fuzz import trees
from fuzz.subjects import Attempt
from jaxdep.artifacts.files import read_json
from jaxdep.data import arrays, preparation, stand_ins
from jaxdep.data.formats import names
from jaxdep.errors import UserError

SMALLEST: dict[str, dict[str, Any]] = {
    "avec2013": {"items": 12, "mean_seconds": 8},
    "avec2014": {"items": 12, "mean_seconds": 8},
    "daicwoz": {"items": 10, "mean_seconds": 30},
    "dvlog": {"items": 10, "mean_length": 40},
    "edaic": {"items": 10, "mean_seconds": 30},
    "ewre": {"items": 8, "words": 16},
    "folder": {"items": 20, "mean_seconds": 10},
    "lmvd": {"items": 20, "mean_length": 40},
    "mgid": {"items": 40},
    "mmd2023": {"items": 10, "mean_seconds": 30},
}
"""Options of the generators."""

OPTIONS = {
    "daicwoz": {"items": "segments"},  # reads `emotion.csv` as well
    "ewre": {"n_words": 16, "face_size": 4},
    "mgid": {"text_encoder": "hashing"},  # also without `synthetic.json`
}
"""Options of the builders."""


def opened(name: str, folder: Path) -> Attempt:
    """Writes a sound corpus and checks that it is accepted."""
    stand_ins.synthesize(name, folder / "sound", **SMALLEST[name])
    temporary = Path(tempfile.mkdtemp(dir=folder))
    tempfile.tempdir = str(temporary)
    prepare(name, folder / "sound", folder / "data")

    def attempt(rng: Random, notes: list[str]) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            raw = Path(shutil.copytree(folder / "sound", Path(scratch) / "raw"))
            notes += trees.damaged(rng, raw)
            refused = None
            try:
                prepare(name, raw, Path(scratch) / "data", skip_bad=rng.random() < 0.3)
            except UserError as error:
                refused = UserError(*error.args)  # without the frames that hold what was read
        gc.collect()
        # TFDS leaves an empty folder for each builder.
        left = [path.name for path in temporary.iterdir() if not path.name.endswith("tfds")]
        assert not left, f"temporary files are left: {left}"
        if refused:
            raise refused

    return attempt


def prepare(name: str, raw: Path, data: Path, skip_bad: bool = False) -> None:
    """Prepares a corpus, and checks that it is stored soundly or refused without a trace."""
    before = trees.listing(raw)
    options = OPTIONS.get(name)
    try:
        built = preparation.prepare(
            name, raw, data_dir=data, skip_bad=skip_bad, options=options, log=lambda line: None
        )
        check(built)
    except UserError:
        # The folder may exist, but nothing is in it.
        assert not data.exists() or not list(data.iterdir()), "something was written"
        raise
    finally:
        assert trees.listing(raw) == before, "the raw files were changed"


def check(folder: Path) -> None:
    """Checks that a prepared corpus can be trained on: numbers, ids and description."""
    description = read_json(folder / "corpus.json")
    assert description["synthetic"] is None or "tasks" in description["synthetic"]
    ids: list[str] = []
    for name in arrays.splits_of(folder):
        split = arrays.load_split(folder, name, {})
        ids += split.ids.tolist()
        for values in (*split.inputs.values(), *split.targets.values()):
            assert len(values) == len(split) > 0
            assert np.isfinite(values).all(), "a feature or target is not finite"
        for texts in (split.subjects, *split.attributes.values()):
            assert not any(map(names.fault_of_text, texts.tolist())), "a text is not printable"
        assert (split.subjects != "").all(), "a subject has no name"
    assert len(set(ids)) == len(ids), "an id occurs twice"
    assert not any(map(names.fault_of, ids)), "an id is not a name"
