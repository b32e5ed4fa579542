"""Reads the streams of MMD2023: spectrograms, face landmarks and sentence embeddings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from jaxdep.data import checks, tables
from jaxdep.data.formats import image, kaldi
from jaxdep.errors import BadFileError, Faults

ACOUSTIC, VISUAL, EMBEDDING = 513, 204, 768
"""Spectrogram bins; x of 68 landmarks, then y, then z; dimension of a sentence embedding."""

ARK = "text/text.ark"


def acoustic(folder: Path, name: str, faults: Faults) -> np.ndarray:
    """Reads a spectrogram image as [T, 513] float32, 0 to 1; empty if it has a fault."""
    path, empty = folder / "audio_png" / f"{name}.png", np.zeros((0, ACOUSTIC), np.float32)
    where = path.relative_to(folder)
    try:
        pixels = image.read(path, folder, "L")
    except BadFileError as error:
        faults.add_file(error, where, name)
        return empty
    if pixels.shape[0] != ACOUSTIC:
        detail = f"expected {ACOUSTIC} rows of pixels, found {pixels.shape[0]}"
        faults.add("wrong shape", where, detail, name)
        return empty
    return pixels.T.astype(np.float32) / np.float32(255)


def visual(folder: Path, name: str, released: bool, faults: Faults, repairs: Counter) -> np.ndarray:
    """Reads face landmarks [T, 204] float32; empty if the file has a fault.

    A row that contains `-1.#IND` is replaced by the preceding row. With `released`, such rows are
    removed and zeros appended instead, and x, y and z are each scaled to 0..1 over landmarks and
    frames.
    """
    path = folder / "face3d" / f"{name}.txt"
    table = tables.read(path, 1 + VISUAL, 1, folder, faults, name)[:, 1:]
    if not len(table):
        return np.zeros((0, VISUAL), np.float32)
    kind = "face3d rows without numbers"
    if not released:
        return tables.fill_invalid(table, kind, repairs, whole_rows=True).astype(np.float32)
    good = tables.are_numbers(table).all(1)
    repairs[kind] += int((~good).sum())
    rows = np.zeros_like(table)
    rows[: good.sum()] = table[good]
    axes = rows.reshape(len(rows), 3, -1)
    low, high = axes.min((0, 2), keepdims=True), axes.max((0, 2), keepdims=True)
    axes = (axes - low) / np.where(high > low, high - low, 1)
    return axes.reshape(rows.shape).astype(np.float32)


def embeddings(folder: Path, faults: Faults) -> dict[str, np.ndarray]:
    """Reads the embeddings of each id from the Kaldi archive, [sentences, 768] float32."""
    found = {}
    try:
        for name, rows in kaldi.read(folder / ARK, folder):
            if rows.shape[1] != EMBEDDING or not len(rows):
                detail = f"{name}: expected [sentences, {EMBEDDING}], found {list(rows.shape)}"
                faults.add("wrong shape", ARK, detail, name)
            elif problem := checks.invalid_numbers(rows):
                faults.add("NaN or infinity", ARK, f"{name}: {problem}", name)
            elif name in found:
                faults.add("duplicate id", ARK, name, name)
            else:
                found[name] = rows.astype(np.float32)
    except BadFileError as error:
        faults.add_file(error, ARK)
    return found
