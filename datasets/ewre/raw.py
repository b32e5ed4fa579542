"""Reads and validates the files of EWRE as distributed."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from jaxdep.data import checks, subjects
from jaxdep.data.builder import Item, Scan
from jaxdep.data.formats import names, npy, text
from jaxdep.errors import BadFileError, Faults
from jaxdep.settings.kinds import Count

SPLITS = ("train", "val")
LABELS = ("healthy", "depressed")
SIZE, WIDTH = 224, 1000
"""Side length of a face in pixels, and number of voice features per word."""

_PARTS = ("face", "voice")
_LABEL_INDEX = -4  # in the file stem: D if the reader is depressed


@dataclass(frozen=True)
class Settings:
    """Options for reading recordings.

    Attributes:
      n_words: number of words kept, from the first on.
      face_size: pixels per side; smaller faces are averages over squares of pixels.
      faces: type of the pixels; None for `uint8` if all files have that type, else `float32`.
    """

    n_words: Count = 24
    face_size: Literal[1, 2, 4, 7, 8, 14, 16, 28, 32, 56, 112, 224] = SIZE
    faces: Literal["uint8", "float32"] | None = None


def format_of(folder: Path) -> str:
    """Returns `uint8` if all face files have this type, else `float32`."""
    for path in folder.glob("*/face/*.npy"):
        try:
            if npy.dtype_of(path, folder) != np.uint8:
                return "float32"
        except BadFileError:
            continue  # the scan reports the fault
    return "uint8"


def scan(folder: Path, settings: Settings) -> Scan:
    """Reads every file of the corpus once.

    Args:
      folder: folder given by the user, with `train`, `val` and optionally `words.txt` and
        `subjects.csv`.
      settings: options for reading.
    """
    found = Scan()
    recordings = _recordings(folder, found.faults)
    known = subjects.of_recordings(folder, found.faults)
    contents = []
    for name, split in recordings.items():
        read = _read(folder / split, name, folder, settings, found.faults)
        if read:
            contents.append((hashlib.md5(read["acoustic"].tobytes()).hexdigest(), split))
        load = lambda name=name, split=split: {
            **(_read(folder / split, name, folder, settings, Faults()) or {}),
            "depression": _label(name),
        }
        attributes = dict(known.get(name, {}))
        subject = attributes.pop("subject", "")
        found.items.append(Item(name, split, load, subject, attributes=attributes))
    found.warnings += subjects.warnings(known, recordings, "recordings")
    readers = [(item.subject, item.split) for item in found.items if item.subject]
    if repeated := checks.subjects_in_two_splits(readers):
        found.warnings.append(
            f"SUBJECT LEAKAGE: {len(repeated)} readers are in both splits; scores are optimistic"
        )
    if repeated := checks.subjects_in_two_splits(contents):
        found.warnings.append(
            f"{len(repeated)} recordings have the same voice in two splits; the files have no"
            " reader ids, so more readers may be in both"
        )
    counts = Counter(item.split for item in found.items)
    found.warnings += checks.count_warnings(counts, {split: counts[split] for split in SPLITS})
    found.card = {
        split: dict(Counter(_label(n) for n, s in recordings.items() if s == split))
        for split in SPLITS
    }
    if words := _words(folder, settings, found.faults):
        found.card["words"] = words
    return found


def recordings(path: Path, settings: Settings) -> Scan:
    """Reads recordings without labels; their stems are free.

    Args:
      path: folder with `face` and `voice`, or one that contains such folders.
      settings: options for reading.
    """
    found = Scan()
    folders: dict[str, Path] = {}
    for file in sorted(file for part in _PARTS for file in path.rglob(f"{part}/*.npy")):
        folder, where = file.parents[1], str(file.relative_to(path))
        if folders.setdefault(file.stem, folder) != folder:
            detail = f"{file.stem} is also in {folders[file.stem].relative_to(path)}"
            found.faults.add("duplicate id", where, detail, file.stem)
    if not folders:
        found.faults.add("missing file", path, "expected face/<id>.npy and voice/<id>.npy")
    for name, folder in folders.items():
        _read(folder, name, path, settings, found.faults)
        load = lambda name=name, folder=folder: dict(
            _read(folder, name, path, settings, Faults()) or {}
        )
        found.items.append(Item(name, "", load))
    return found


def _recordings(folder: Path, faults: Faults) -> dict[str, str]:
    """Finds the recordings with a face or voice file, and their splits."""
    found: dict[str, str] = {}
    for split in SPLITS:
        stems = {p.stem for part in _PARTS for p in (folder / split / part).glob("*.npy")}
        for stem in sorted(stems):
            where = f"{split}/*/{stem}.npy"
            label = stem[_LABEL_INDEX:][:1] if len(stem) >= -_LABEL_INDEX else ""
            if not (label.isascii() and label.isupper()):
                expected = "expected the label as fourth-to-last letter, in upper case"
                faults.add("bad id", where, expected, stem)
            elif problem := names.fault_of(stem):
                faults.add("bad id", repr(where), problem, stem)
            elif found.setdefault(stem, split) != split:
                faults.add("duplicate id", f"{split}/*/{stem}.npy", "also in train", stem)
    if not found and not faults:
        faults.add("missing file", "<train|val>/<face|voice>/*.npy")
    return found


def _label(stem: str) -> str:
    return LABELS[stem[_LABEL_INDEX] == "D"]


def _read(
    folder: Path, name: str, root: Path, settings: Settings, faults: Faults
) -> dict[str, np.ndarray] | None:
    """Reads face and voice of the first words of a recording; None if either has a fault.

    Args:
      folder: folder with `face` and `voice`.
      name: stem of the recording's files.
      root: folder given by the user.
      settings: options for reading.
      faults: receives the faults of the files.
    """
    path = lambda part: folder / part / f"{name}.npy"
    face = checks.read_numbers(path("face"), root, (SIZE, SIZE, None), faults, name)
    voice = checks.read_array(path("voice"), root, WIDTH, faults, name)
    if face is None or voice is None:
        return None
    before = len(faults.found)
    for part, words in (("face", face.shape[2]), ("voice", len(voice))):
        if words < settings.n_words:
            detail = f"found {words}; n_words={settings.n_words}"
            faults.add("too few words", path(part).relative_to(root), detail, name)
    if settings.faces == "uint8" and not _fits_uint8(face):
        detail = "faces=uint8 requires integers from 0 to 255"
        faults.add("not bytes", path("face").relative_to(root), detail, name)
    if len(faults.found) > before:
        return None
    return {"visual": _flatten(face, settings), "acoustic": voice[: settings.n_words]}


def _fits_uint8(face: np.ndarray) -> bool:
    """Whether uint8 can represent all values."""
    return face.dtype == np.uint8 or bool(
        ((face == np.rint(face)) & (face >= 0) & (face < 256)).all()
    )


def _flatten(face: np.ndarray, settings: Settings) -> np.ndarray:
    """Flattens the face of each word (DEP-Former, §1), in the size and type of the settings."""
    frames = np.moveaxis(face[..., : settings.n_words], 2, 0)
    size, factor = settings.face_size, SIZE // settings.face_size
    if factor > 1:
        squares = frames.reshape(len(frames), size, factor, size, factor)
        frames = squares.mean((2, 4), dtype=np.float32)
        if settings.faces == "uint8":
            frames = np.rint(frames)
    return np.ascontiguousarray(frames.reshape(len(frames), -1)).astype(settings.faces)


def _words(folder: Path, settings: Settings, faults: Faults) -> list[str]:
    """Reads the words, if `words.txt` exists."""
    path = folder / "words.txt"
    if not path.is_file():
        return []
    try:
        lines = text.read(path, folder).split("\n")
    except BadFileError as error:
        faults.add_file(error, "words.txt")
        return []
    words = [line.strip() for line in lines if line.strip()]
    if len(words) < settings.n_words:
        faults.add("too few words", "words.txt", f"found {len(words)}; n_words={settings.n_words}")
    return words[: settings.n_words]
