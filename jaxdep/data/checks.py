"""Checks of raw arrays, splits and subjects, shared by all corpora."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from jaxdep.errors import Faults


def read_array(path: Path, root: Path, width: int, faults: Faults, item: str) -> np.ndarray | None:
    """Reads an array [T, width] as float32; see `read_numbers`."""
    array = read_numbers(path, root, (None, width), faults, item)
    return None if array is None else array.astype(np.float32)


def read_numbers(
    path: Path, root: Path, shape: Sequence[int | None], faults: Faults, item: str
) -> np.ndarray | None:
    """Reads a numeric array from a `.npy` file without conversion, and checks it.

    Args:
      path: the file.
      root: folder given by the user; faults report the path relative to it.
      shape: expected shape; None for a variable length T of at least 1.
      faults: receives the faults of the file.
      item: id of the recording that the array belongs to.

    Returns:
      The array, or None if it has a fault.
    """
    where = path.relative_to(root)
    if not path.is_file():
        faults.add("missing file", where, item=item)
        return None
    try:
        array = np.load(path, allow_pickle=False)
    except ValueError as error:
        pickled = "pickle" in str(error).lower()
        kind = "pickled array (refused)" if pickled else "unreadable or truncated array"
        faults.add(kind, where, "" if pickled else str(error), item)
        return None
    except (OSError, EOFError) as error:
        faults.add("unreadable or truncated array", where, str(error), item)
        return None
    problem = _problem(array, shape)
    if problem:
        faults.add(*_at(problem, str(where)), item=item)
        return None
    return array


def subjects_in_two_splits(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Finds subjects that occur in more than one split.

    Args:
      pairs: pairs (subject, split); a subject may also be a hash of a recording's content.

    Returns:
      The splits of each subject that occurs in more than one.
    """
    seen: dict[str, set[str]] = defaultdict(set)
    for subject, split in pairs:
        seen[subject].add(split)
    return {subject: splits for subject, splits in seen.items() if len(splits) > 1}


def count_warnings(counts: dict[str, int], published: dict[str, int]) -> list[str]:
    """Returns warnings about splits that are missing or differ from the published sizes."""
    warnings = []
    for split, number in published.items():
        count = counts.get(split, 0)
        if not count:
            warnings.append(f"The {split} split is missing.")
        elif count != number:
            warnings.append(f"{split} has {count} recordings; the published corpus has {number}.")
    return warnings


def _problem(array: object, shape: Sequence[int | None]) -> tuple[str, str] | None:
    """Kind and detail of the first fault of an array, if any."""
    if not isinstance(array, np.ndarray):
        return "unreadable or truncated array", "expected one array, found an archive"
    if array.dtype.kind not in "fiu":
        return "not numeric", f"type {array.dtype}"
    expected = f"[{', '.join('T' if size is None else str(size) for size in shape)}]"
    same = len(shape) == array.ndim
    if not same or any(size not in (None, n) for size, n in zip(shape, array.shape, strict=True)):
        return "wrong shape", f"expected {expected}, found {list(array.shape)}"
    if not array.size:
        return "no rows", f"expected {expected} with T > 0"
    if array.dtype.kind != "f":
        return None
    bad = np.isnan(array).sum(), np.isinf(array).sum()
    # A float64 beyond the range of float32 would only become infinite when it is stored.
    with np.errstate(over="ignore"):
        large = np.isinf(array.astype(np.float32)).sum() - bad[1]
    if any(bad) or large:
        return "NaN or infinity", f"{bad[0]} NaN, {bad[1]} infinite, {large} too large for float32"
    return None


def _at(problem: tuple[str, str], where: str) -> tuple[str, str, str]:
    return problem[0], where, problem[1]
