"""Reads DAIC-WOZ's tables of frames (COVAREP, formants, CLNF) and repairs known faults."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from jaxdep.errors import Faults

ACOUSTIC_RATE, VISUAL_RATE = 100, 30
"""Rows a second."""

COVAREP, FORMANT = 74, 5
FACE = {"features3D": 204, "AUs": 20, "gaze": 12, "pose": 6}
"""CLNF's files and their values in a row, behind four leading columns."""

_LEADING = 4  # frame, timestamp, confidence, success
_VUV, _GLOTTAL = 1, (0, *range(2, 10))  # voicing; F0, NAQ, ..., Rd_conf
_NULLS = [f"{space}{word}" for space in ("", " ") for word in ("", "-1.#IND", "-1.#IND00", "nan")]


def acoustic(folder: Path, name: str, root: Path, faults: Faults, repairs: Counter) -> np.ndarray:
    """COVAREP and formants of an interview, [T, 79] float32; empty if a file has a fault.

    A value that is not finite becomes the one before it. Where a frame is not voiced, what COVAREP
    says of the voice's source means nothing, and is zero.
    """
    covarep = _table(folder / f"{name}_COVAREP.csv", COVAREP, 0, root, faults, name)
    formant = _table(folder / f"{name}_FORMANT.csv", FORMANT, 0, root, faults, name)
    if not (len(covarep) and len(formant)):
        return np.zeros((0, COVAREP + FORMANT), np.float32)
    covarep = _mended(covarep, "COVAREP values that are not finite", repairs)
    silent = covarep[:, _VUV] == 0
    covarep[np.ix_(silent, _GLOTTAL)] = 0
    repairs["unvoiced COVAREP rows"] += int(silent.sum())
    formant = _mended(formant, "FORMANT values that are not finite", repairs)
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
        table = _table(path, _LEADING + width, 1, root, faults, name)
        if len(table):
            table = _mended(table, f"CLNF {kind} rows without numbers", repairs, whole=True)
        parts.append(table[:, _LEADING:])
    if not all(len(part) for part in parts):
        return np.zeros((0, sum(FACE.values())), np.float32)
    return _side_by_side(parts, f"{name}: files of CLNF", faults, name)


def _table(
    path: Path, width: int, header: int, root: Path, faults: Faults, item: str
) -> np.ndarray:
    """A table of numbers [T, width]; NaN where it has none, no rows if it has a fault."""
    where, empty = path.relative_to(root), np.zeros((0, width))
    if not path.is_file():
        faults.add("missing file", where, item=item)
        return empty
    names = [f"f{column}" for column in range(width)]
    try:
        read = csv.read_csv(
            path,
            read_options=csv.ReadOptions(column_names=names, skip_rows=header),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.float64()), null_values=_NULLS
            ),
        )
    except pa.ArrowInvalid as error:
        kind = "wrong shape" if "columns" in str(error) else "not numeric"
        faults.add(kind, where, str(error).split(":", 1)[-1].strip()[:120], item)
        return empty
    if not read.num_rows:
        faults.add("no rows", where, f"expected [T, {width}] with T > 0", item)
    return np.stack([read.column(name).to_numpy() for name in names], 1)


def _mended(table: np.ndarray, what: str, repairs: Counter, whole: bool = False) -> np.ndarray:
    """Numbers that are not finite replaced by the last finite one of their column, else by zero.

    Args:
      whole: replace the whole row.
    """
    good = np.isfinite(table) & (np.abs(table) < np.finfo(np.float32).max)
    if whole:
        good = np.broadcast_to(good.all(1, keepdims=True), table.shape)
    bad = ~good
    if not bad.any():
        return table
    repairs[what] += int(bad[:, 0].sum() if whole else bad.sum())
    rows = np.where(good, np.arange(len(table))[:, None], -1)
    before = np.maximum.accumulate(rows, axis=0)
    found = np.take_along_axis(table, np.maximum(before, 0), 0)
    return np.where(before >= 0, found, 0.0)


def _side_by_side(
    parts: list[np.ndarray], what: str, faults: Faults, item: str, most: float = 0.02
) -> np.ndarray:
    """Tables cut to the shortest; a large difference is a fault."""
    lengths = [len(part) for part in parts]
    if max(lengths) - min(lengths) > max(most * max(lengths), 5):
        faults.add("lengths differ", what, ", ".join(map(str, lengths)), item)
    shortest = min(lengths)
    return np.concatenate([part[:shortest] for part in parts], 1).astype(np.float32)
