"""Finds recordings without labels whose features are arrays named `<id>_<modality>.npy`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from jaxdep.data.builder import Item, Scan
from jaxdep.data.formats import names
from jaxdep.errors import Faults

Read = Callable[[Path, str, Path, Faults], "Mapping[str, np.ndarray] | None"]
"""Reads the arrays of a recording, given its folder, its id and the user's folder; None if one has
a fault."""


def arrays(path: Path, modalities: Iterable[str], read: Read) -> Scan:
    """Reads all recordings in a folder, at any depth, once.

    Args:
      path: folder given by the user.
      modalities: modalities of a recording; one array of them is enough for it to be found.
      read: reads one recording, and reports arrays that are missing.
    """
    found = Scan()
    folders: dict[str, Path] = {}
    for file in sorted(file for m in modalities for file in path.rglob(f"*_{m}.npy")):
        name, where = file.stem.rpartition("_")[0], str(file.relative_to(path))
        if problem := names.fault_of(name):
            found.faults.add("bad id", where, problem, name)
        elif folders.setdefault(name, file.parent) != file.parent:
            other = folders[name].relative_to(path)
            found.faults.add("duplicate id", where, f"{name} is also in {other}", name)
    if not folders and not found.faults:
        expected = ", ".join(f"<id>_{m}.npy" for m in modalities)
        found.faults.add("missing file", path, f"expected {expected}")
    for name, folder in folders.items():
        read(folder, name, path, found.faults)
        load = lambda name=name, folder=folder: dict(read(folder, name, path, Faults()) or {})
        found.items.append(Item(name, "", load))
    return found
