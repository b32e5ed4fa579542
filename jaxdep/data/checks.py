"""Checks of raw arrays, splits and subjects, shared by all corpora."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from jaxdep.data.formats import npy, numbers
from jaxdep.errors import BadFileError, Faults


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
    try:
        array = npy.read(path, root, shape)
    except BadFileError as error:
        faults.add_file(error, where, item)
        return None
    if problem := invalid_numbers(array):
        faults.add("NaN or infinity", where, problem, item)
        return None
    return array


def invalid_numbers(array: np.ndarray) -> str:
    """Counts of the values that cannot be features; empty if there are none."""
    if array.dtype.kind in "iu" and array.dtype.itemsize < 8:
        return ""
    nan, infinite = np.isnan(array).sum(), np.isinf(array).sum()
    large = ((array > numbers.LARGEST) | (array < -numbers.LARGEST)).sum() - infinite
    if not (nan or infinite or large):
        return ""
    return f"{nan} NaN, {infinite} infinite, {large} beyond {numbers.LARGEST:g}"


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
