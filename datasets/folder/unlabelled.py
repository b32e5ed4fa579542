"""Finds recordings without labels, whose files lie as in a corpus of one's own."""

from __future__ import annotations

import re
from pathlib import Path

from jaxdep.data.builder import Item, Scan
from jaxdep.data.corpus_file import ID, Description
from jaxdep.data.formats import names
from jaxdep.datasets.folder import features
from jaxdep.errors import Faults


def recordings(path: Path, description: Description) -> Scan:
    """Reads all recordings of which there is a file, as those of the corpus.

    Args:
      path: folder in which the files lie as in that of `corpus.yaml`; a table is not needed.
      description: description of the corpus.
    """
    found = Scan()
    patterns = [each.files for each in description.modalities.values()]
    ids = sorted({name for pattern in patterns for name in _ids(path, pattern)})
    if not ids:
        found.faults.add("missing file", path, f"expected {', '.join(patterns)}")
    for name in ids:
        if problem := names.fault_of(name):
            found.faults.add("bad id", path, f"{name!r}: {problem}", name)
            continue
        features.read(path, description, name, found.faults)
        load = lambda name=name: dict(features.read(path, description, name, Faults()) or {})
        found.items.append(Item(name, "", load))
    return found


def _ids(folder: Path, pattern: str) -> list[str]:
    """Ids of the files that match a pattern, in which the id may occur several times."""
    first, *others = map(re.escape, pattern.split(ID))
    expression = re.compile(f"{first}(?P<id>[^/]+){'(?P=id)'.join(others)}")
    paths = (file.relative_to(folder).as_posix() for file in folder.glob(pattern.replace(ID, "*")))
    return [match["id"] for each in paths if (match := expression.fullmatch(each))]
