"""Checks of raw arrays, splits and subjects, shared by all corpora."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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


def cut_to_shorter(
    arrays: Mapping[str, np.ndarray], tolerance: float, where: str, faults: Faults, item: str
) -> dict[str, np.ndarray] | None:
    """Cuts the modalities of a recording to the same number of frames.

    Args:
      arrays: frames [T, D] by modality.
      tolerance: part of the longer one by which they may differ; 5 frames are never too many.
      where: place that a fault names.
      faults: receives larger differences, which mean that the streams do not match.
      item: id of the recording.

    Returns:
      The arrays, or None if they differ by more.
    """
    lengths = [len(array) for array in arrays.values()]
    shorter, longer = min(lengths), max(lengths)
    if longer - shorter > max(5, tolerance * longer):
        detail = ", ".join(f"{name} {len(array)} rows" for name, array in arrays.items())
        faults.add("lengths differ", where, detail, item)
        return None
    return {name: array[:shorter] for name, array in arrays.items()}


def content(arrays: Mapping[str, np.ndarray]) -> str:
    """Hash of a recording's arrays, by which copies are found."""
    sha = hashlib.blake2b(digest_size=16)
    for array in arrays.values():
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def copies(contents: Iterable[tuple[str, str]]) -> list[str]:
    """Warns of recordings that are in two splits, where the files name no subjects.

    Args:
      contents: pairs (`content`, split).
    """
    repeated = subjects_in_two_splits(contents)
    if not repeated:
        return []
    return [
        f"{len(repeated)} recordings have the same content in two splits; the files have no"
        " subject ids, so more subjects may be in both"
    ]


def frames_statistics(frames: Iterable[int]) -> dict[str, float]:
    """Lengths of recordings for the corpus card."""
    lengths = np.asarray(sorted(frames) or [0])
    return {
        "shortest": int(lengths[0]),
        "median": float(np.median(lengths)),
        "mean": round(float(lengths.mean()), 1),
        "longest": int(lengths[-1]),
    }


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
