"""Reads the features of a recording: normalised, brought to one rate, and with its sentences.

Rows that the mask of a modality leaves out are gaps. They count in no statistic and no mean, and
are stored as rows of zeros: with `zscore` the mean of the recording, with `minmax` the minimum,
and without `normalize` just zeros. Models read these like any row: the padding masks of models mark
the ends of sequences only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jaxdep.data import checks, dialogue, functionals
from jaxdep.data.corpus_file import SENTENCES, Description, Files, Modality
from jaxdep.data.formats import matrix
from jaxdep.data.interviews import Scale
from jaxdep.datasets.folder import masks
from jaxdep.errors import BadFileError, Faults

_ORDER = ("acoustic", "visual", "text")
"""Order of the modalities in the columns of `sentences`, see `jaxdep.models.inputs`."""

Arrays = dict[str, np.ndarray]
Masks = dict[str, NDArray[np.bool_]]
"""Which rows of each sequence are not gaps, [T]; of no use for vectors."""

_SLACK = 5
"""Rows by which the sequences of a recording may differ; or 5 % if that is more."""


def read(folder: Path, description: Description, name: str, faults: Faults) -> Arrays | None:
    """Reads all features of a recording, as they are stored.

    Args:
      folder: folder of the corpus.
      description: description of the corpus.
      name: id of the recording.
      faults: receives the faults of the files.

    Returns:
      Sequences [T, D] and vectors [D], float32, by name; for normalised sequences also the
      functionals of what was read, without its gaps; `sentences` [S, 6] int32. None if a file has a
      fault.
    """
    before = len(faults.found)
    arrays: Arrays = {}
    valid: Masks = {}
    for modality, each in description.modalities.items():
        shape = (each.width,) if each.shape == "vector" else (None, each.width)
        if (found := _numbers(folder, each, name, shape, faults)) is not None:
            arrays[modality] = found.astype(np.float64)
            valid[modality] = np.ones(len(found), bool)
        mask = masks.read(folder, each, name, faults) if each.mask else None
        if found is not None and mask is not None:
            masks.check(mask, len(found), each, name, faults)
            valid[modality] = mask
    times = _times(folder, description, name, faults)
    if len(faults.found) > before:
        return None
    # What a file has in a gap, of whatever size, has no meaning.
    for modality in (modality for modality, each in description.modalities.items() if each.mask):
        arrays[modality] = np.where(valid[modality][:, None], arrays[modality], 0)
    _align(arrays, valid, description, name, faults)
    if times is not None:
        sentences = _windows(times, arrays, description, name, faults)
    if len(faults.found) > before:
        return None
    stored: Arrays = {}
    for modality, each in description.modalities.items():
        x = arrays[modality]
        if each.normalize != "none":
            stored[modality + functionals.SUFFIX] = functionals.summarize(x[valid[modality]])
            x = _normalized(x, valid[modality], each)
        stored[modality] = x.astype(np.float32)
    return stored | ({SENTENCES: sentences} if times is not None else {})


def _numbers(
    folder: Path, files: Files, name: str, shape: tuple[int | None, ...], faults: Faults
) -> np.ndarray | None:
    """Reads one file and checks its numbers; None if it has a fault."""
    path = files.path(folder, name)
    where = path.relative_to(folder)
    try:
        found = matrix.read(path, folder, shape, files.how)
    except BadFileError as error:
        faults.add_file(error, where, name)
        return None
    if problem := checks.invalid_numbers(found):
        faults.add("NaN or infinity", where, problem, name)
        return None
    return found


def _normalized(x: np.ndarray, valid: NDArray[np.bool_], modality: Modality) -> np.ndarray:
    """Scales each feature by what this recording alone has of it; constant ones become zero.

    Args:
      x: rows [T, D].
      valid: rows that are not gaps, [T], at least one; only these count, and gaps become zero.
      modality: says how to normalise.
    """
    counted = x[valid]
    if modality.normalize == "zscore":
        scaled = Scale.of(counted).standardise(x)
    else:
        low, high = counted.min(0), counted.max(0)
        scaled = (x - low) / np.where(high > low, high - low, 1)
    return np.where(valid[:, None], scaled, 0)


def _align(
    arrays: Arrays, valid: Masks, description: Description, name: str, faults: Faults
) -> None:
    """Averages the sequences with a rate to the common one, and cuts them to one length.

    Args:
      arrays: features, of which the sequences with a rate are replaced.
      valid: rows that are not gaps, replaced in the same way.
      description: description of the corpus.
      name: id of the recording.
      faults: receives sequences whose lengths differ, and masks that leave no row of what is kept.
    """
    if not description.aligned:
        return
    aligned = [modality for modality in description.modalities if modality in description.aligned]
    for modality in aligned:
        rate, target = description.modalities[modality].rate or 1, description.align or 1
        arrays[modality], valid[modality] = resampled(
            arrays[modality], valid[modality], rate, target
        )
    lengths = {modality: len(arrays[modality]) for modality in aligned}
    shorter, longer = min(lengths.values()), max(lengths.values())
    # A few rows more or less are common; a larger difference means that the streams do not match.
    if longer - shorter > max(_SLACK, 0.05 * longer):
        found = ", ".join(f"{modality} {length}" for modality, length in lengths.items())
        detail = f"rows at {description.align:g} a second: {found}"
        faults.add("lengths differ", name, detail, name)
    for modality in aligned:
        arrays[modality], valid[modality] = arrays[modality][:shorter], valid[modality][:shorter]
        if (each := description.modalities[modality]).mask:
            masks.check(valid[modality], shorter, each, name, faults)  # all may lie beyond the cut


def resampled(
    x: np.ndarray, valid: NDArray[np.bool_], rate: float, target: float
) -> tuple[np.ndarray, NDArray[np.bool_]]:
    """Means of rows [T, D] over the periods of another rate; a period without rows repeats one.

    Row t is taken at the time (t + 1/2) / rate. At 2 rows a second, [[1], [3], [5]] has the means
    [[2], [5]] at 1 a second. Gaps are left out; a period that has no other rows is a gap itself,
    and so is one without rows that repeats a gap.

    Args:
      x: rows, at least one, with zeros in gaps.
      valid: rows that are not gaps, [T].
      rate: rows a second of `x`.
      target: rows a second of the result.

    Returns:
      The means [P, D], with zeros in gaps, and the periods that are not gaps, [P].
    """
    if rate == target:
        return x, valid
    periods = max(1, int(np.ceil(len(x) / rate * target - 1e-6)))
    of = np.minimum((np.arange(len(x)) + 0.5) / rate * target, periods - 1).astype(np.int64)
    sums, counts = np.zeros((periods, x.shape[1])), np.bincount(of, valid, minlength=periods)
    found, first = np.unique(of, return_index=True)
    sums[found] = np.add.reduceat(x, first, axis=0)
    means = sums / np.maximum(counts, 1)[:, None]
    empty = np.bincount(of, minlength=periods) == 0
    nearest = np.clip((np.arange(periods) + 0.5) / target * rate, 0, len(x) - 1).astype(np.int64)
    return (
        np.where(empty[:, None], x[nearest], means),
        np.where(empty, valid[nearest], counts > 0),
    )


def _times(
    folder: Path, description: Description, name: str, faults: Faults
) -> NDArray[np.float64] | None:
    """Start, end and rows of text of each sentence, [S, 3]; None without sentences."""
    if description.sentences is None:
        return None
    found = _numbers(folder, description.sentences, name, (None, None), faults)
    if found is None:
        return None
    where = description.sentences.path(folder, name).relative_to(folder)
    if found.shape[1] not in (2, 3):
        detail = f"found {found.shape[1]}; expected start, end and, for text, its number of rows"
        faults.add("wrong columns", where, detail, name)
        return None
    found = found.astype(np.float64)
    start, end = found[:, 0], found[:, 1]
    rows = found[:, 2] if found.shape[1] == 3 else np.ones(len(found))
    bad = (start < 0) | (end < start) | (rows < 0) | (rows != np.rint(rows)) | (end > 1e6)
    if bad.any():
        line = int(np.flatnonzero(bad)[0])
        detail = f"sentence {line + 1}: from {start[line]:g} to {end[line]:g} s"
        if rows[line] != 1:
            detail += f", {rows[line]:g} rows"
        faults.add("bad sentence", where, detail, name)
        return None
    return np.stack([start, end, rows], 1)


def _windows(
    times: NDArray[np.float64],
    arrays: Arrays,
    description: Description,
    name: str,
    faults: Faults,
) -> np.ndarray:
    """First row and row after the last of each sentence in each modality, [S, 6] int32."""
    windows = []
    for modality in _ORDER:
        rate = description.rate(modality) if modality in arrays else None
        if modality not in arrays or (rate is None and modality != "text"):
            windows.append(np.zeros((len(times), 2), np.int64))
        elif rate is not None:
            windows.append(dialogue.windows(times[:, :2], rate, len(arrays[modality])))
        else:
            ends = times[:, 2].cumsum()
            if ends[-1] != len(arrays["text"]):
                detail = f"{len(arrays['text'])} rows of text; the sentences have {ends[-1]:g}"
                faults.add("lengths differ", name, detail, name)
            windows.append(np.stack([ends - times[:, 2], ends], 1))
    return np.concatenate(windows, 1).astype(np.int32)
