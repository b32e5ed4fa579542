"""Reads which rows of a modality hold something: the others are gaps, such as without a face."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from jaxdep.data.corpus_file import ID, Modality
from jaxdep.data.formats import matrix
from jaxdep.errors import BadFileError, Faults


def read(folder: Path, modality: Modality, name: str, faults: Faults) -> NDArray[np.bool_] | None:
    """Reads the mask of a recording, [T], true for the rows that are not gaps.

    Args:
      folder: folder of the corpus.
      modality: a modality with a mask.
      name: id of the recording.
      faults: receives a file that cannot be read, and values other than 0 and 1.

    Returns:
      The mask, or None if it has a fault.
    """
    pattern = modality.mask or ""
    where = pattern.replace(ID, name)
    # A table has a column of it; in the other formats a mask is a vector.
    in_table = PurePosixPath(pattern).suffix in matrix.NAMED
    shape = (None, 1) if in_table else (None,)
    how = matrix.How(header=modality.header)
    try:
        found = matrix.read(folder / where, folder, shape, how, booleans=True).ravel()
    except BadFileError as error:
        faults.add_file(error, where, name)
        return None
    wrong = np.flatnonzero((found != 0) & (found != 1))  # NaN is neither
    if len(wrong):
        detail = f"row {wrong[0] + 1} is {found[wrong[0]]:g}; expected 0 or 1"
        faults.add("bad mask", where, detail, name)
        return None
    return found.astype(bool)


def check(
    mask: NDArray[np.bool_], rows: int, modality: Modality, name: str, faults: Faults
) -> None:
    """Finds a mask that does not belong to the rows of its modality, or leaves none of them.

    Args:
      mask: as `read` returns it.
      rows: number of rows of the recording.
      modality: a modality with a mask.
      name: id of the recording.
      faults: receives the fault.
    """
    where = (modality.mask or "").replace(ID, name)
    if len(mask) != rows:
        detail = f"{len(mask)} values for the {rows} rows of {modality.files.replace(ID, name)}"
        faults.add("lengths differ", where, detail, name)
    elif not mask.any():
        faults.add("no rows", where, f"the mask keeps none of {rows}", name)
