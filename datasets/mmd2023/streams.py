"""Reads the streams of MMD2023: spectrograms, face landmarks and sentence embeddings."""

from __future__ import annotations

import struct
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from jaxdep.data import tables
from jaxdep.errors import Faults

ACOUSTIC, VISUAL, EMBEDDING = 513, 204, 768
"""Spectrogram bins; x of 68 landmarks, then y, then z; dimension of a sentence embedding."""

ARK = "text/text.ark"


def acoustic(folder: Path, name: str, faults: Faults) -> np.ndarray:
    """Reads a spectrogram image as [T, 513] float32, 0 to 1; empty if it has a fault."""
    path, empty = folder / "audio_png" / f"{name}.png", np.zeros((0, ACOUSTIC), np.float32)
    where = path.relative_to(folder)
    if not path.is_file():
        faults.add("missing file", where, item=name)
        return empty
    try:
        with warnings.catch_warnings():
            # Ten minutes exceed Pillow's limit on pixels; it still rejects twice as many.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("L"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        faults.add("unreadable image", where, str(error)[:120], name)
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
    from kaldiio import matio

    path, found = folder / ARK, {}
    if not path.is_file():
        faults.add("missing file", ARK, "expected a Kaldi archive of matrices [sentences, 768]")
        return {}
    with path.open("rb") as file:
        while True:
            try:
                name = matio.read_token(file)
                if name is None:
                    return found
                # `load_ark` would unpickle an entry that is marked as pickled.
                if file.read(2) != b"\0B":
                    raise ValueError(f"{name} is not a binary matrix")
                file.seek(-2, 1)
                rows = np.asarray(matio.read_matrix_or_vector(file))
            except (AssertionError, ValueError, TypeError, struct.error, OSError) as error:
                faults.add("unreadable or truncated array", ARK, str(error)[:120])
                return found
            if rows.ndim != 2 or rows.shape[1] != EMBEDDING or not len(rows):
                detail = f"{name}: expected [sentences, {EMBEDDING}], found {list(rows.shape)}"
                faults.add("wrong shape", ARK, detail, name)
            elif not np.isfinite(rows).all():
                bad = int((~np.isfinite(rows)).sum())
                faults.add("NaN or infinity", ARK, f"{name}: {bad} values", name)
            else:
                found[name] = rows.astype(np.float32)
