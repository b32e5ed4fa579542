"""Reads the feature tables of DAIC-WOZ (COVAREP, formants, CLNF) and repairs known faults."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from jaxdep.data import tables
from jaxdep.errors import Faults

ACOUSTIC_RATE, VISUAL_RATE = 100, 30
"""Rows per second."""

COVAREP, FORMANT = 74, 5
EGEMAPS = 25
"""Number of eGeMAPS low-level descriptors, which users extract from the audio."""

FACE = {"features3D": 204, "AUs": 20, "gaze": 12, "pose": 6}
"""Number of values per row in each CLNF file, after the four leading columns."""

_LEADING = 4  # frame, timestamp, confidence, success
_VUV, _GLOTTAL = 1, (0, *range(2, 10))  # voicing; F0, NAQ, ..., Rd_conf


def acoustic(folder: Path, name: str, root: Path, faults: Faults, repairs: Counter) -> np.ndarray:
    """Reads COVAREP and formants of an interview, [T, 79] float32; empty if a file has a fault.

    A value that is not finite is replaced by the preceding one. In unvoiced frames COVAREP's voice
    source features are meaningless, and are set to zero.
    """
    covarep = tables.read(folder / f"{name}_COVAREP.csv", COVAREP, 0, root, faults, name)
    formant = tables.read(folder / f"{name}_FORMANT.csv", FORMANT, 0, root, faults, name)
    if not (len(covarep) and len(formant)):
        return np.zeros((0, COVAREP + FORMANT), np.float32)
    covarep = tables.fill_invalid(covarep, "COVAREP values that are not finite", repairs)
    unvoiced = covarep[:, _VUV] == 0
    covarep[np.ix_(unvoiced, _GLOTTAL)] = 0
    repairs["unvoiced COVAREP rows"] += int(unvoiced.sum())
    formant = tables.fill_invalid(formant, "FORMANT values that are not finite", repairs)
    return _join([covarep, formant], f"{name}: COVAREP and FORMANT", faults, name)


def visual(folder: Path, name: str, root: Path, faults: Faults, repairs: Counter) -> np.ndarray:
    """Reads landmarks, action units, gaze and pose of an interview, [T, 242] float32.

    A row that contains `-1.#IND` is replaced by the preceding row. Empty if a file has a fault.
    """
    parts = []
    for kind, width in FACE.items():
        path = folder / f"{name}_CLNF_{kind}.txt"
        alternative = path.with_suffix(".csv")  # the suffix in the manual
        path = alternative if alternative.is_file() and not path.is_file() else path
        table = tables.read(path, _LEADING + width, 1, root, faults, name)
        if len(table):
            table = tables.fill_invalid(
                table, f"CLNF {kind} rows without numbers", repairs, whole_rows=True
            )
        parts.append(table[:, _LEADING:])
    if not all(len(part) for part in parts):
        return np.zeros((0, sum(FACE.values())), np.float32)
    return _join(parts, f"{name}: CLNF files", faults, name)


def _join(
    parts: list[np.ndarray], where: str, faults: Faults, item: str, tolerance: float = 0.02
) -> np.ndarray:
    """Concatenates the columns of tables cut to the shortest; reports large length differences."""
    lengths = [len(part) for part in parts]
    if max(lengths) - min(lengths) > max(tolerance * max(lengths), 5):
        faults.add("lengths differ", where, ", ".join(map(str, lengths)), item)
    shortest = min(lengths)
    return np.concatenate([part[:shortest] for part in parts], 1).astype(np.float32)
