"""Reads EWRE's files as they are distributed, and says what is wrong with them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxdep.data import checks
from jaxdep.data.builder import Item, Scan
from jaxdep.errors import Faults, UserError

SPLITS = ("train", "val")
LABELS = ("healthy", "depressed")
SIZE, WIDTH = 224, 1000
"""Pixels of a face's side; numbers of a word's voice."""

_PARTS = ("face", "voice")
_LETTER = -4  # of a stem: D where the reader is depressed


@dataclass(frozen=True)
class Settings:
    """How recordings are read; see the builder's options."""

    n_words: int = 24
    face_size: int = SIZE
    faces: str = "float32"

    def __post_init__(self) -> None:
        """Refuses what cannot be read so."""
        if self.face_size < 1 or SIZE % self.face_size:
            raise UserError(f"face_size={self.face_size}: give a divisor of {SIZE}")
        if self.faces not in ("uint8", "float32"):
            raise UserError(f"faces={self.faces}: there are uint8 and float32")
        if self.n_words < 1:
            raise UserError(f"n_words={self.n_words}: give a number from 1")


def format_of(folder: Path) -> str:
    """`uint8` where every face is stored so, else `float32`."""
    for path in folder.glob("*/face/*.npy"):
        try:
            if np.load(path, mmap_mode="r", allow_pickle=False).dtype != np.uint8:
                return "float32"
        except (ValueError, OSError, EOFError):
            continue  # the scan says what is wrong with it
    return "uint8"


def scan(folder: Path, settings: Settings) -> Scan:
    """Reads every file of the corpus once.

    Args:
      folder: what the user named: `train` and `val`, and perhaps `words.txt`.
    """
    found = Scan()
    recordings = _recordings(folder, found.faults)
    contents = []
    for name, split in recordings.items():
        read = _read(folder, split, name, settings, found.faults)
        if read:
            contents.append((hashlib.md5(read["acoustic"].tobytes()).hexdigest(), split))
        load = lambda name=name, split=split: {
            **(_read(folder, split, name, settings, Faults()) or {}),
            "depression": _label(name),
        }
        found.items.append(Item(name, split, load))
    if repeated := checks.subjects_in_two_splits(contents):
        found.warnings.append(
            f"{len(repeated)} recordings have the same voice in two splits; files name no readers,"
            " so more of them may be in both"
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


def _recordings(folder: Path, faults: Faults) -> dict[str, str]:
    """Every recording that has a file of face or voice, and its split."""
    found: dict[str, str] = {}
    for split in SPLITS:
        stems = {p.stem for part in _PARTS for p in (folder / split / part).glob("*.npy")}
        for stem in sorted(stems):
            if len(stem) < -_LETTER:
                where = f"{split}/*/{stem}.npy"
                faults.add("bad id", where, "the 4th-last letter of a stem is the label", stem)
            elif found.setdefault(stem, split) != split:
                faults.add("duplicate id", f"{split}/*/{stem}.npy", "also in train", stem)
    if not found and not faults:
        faults.add("missing file", "<train|val>/<face|voice>/*.npy")
    return found


def _label(stem: str) -> str:
    return LABELS[stem[_LETTER] == "D"]


def _read(
    folder: Path, split: str, name: str, settings: Settings, faults: Faults
) -> dict[str, np.ndarray] | None:
    """Face and voice of a recording's first words; None if either has a fault."""
    path = lambda part: folder / split / part / f"{name}.npy"
    face = checks.read_numbers(path("face"), folder, (SIZE, SIZE, None), faults, name)
    voice = checks.read_array(path("voice"), folder, WIDTH, faults, name)
    if face is None or voice is None:
        return None
    before = len(faults.found)
    for part, words in (("face", face.shape[2]), ("voice", len(voice))):
        if words < settings.n_words:
            detail = f"{words}; n_words={settings.n_words}"
            faults.add("too few words", path(part).relative_to(folder), detail, name)
    if settings.faces == "uint8" and not _whole(face):
        detail = "faces=uint8 needs whole numbers from 0 to 255"
        faults.add("not bytes", path("face").relative_to(folder), detail, name)
    if len(faults.found) > before:
        return None
    return {"visual": _flat(face, settings), "acoustic": voice[: settings.n_words]}


def _whole(face: np.ndarray) -> bool:
    """Whether a byte holds each number."""
    return face.dtype == np.uint8 or bool(
        ((face == np.rint(face)) & (face >= 0) & (face < 256)).all()
    )


def _flat(face: np.ndarray, settings: Settings) -> np.ndarray:
    """A row of pixels for each word (A2), of the size and format asked for."""
    frames = np.moveaxis(face[..., : settings.n_words], 2, 0)
    size, wide = settings.face_size, SIZE // settings.face_size
    if wide > 1:
        squares = frames.reshape(len(frames), size, wide, size, wide)
        frames = squares.mean((2, 4), dtype=np.float32)
        if settings.faces == "uint8":
            frames = np.rint(frames)
    return np.ascontiguousarray(frames.reshape(len(frames), -1)).astype(settings.faces)


def _words(folder: Path, settings: Settings, faults: Faults) -> list[str]:
    """The words that are read, if they are named."""
    path = folder / "words.txt"
    if not path.is_file():
        return []
    lines = path.read_bytes().decode("utf-8-sig", errors="replace").splitlines()
    words = [line.strip() for line in lines if line.strip()]
    if len(words) < settings.n_words:
        faults.add("too few words", "words.txt", f"{len(words)}; n_words={settings.n_words}")
    return words[: settings.n_words]
