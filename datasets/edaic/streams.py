"""Reads the feature files of E-DAIC, with the rate that their time stamps show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxdep.data import checks, openface, tables
from jaxdep.data.formats import mat, table
from jaxdep.datasets.edaic import layout
from jaxdep.errors import BadFileError, Faults

WIDTHS = {"egemaps": 23, "mfcc": 39, "openface": 49, "resnet": 2048, "vgg": 4096}
"""Number of features that the published loaders read."""

RATES = {"egemaps": 100.0, "mfcc": 100.0, "openface": 30.0, "resnet": 30.0, "vgg": 30.0}
"""Rows per second as documented; recordings differ."""

VARIABLE = "feature"
"""Name of the matrix in the MATLAB files."""


class _Table(NamedTuple):
    delimiter: str
    clock: str
    leading: tuple[str, ...]


_TABLES = {
    "egemaps": _Table(";", "frameTime", ("name", "frameTime")),
    "mfcc": _Table(";", "frameTime", ("name", "frameTime")),
    "openface": _Table(",", "timestamp", openface.LEADING),
}


class Stream(NamedTuple):
    """Frames [T, D] float32 of an interview, and their number per second."""

    frames: np.ndarray
    rate: float


def width(path: Path, root: Path, kind: str) -> int:
    """Number of features of a file, from its header.

    Raises:
      BadFileError: the file has no such header.
    """
    if kind in _TABLES:
        return len(_features(path, root, kind))
    found = mat.shape(path, root, VARIABLE)
    if len(found) != 2:
        raise BadFileError("wrong shape", f"expected [T, D], found {list(found)}")
    return found[1]


def read(
    directory: Path,
    name: str,
    kind: str,
    expected: int,
    root: Path,
    faults: Faults,
    repairs: Counter,
) -> Stream | None:
    """Reads a stream of an interview; None if its file has a fault.

    Args:
      directory: folder of the interview.
      name: id of the interview.
      kind: one of `layout.FEATURES`.
      expected: number of features.
      root: folder given by the user; faults report paths relative to it.
      faults: receives the faults.
      repairs: counts repaired values, and streams without usable time stamps.
    """
    path = layout.feature_file(directory, name, kind)
    try:
        read = _table if kind in _TABLES else _matrix
        frames, times = read(path, root, kind, expected, repairs)
    except BadFileError as error:
        faults.add_file(error, path.relative_to(root), name)
        return None
    if times is None and kind not in _TABLES:
        times = _video_times(directory, name, root, len(frames))
    rate = openface.rate(times)
    if rate is None:
        repairs[
            f"{kind} files without usable time stamps, read at {RATES[kind]:g} rows a second"
        ] += 1
        rate = RATES[kind]
    if not RATES[kind] / 2 <= rate <= 2 * RATES[kind]:
        detail = f"{rate:.1f} rows a second; expected about {RATES[kind]:g}"
        faults.add("wrong rate", path.relative_to(root), detail, name)
        return None
    return Stream(frames.astype(np.float32), rate)


def _features(path: Path, root: Path, kind: str) -> list[str]:
    delimiter, clock, leading = _TABLES[kind]
    names = table.header(path, root, delimiter)
    if clock not in names:
        raise BadFileError("wrong header", f"no column {clock}", 1)
    return [name for name in names if name not in leading]


def _table(
    path: Path, root: Path, kind: str, expected: int, repairs: Counter
) -> tuple[np.ndarray, np.ndarray | None]:
    delimiter, clock, _ = _TABLES[kind]
    names = _features(path, root, kind)
    if len(names) != expected:
        raise BadFileError("wrong shape", f"{len(names)} features; expected {expected}")
    rows = table.read_columns(path, root, [clock, *names], delimiter)
    if not tables.are_numbers(rows[:, 1:]).any():
        raise BadFileError("not numeric", "no cell holds a number")
    what = f"{kind} values that are not finite"
    return tables.fill_invalid(rows[:, 1:], what, repairs), rows[:, 0]


def _matrix(
    path: Path, root: Path, kind: str, expected: int, repairs: Counter
) -> tuple[np.ndarray, None]:
    frames = mat.read(path, root, VARIABLE, expected)
    if problem := checks.invalid_numbers(frames):
        raise BadFileError("NaN or infinity", problem)
    return frames, None


def _video_times(directory: Path, name: str, root: Path, rows: int) -> np.ndarray | None:
    """Time stamps of OpenFace's table, if it has as many rows; the matrices have none."""
    path = layout.feature_file(directory, name, "openface")
    try:
        times = table.read_columns(path, root, ["timestamp"])[:, 0]
    except BadFileError:
        return None
    return times if len(times) == rows else None


def common(files: list[Path], root: Path, kind: str, otherwise: int) -> int:
    """The number of features that most files have; others have a fault, which `read` finds."""
    found: Counter[int] = Counter()
    for path in files:
        try:
            found[width(path, root, kind)] += 1
        except BadFileError:
            continue
    # Of equally frequent widths, the documented one, so that the order of files does not matter.
    best: Callable[[int], tuple[int, bool, int]] = lambda w: (found[w], w == WIDTHS[kind], -w)
    return max(found, key=best) if found else otherwise
