"""Gathers how features were made, from the notes that `jaxdep extract` leaves beside them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxdep.artifacts.files import read_json
from jaxdep.artifacts.schema import ExtractionNote, check_document

Recipe = Mapping[str, Any]
"""All that determines features, as `jaxdep.extract.provenance.recipe` describes it."""

_FOLDER, _SUFFIX = "extraction", "_extraction"
"""Notes are `extraction/<id>.json` in the corpus, or `<id>_extraction.json` at any depth."""


def without_place(recipe: Recipe) -> dict[str, Any]:
    """A recipe without the partition, which says where files lie and not what is in them."""
    return {key: value for key, value in recipe.items() if key != "partition"}


def recipes(folder: Path, ids: Collection[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """The different recipes of a corpus, without the place of files.

    A damaged note is none: `jaxdep extract` itself takes it for that of an unfinished recording.

    Args:
      folder: folder of the raw files.
      ids: ids of the recordings that are prepared; notes of others do not count.

    Returns:
      The recipes, none if no recording has a note; and warnings for the user, if there are several
      recipes, or if some recordings have a note and others have none.
    """
    by_id: dict[str, str] = {}
    for path in sorted({*folder.rglob(f"*{_SUFFIX}.json"), *folder.glob(f"{_FOLDER}/*.json")}):
        in_folder = path.parent == folder / _FOLDER
        name = path.stem if in_folder else path.stem.removesuffix(_SUFFIX)
        if name not in ids:
            continue
        try:
            note = read_json(path)
            check_document(note, ExtractionNote)
        except (OSError, ValueError):
            continue
        by_id[name] = json.dumps(without_place(note["recipe"]), sort_keys=True)
    found = [json.loads(text) for text in sorted(set(by_id.values()))]
    warnings = []
    if len(found) > 1:
        warnings.append(
            f"The features were extracted in {len(found)} ways, which differ in"
            f" {', '.join(differences(found))}: runs on them cannot predict from videos. To change"
            " that, extract all recordings by the same command."
        )
    elif found and len(by_id) < len(ids):
        warnings.append(
            f"{len(ids) - len(by_id)} of {len(ids)} recordings do not say how their features were"
            " made: runs predict from videos as the others were extracted."
        )
    return found, warnings


def differences(found: Sequence[Recipe]) -> list[str]:
    """Keys whose values are not the same in all of these recipes."""
    keys = {key for recipe in found for key in recipe}
    return sorted(key for key in keys if any(r.get(key) != found[0].get(key) for r in found))
