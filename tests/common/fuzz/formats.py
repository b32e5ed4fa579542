"""Small sound files of every format, and how each is read."""

from __future__ import annotations

import io
import shutil
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
from PIL import Image

from fuzz.subjects import Attempt
from jaxdep.data.formats import hdf5, image, kaldi, mat, npy, npz, parquet, table, text, xlsx

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)


def npy_bytes(array: np.ndarray) -> bytes:
    """A `.npy` file of an array."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npy_header(content: str, data: bytes = b"") -> bytes:
    """A `.npy` file with this header."""
    padded = content.encode() + b" " * (-(10 + len(content) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + data


def ark_bytes(entries: Mapping[str, np.ndarray]) -> bytes:
    """A Kaldi archive of float32 matrices."""
    content = b""
    for name, rows in entries.items():
        sizes = b"\4" + struct.pack("<i", rows.shape[0]) + b"\4" + struct.pack("<i", rows.shape[1])
        content += name.encode() + b" \0BFM " + sizes + rows.astype("<f4").tobytes()
    return content


def ark_entries(content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """The names and matrices of an archive from `ark_bytes`."""
    while content:
        name, _, content = content.partition(b" ")
        rows, columns = struct.unpack("<xixi", content[5:15])
        end = 15 + 4 * rows * columns
        yield name.decode(), np.frombuffer(content[15:end], "<f4").reshape(rows, columns)
        content = content[end:]


def npz_bytes() -> bytes:
    """A compressed archive of an array `rows`."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, rows=ROWS, other=ROWS[:1])
    return buffer.getvalue()


def h5_bytes() -> bytes:
    """An HDF5 file with a compressed array `part/rows`."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("part/rows", data=ROWS, compression="gzip", fletcher32=True)
    return buffer.getvalue()


def parquet_bytes() -> bytes:
    """A Parquet file with the columns `a`, `b` and `c`."""
    buffer = io.BytesIO()
    columns = {name: ROWS[:, index] for index, name in enumerate("abc")}
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def xlsx_bytes() -> bytes:
    """A workbook with a sheet `scores`."""
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    sheet: Any = book.active
    sheet.title = "scores"
    for row in (("id", "all"), ("p1", 12), ("p2", 3)):
        sheet.append(row)
    book.save(buffer)
    return buffer.getvalue()


def png_bytes(height: int = 5, width: int = 7) -> bytes:
    """A grey image of increasing values."""
    buffer = io.BytesIO()
    pixels = np.arange(height * width, dtype=np.uint32).astype(np.uint8).reshape(height, width)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def mat_bytes() -> bytes:
    """A compressed MATLAB file of a matrix `feature`, and of a text that is not read."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"feature": ROWS, "note": "of no use"}, do_compression=True)
    return buffer.getvalue()


Read = Callable[[Path, Path], Any]
"""Reads a file, given the folder of its corpus."""

READERS: dict[str, tuple[bytes, Read]] = {
    "npy": (npy_bytes(ROWS), lambda path, root: npy.read(path, root, (None, 3))),
    "npz": (npz_bytes(), lambda path, root: npz.read(path, root, "rows", (None, 3))),
    "h5": (h5_bytes(), lambda path, root: hdf5.read(path, root, "part/rows", (None, 3))),
    "parquet": (parquet_bytes(), lambda path, root: parquet.read(path, root, ("a", "b", "c"))),
    "ark": (ark_bytes({"p1": ROWS, "p2": ROWS[:1]}), lambda p, root: list(kaldi.read(p, root))),
    "xlsx": (xlsx_bytes(), lambda path, root: xlsx.read(path, root, "scores")),
    "png": (png_bytes(), lambda path, root: image.read(path, root, "L")),
    "csv": (b"id,score\r\np1,3\r\n", lambda path, root: list(text.rows(text.read(path, root)))),
    "mat": (mat_bytes(), lambda path, root: mat.read(path, root, "feature", 3)),
    "columns": (
        b"name;a; b\nx;1;2\ny;3;4\n",
        lambda path, root: table.read_columns(path, root, ["b", "a"], ";"),
    ),
    "table": (b"a,b\r\n1,2.5\r\n3,-4e5\r\n", lambda p, root: table.read(p, root, 2, 1)),
}
"""Content of a sound file and its reader, by format."""


def opened(name: str, folder: Path) -> Attempt:
    """Reads damaged files of one format."""
    from fuzz import damage, trees

    content, read = READERS[name]
    path = folder / "corpus" / f"x.{name}"

    def attempt(rng: Random, notes: list[str]) -> None:
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        if rng.random() < 0.8:
            done, broken = damage.any_content(rng, path.name, content)
            path.write_bytes(broken)
            notes.append(done)
        else:
            path.write_bytes(content)
            notes += trees.damaged(rng, path.parent)
        read(path, path.parent)

    return attempt
