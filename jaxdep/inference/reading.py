"""Reads recordings without labels from files, by the code that prepared the corpus of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxdep.artifacts.files import read_arrays
from jaxdep.data import corpora
from jaxdep.data.builder import Item, ManualBuilder, Scan
from jaxdep.data.formats import names
from jaxdep.errors import Faults, UserError
from jaxdep.inference import media
from jaxdep.inference.description import InputDescription, Recording

_ARRAYS = ".npz"
"""Suffix of files that hold the features of one recording, in whatever corpus."""


def read(
    description: InputDescription,
    paths: Sequence[Path] = (),
    texts: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    log: Callable[[str], None] = print,
) -> dict[str, Recording]:
    """Reads the features of recordings.

    Args:
      description: inputs of the run.
      paths: each a `.npz` file with an array for each feature of one recording, called after its
        id; a video, called likewise; or raw files as `ManualBuilder.recordings` of the run's corpus
        reads them.
      texts: texts, called `text_00001` and so on, for corpora whose recordings are texts.
      options: options of the corpus that have changed since, such as the folder of an encoder; an
        encoder must be the same.
      log: callback for warnings.

    Returns:
      Features by id; videos come after other files, and texts last.

    Raises:
      UserError: files are missing or have faults, which are all listed; two recordings have the
        same id; or an encoder is not that of the run.
    """
    builder = corpora.builder_class(description.corpus)
    changed = corpora.parse_options(description.corpus, options or {})
    known = {**vars(builder.OPTIONS), **description.options, **changed}
    of_corpus = lambda path: builder.recordings(path.resolve(), known)
    if missing := [path for path in paths if not path.exists()]:
        raise UserError(f"{missing[0]} does not exist: give the files of recordings")
    videos = [path for path in paths if path.suffix.lower() in media.SUFFIXES]
    others = [path for path in paths if path not in videos]
    if texts or any(path.suffix != _ARRAYS for path in paths):
        _check_encoders(description, builder, known)
    scans = [_arrays(path) if path.suffix == _ARRAYS else of_corpus(path) for path in others]
    if videos:
        scans.append(media.read(videos, description, builder, known, log))
    if texts:
        numbered = {f"text_{n:05d}": each for n, each in enumerate(texts, start=1)}
        scans.append(builder.texts(numbered, known))
    for warning in (warning for scan in scans for warning in scan.warnings):
        log(f"warning: {warning}")
    faults = Faults([fault for scan in scans for fault in scan.faults.found])
    found: dict[str, Item] = {}
    for item in (item for scan in scans for item in scan.items):
        if item.id in found:
            faults.add("duplicate id", item.id, "in two of the inputs", item.id)
        found[item.id] = item
    faults.raise_if_any("The recordings cannot be read:", "Fix the files, or leave them out.")
    return {name: item.load() for name, item in found.items()}


def _arrays(path: Path) -> Scan:
    """Reads the features of one recording from a `.npz` file."""
    found = Scan()
    if problem := names.fault_of(path.stem):
        found.faults.add("bad id", path, problem, path.stem)
        return found
    try:
        features = read_arrays(path)
    except ValueError as error:
        found.faults.add("unreadable file", path, str(error), path.stem)
        return found
    found.items.append(Item(path.stem, "", lambda: features))
    return found


def _check_encoders(
    description: InputDescription, builder: type[ManualBuilder], options: Mapping[str, Any]
) -> None:
    """Checks that features are computed as in training."""
    for option, identity in builder.encoders(options).items():
        if description.encoders.get(option, identity) != identity:
            raise UserError(
                f"{options[option]} is, with these options, not the {option} of the run: give the"
                f" original one, unchanged, by --set {option}=FOLDER"
            )
