"""Reads DAIC-WOZ's tables of frames (COVAREP, formants, CLNF) and repairs known faults."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from jaxdep.data import tables
from jaxdep.errors import Faults

ACOUSTIC_RATE, VISUAL_RATE = 100, 30
"""Rows a second."""

COVAREP, FORMANT = 74, 5
EGEMAPS = 25
"""Descriptors of the extended Geneva set (eGeMAPS), which users extract from the recordings."""

FACE = {"features3D": 204, "AUs": 20, "gaze": 12, "pose": 6}
"""CLNF's files and their values in a row, behind four leading columns."""

_LEADING = 4  # frame, timestamp, confidence, success
_VUV, _GLOTTAL = 1, (0, *range(2, 10))  # voicing; F0, NAQ, ..., Rd_conf


def acoustic(folder: Path, name: str, root: Path, faults: Faults, repairs: Counter) -> np.ndarray:
    """COVAREP and formants of an interview, [T, 79] float32; empty if a file has a fault.

    A value that is not finite becomes the one before it. Where a frame is not voiced, what COVAREP
    says of the voice's source means nothing, and is zero.
    """
    covarep = tables.read(folder / f"{name}_COVAREP.csv", COVAREP, 0, root, faults, name)
    formant = tables.read(folder / f"{name}_FORMANT.csv", FORMANT, 0, root, faults, name)
    if not (len(covarep) and len(formant)):
        return np.zeros((0, COVAREP + FORMANT), np.float32)
    covarep = tables.mended(covarep, "COVAREP values that are not finite", repairs)
    silent = covarep[:, _VUV] == 0
    covarep[np.ix_(silent, _GLOTTAL)] = 0
    repairs["unvoiced COVAREP rows"] += int(silent.sum())
    formant = tables.mended(formant, "FORMANT values that are not finite", repairs)
    return _side_by_side([covarep, formant], f"{name}: COVAREP and FORMANT", faults, name)


def visual(folder: Path, name: str, root: Path, faults: Faults, repairs: Counter) -> np.ndarray:
    """Landmarks, action units, gaze and pose of an interview, [T, 242] float32.

    A row that holds `-1.#IND` becomes the row before it. Empty if a file has a fault.
    """
    parts = []
    for kind, width in FACE.items():
        path = folder / f"{name}_CLNF_{kind}.txt"
        other = path.with_suffix(".csv")  # as the manual has it
        path = other if other.is_file() and not path.is_file() else path
        table = tables.read(path, _LEADING + width, 1, root, faults, name)
        if len(table):
            table = tables.mended(table, f"CLNF {kind} rows without numbers", repairs, whole=True)
        parts.append(table[:, _LEADING:])
    if not all(len(part) for part in parts):
        return np.zeros((0, sum(FACE.values())), np.float32)
    return _side_by_side(parts, f"{name}: files of CLNF", faults, name)


def _side_by_side(
    parts: list[np.ndarray], what: str, faults: Faults, item: str, most: float = 0.02
) -> np.ndarray:
    """Tables cut to the shortest; a large difference is a fault."""
    lengths = [len(part) for part in parts]
    if max(lengths) - min(lengths) > max(most * max(lengths), 5):
        faults.add("lengths differ", what, ", ".join(map(str, lengths)), item)
    shortest = min(lengths)
    return np.concatenate([part[:shortest] for part in parts], 1).astype(np.float32)
