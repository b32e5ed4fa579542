"""Reads, validates and cuts the interviews of MMD2023."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Interval

from jaxdep.data import checks, interviews, subjects
from jaxdep.data.builder import Scan
from jaxdep.datasets.mmd2023 import labels, streams, transcripts
from jaxdep.errors import Faults
from jaxdep.settings.kinds import FramesPerSecond

UNREAD = {
    "id.weights": "class weights are set by `Task.balanced` instead",
    "run_scaler_text.pth": "it is a pickle, and reading it could execute code",
    "face_features": "landmarks are read from face3d",
}
"""Files of the corpus that are ignored, and why."""


HamdTotal = Annotated[int, Interval(ge=1, le=labels.HIGHEST)]


@dataclass(frozen=True)
class Settings(interviews.SentenceCutter):
    """Options for reading interviews.

    Attributes:
      hamd_from: lowest HAMD total that counts as depressed.
      acoustic_rate: rows per second.
      visual_rate: rows per second.
      legacy_channel_order: whether to reproduce a fault of the published loader, which mixes up the
        streams; needs `cut="released"`.
    """

    hamd_from: HamdTotal = 8
    acoustic_rate: FramesPerSecond = 172.0
    visual_rate: FramesPerSecond = 30.0
    legacy_channel_order: bool = False

    @property
    def rates(self) -> dict[str, float]:
        """Frames per second of each stream."""
        return {"acoustic": self.acoustic_rate, "visual": self.visual_rate}


def scan(folder: Path, settings: Settings) -> Scan:
    """Reads every file of the corpus once; the cut interviews are kept in a temporary folder."""
    found = Scan()
    known = labels.read(folder, settings.hamd_from, found.faults)
    patients = subjects.read(folder, found.faults)
    words = streams.embeddings(folder, found.faults)
    found.warnings += [
        f"{name} is ignored: {why}" for name, why in UNREAD.items() if (folder / name).exists()
    ]
    interviews.gather(
        found,
        known,
        lambda name, repairs: _interview(
            folder, name, words.get(name), settings, found.faults, repairs
        ),
        lambda label, _: {"depression": label.depressed, "hamd": label.score},
        lambda label: patients.get(label.id, {}),
    )
    found.warnings += subjects.warnings(patients, known)
    counts = Counter(item.split for item in found.items)
    if not (folder / "synthetic.json").is_file():
        found.warnings += checks.count_warnings(counts, labels.PUBLISHED)
    found.card = _card(known, settings) | found.card
    return found


def recordings(path: Path, settings: Settings) -> Scan:
    """Reads interviews without labels, as `scan` does.

    Args:
      path: folder in the layout of the corpus; every spectrogram is an interview.
      settings: options for reading.
    """
    found = Scan()
    names = sorted(file.stem for file in (path / "audio_png").glob("*.png"))
    if not names:
        found.faults.add("missing file", "audio_png/<id>.png")
        return found
    words = streams.embeddings(path, found.faults)
    interviews.gather_unlabelled(
        found,
        names,
        lambda name, repairs: _interview(
            path, name, words.get(name), settings, found.faults, repairs
        ),
    )
    return found


def _interview(
    folder: Path,
    name: str,
    words: np.ndarray | None,
    settings: Settings,
    faults: Faults,
    repairs: Counter,
) -> dict[str, dict[str, np.ndarray]] | None:
    """Reads and cuts one interview, which is one item; None if it has a fault."""
    before = len(faults.found)
    released = settings.cut == "released"
    frames = {
        "acoustic": streams.acoustic(folder, name, faults),
        "visual": streams.visual(folder, name, released, faults, repairs),
    }
    times = transcripts.read(folder, name, faults, repairs)
    if times is None and len(faults.found) == before and not released:
        faults.add("missing file", f"txt_csv/{name}.csv", item=name)
    times = np.zeros((0, 2)) if times is None else times
    if words is None and len(times):
        faults.add("missing array", streams.ARK, f"no rows for {name}", name)
    elif words is not None and len(words) < len(times):
        detail = f"{len(words)} rows for {name}, but {len(times)} sentences"
        faults.add("wrong shape", streams.ARK, detail, name)
    if len(faults.found) > before:
        return None
    if not len(times) and not released:
        faults.add("no rows", f"txt_csv/{name}.csv", f"no sentence of {transcripts.PATIENT}", name)
        return None
    words = np.zeros((0, streams.EMBEDDING), np.float32) if words is None else words
    if released:
        frames, words = _stack(frames, words, settings.legacy_channel_order)
    return {name: settings(times, frames, settings.rates, words, [1] * len(times))}


def _stack(
    frames: Mapping[str, np.ndarray], words: np.ndarray, legacy: bool
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Pads the streams with zeros to the longest one, as the published loader does.

    The published loader stacks voice, words and face, while the published network expects voice,
    face and words. With `legacy`, this is reproduced: the first 204 columns of the words serve as
    the face, and the remaining ones, followed by the face, as the words.
    """
    longest = max(len(words), *(len(stream) for stream in frames.values()))
    pad = lambda stream: np.pad(stream, ((0, longest - len(stream)), (0, 0)))
    voice, face, words = pad(frames["acoustic"]), pad(frames["visual"]), pad(words)
    if legacy:
        width = face.shape[1]
        face, words = words[:, :width], np.concatenate([words[:, width:], face], 1)
    return {"acoustic": voice, "visual": face}, words


def _card(known: Mapping[str, labels.Label], settings: Settings) -> dict[str, Any]:
    card: dict[str, Any] = {
        "sentences": f"cut as {settings.cut}, at most {settings.max_sentences or 'all'}",
        "depressed": f"HAMD totals from {settings.hamd_from} on",
    }
    for split in labels.LISTS:
        members = [label for label in known.values() if label.split == split]
        card[split] = {
            "interviews": len(members),
            "depressed": sum(label.depressed for label in members),
        }
    return card
