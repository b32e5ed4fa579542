"""Damage to the content of files, drawn from a generator: bytes, tables, arrays and JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import PurePath
from random import Random
from typing import Any

import numpy as np
import openpyxl

from fuzz import formats

CELLS = (
    *(
        "",
        " ",
        "nan",
        "inf",
        "-inf",
        "-1",
        "0",
        "1e400",
        "3e38",
        "1_2",
        "0x10",
        "1.5",
        "12",
        "None",
    ),
    *("٣", "１２", "-1.#IND", "TRUE", "true", "D", "d", "../x", "/abs", "..", "a\\b", "300_1", "x"),
    *("\x1b[31mred", "a\x00b", "a\u2028b", "\u202eabc", "😀", "<script>alert(1)</script>", "=1+1"),
    *('"', "'", '"""', "%s", "{0}", "x" * 200_000, "9" * 5000, "-" * 300),
)
"""Hostile cells of a table, or values of a setting."""

NUMBERS = (np.nan, np.inf, -np.inf, 3e38, -1e16, -1.0, 0.0, 1e-300)
VALUES = (
    *(None, True, -1, 10**30, 0.5, 1e308, float("nan"), float("inf"), "", "x", "../x", "\x1b[31m"),
    *([], {}, [[]], [1, "a"], {"a": 1}, "x" * 200_000),
)
"""Hostile values of JSON."""


def any_content(rng: Random, name: str, content: bytes) -> tuple[str, bytes]:
    """Damages the content of a file by its suffix, or bytes of it.

    Returns:
      What was done, and the new content.
    """
    of_format = BY_SUFFIX.get(PurePath(name).suffix, table)
    change = of_format if rng.random() < 0.75 else some_bytes
    try:
        return change.__name__, change(rng, content)
    except Exception:  # it was damaged before, and cannot be parsed
        return some_bytes.__name__, some_bytes(rng, content)


def some_bytes(rng: Random, content: bytes) -> bytes:
    """Flips, cuts or repeats bytes at one to eight places."""
    broken = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(broken)) if broken else 0
        match rng.choice(("flip", "cut", "repeat")):
            case "flip" if broken:
                broken[at] ^= rng.randint(1, 255)
            case "cut":
                del broken[max(at, 1) :]
            case "repeat":
                broken[at:at] = broken[at : at + 64]
    return bytes(broken)


def table(rng: Random, content: bytes) -> bytes:
    """Changes cells, rows, columns, line ends or the encoding of a table of text."""
    text = content.decode()
    delimiter = "\t" if "\t" in text else ","
    rows = [line.split(delimiter) for line in text.splitlines()] or [[""]]
    row, column = rng.randrange(len(rows)), rng.randrange(len(rows[0]))
    match rng.randrange(12):
        case 0:
            return text.replace("\r\n", "\n").replace("\n", "\r").encode()
        case 1:
            return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-8-sig", "utf-32")))
        case 2:
            rows = rows[1:]
        case 3:
            rows = rows[: rng.choice((0, 1, row))]
        case 4:
            rows.insert(rng.randrange(len(rows) + 1), rows[row])
        case 5:
            del rows[row]
        case 6:
            rows = [cells[:column] + cells[column + 1 :] for cells in rows]
        case 7:
            same = rows[-1][column] if column < len(rows[-1]) else ""
            rows[1:] = [[*cells[:column], same, *cells[column + 1 :]] for cells in rows[1:]]
        case _:
            for _ in range(rng.choice((1, 1, 3))):
                row = rng.randrange(len(rows))
                rows[row][rng.randrange(len(rows[row]))] = rng.choice(CELLS)
    return ("\n".join(delimiter.join(cells) for cells in rows) + "\n").encode()


def array(rng: Random, content: bytes) -> bytes:
    """Changes numbers, the shape or the type of a `.npy` array."""
    stored = np.load(io.BytesIO(content))
    match rng.randrange(4):
        case 0:
            return formats.npy_header(
                f"{{'descr': '{rng.choice(('<f4', '<f8', '|O', '<U9'))}', 'fortran_order': False,"
                f" 'shape': {rng.choice(('(1000000000000, 3)', '(-4, 3)', '()', '(True, 3)'))}, }}"
            )
        case 1:
            changed = stored.astype(stored.dtype if stored.dtype.kind == "f" else np.float64)
            for _ in range(rng.choice((1, 5))):
                changed.flat[rng.randrange(max(changed.size, 1))] = rng.choice(NUMBERS)
        case 2:
            shapes = (stored[:0], stored[:1], stored.T, stored[..., None], stored.ravel())
            changed = rng.choice((*shapes, np.concatenate([stored] * 9), np.asfortranarray(stored)))
        case _:
            types = ("f2", ">f8", "f8", "i8", "u1", "?", "c8", "U3", "O", "g")
            changed = stored.astype(rng.choice(types))
    return formats.npy_bytes(changed)


def archive(rng: Random, content: bytes) -> bytes:
    """Changes or drops one array of an `.npz` archive."""
    with np.load(io.BytesIO(content)) as stored:
        arrays = dict(stored)
    name = rng.choice(sorted(arrays))
    changed = arrays.pop(name)
    if rng.random() < 0.7:
        changed = rng.choice((changed[:0], changed[:1], changed.T, changed.astype("U3")))
        arrays[rng.choice((name, name, "other"))] = changed
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def workbook(rng: Random, content: bytes) -> bytes:
    """Changes cells, the name of the sheet, or columns of a workbook."""
    book, buffer = openpyxl.load_workbook(io.BytesIO(content)), io.BytesIO()
    sheet: Any = book.active
    match rng.randrange(6):
        case 0:
            sheet.title = "other"
        case 1:
            sheet.delete_cols(rng.randint(1, 2))
        case 2:
            sheet.delete_rows(rng.randint(1, sheet.max_row), rng.choice((1, sheet.max_row)))
        case _:
            cell = sheet.cell(rng.randint(1, sheet.max_row), rng.randint(1, sheet.max_column))
            allowed = [text for text in CELLS if text.isprintable() and len(text) < 32_000]
            cell.value = rng.choice((*allowed, -1, 1e300, True, 3.5, 10**20))
    book.save(buffer)
    return buffer.getvalue()


def kaldi_archive(rng: Random, content: bytes) -> bytes:
    """Changes one matrix of a Kaldi archive, or its name."""
    entries = dict(formats.ark_entries(content))
    name = rng.choice(sorted(entries))
    rows = entries.pop(name).copy()
    match rng.randrange(4):
        case 0:
            rows.flat[rng.randrange(rows.size)] = rng.choice(NUMBERS)
        case 1:
            rows = rng.choice((rows[:0], rows[:1], rows.T))
        case 2:
            name = rng.choice(("", "../x", "other", "a\x1b[31m", "é" * 300))
        case _:
            return formats.ark_bytes(entries)
    return formats.ark_bytes({**entries, name: rows})


def image(rng: Random, content: bytes) -> bytes:
    """Replaces an image by one of another size."""
    return formats.png_bytes(rng.choice((1, 513, 512)), rng.choice((1, 7, 3000)))


def json_text(rng: Random, content: bytes) -> bytes:
    """Replaces or removes a value of a JSON document, at any depth."""
    if rng.random() < 0.1:
        return rng.choice((b"[" * 10**5, b'{"a":' * 10**5, b"[]", b"null", b"1", b"NaN", b"{}"))
    document = {"": json.loads(content)}
    places = list(_places(document))
    parent, key = rng.choice(places)
    if rng.random() < 0.3:
        del parent[key]
    else:
        parent[key] = rng.choice(VALUES)
    return json.dumps(document.get("")).encode()


def json_lines(rng: Random, content: bytes) -> bytes:
    """Damages one line of JSON lines, or their order."""
    lines = content.splitlines()
    row = rng.randrange(len(lines))
    match rng.randrange(3):
        case 0:
            rng.shuffle(lines)
        case 1:
            del lines[row]
        case _:
            lines[row] = json_text(rng, lines[row])
    return b"\n".join(lines) + b"\n"


def _places(parent: Any) -> Any:
    """All pairs of a list or mapping and an index or key in it, at any depth."""
    for key, value in list(parent.items() if isinstance(parent, dict) else enumerate(parent)):
        yield parent, key
        if isinstance(value, dict | list):
            yield from _places(value)


BY_SUFFIX: dict[str, Callable[[Random, bytes], bytes]] = {
    ".npy": array,
    ".npz": archive,
    ".xlsx": workbook,
    ".ark": kaldi_archive,
    ".png": image,
    ".json": json_text,
    ".jsonl": json_lines,
}
"""Damage by suffix; other files are tables of text."""
