"""Reads DAIC-WOZ's interviews, each file once, has them cut, and says what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import checks, interviews
from jaxdep.data.builder import Scan
from jaxdep.datasets.daicwoz import labels, tables, transcripts
from jaxdep.errors import Faults

ACOUSTIC = {"covarep": tables.COVAREP + tables.FORMANT, "egemaps": tables.EGEMAPS}
"""Features of a frame of the voice, by where they come from."""

VISUAL = sum(tables.FACE.values())
EMBEDDING = 768
RATES = {"acoustic": tables.ACOUSTIC_RATE, "visual": tables.VISUAL_RATE}

Embed = Callable[[Sequence[str]], list[np.ndarray]]
"""Texts to embeddings of their tokens, [T, D] each."""


@dataclass(frozen=True)
class Settings(interviews.Cutting):
    """How interviews are read; see the builder's options."""

    acoustic: str = "covarep"
    speakers: str = "participant"
    split: str = "official"
    split_seed: int = 0
    text_tokens: bool = False


def scan(folder: Path, settings: Settings, embed: Embed | None) -> Scan:
    """Reads every file of the corpus once; what was cut waits in a temporary folder.

    Args:
      embed: None: `TEXT.npy` of each interview is read.
    """
    found = Scan()
    known = labels.read(folder, found.faults, found.warnings)
    if settings.split == "stratified":
        known = labels.stratified(known, settings.split_seed)
    there = {path.name.removesuffix("_P") for path in folder.glob("*_P") if path.is_dir()}
    for name in sorted(set(known) - there):
        found.faults.add("missing file", f"{name}_P", item=name)
    if unlabelled := sorted(there - set(known)):
        found.warnings.append(
            f"{len(unlabelled)} interviews have no label: {', '.join(unlabelled[:8])}"
        )
    interviews.gather(
        found,
        {name: known[name] for name in sorted(set(known) & there)},
        lambda name, repairs: _interview(folder, name, settings, embed, found.faults, repairs),
        lambda label: {"depression": label.depressed, "phq8": float(label.score)},
    )
    counts = Counter(item.split for item in found.items)
    stand_in = (folder / "synthetic.json").is_file()
    if settings.split == "official":
        published = {
            split: counts[split] if stand_in else n for split, n in labels.PUBLISHED.items()
        }
        found.warnings += checks.count_warnings(counts, published)
    found.card = _card(found, known, settings) | found.card
    return found


def _interview(
    folder: Path,
    name: str,
    settings: Settings,
    embed: Embed | None,
    faults: Faults,
    repairs: Counter,
) -> dict[str, np.ndarray] | None:
    """The three streams of an interview and its sentences; None if it has a fault."""
    before = len(faults.found)
    own = folder / f"{name}_P"
    path = own / f"{name}_TRANSCRIPT.csv"
    said = transcripts.read(path, folder, settings.speakers, faults, repairs)
    streams = {
        "acoustic": _voice(own, name, folder, settings, faults, repairs),
        "visual": tables.visual(own, name, folder, faults, repairs),
    }
    vectors = None
    if embed is None:
        path = own / f"{name}_TEXT.npy"
        vectors = checks.read_array(path, folder, EMBEDDING, faults, name)
        if vectors is not None and said and said[-1].row >= len(vectors):
            where = str(path.relative_to(folder))
            faults.add(
                "wrong shape", where, f"{len(vectors)} rows, {said[-1].row + 1} sentences", name
            )
    if len(faults.found) > before:
        return None
    said = said[: settings.max_sentences or None]
    counts = [1] * len(said)
    if vectors is not None:
        words = vectors[[sentence.row for sentence in said]]
    else:
        assert embed is not None
        tokens = embed([transcripts.spoken(sentence) for sentence in said])
        if settings.text_tokens:
            counts = [len(one) for one in tokens]
        else:
            tokens = [one.mean(0, keepdims=True) for one in tokens]
        words = np.concatenate(tokens)
    times = np.array([(sentence.start, sentence.stop) for sentence in said])
    return settings(times, streams, RATES, words, counts)


def _voice(
    own: Path, name: str, folder: Path, settings: Settings, faults: Faults, repairs: Counter
) -> np.ndarray:
    """Frames of the voice; none if a file has a fault."""
    if settings.acoustic == "covarep":
        return tables.acoustic(own, name, folder, faults, repairs)
    path = own / f"{name}_EGEMAPS.npy"
    frames = checks.read_array(path, folder, tables.EGEMAPS, faults, name)
    return np.zeros((0, tables.EGEMAPS), np.float32) if frames is None else frames


def _card(found: Scan, known: Mapping[str, labels.Label], settings: Settings) -> dict[str, Any]:
    card: dict[str, Any] = {
        "voice": settings.acoustic,
        "speakers": settings.speakers,
        "sentences": f"cut as {settings.cut}, at most {settings.max_sentences or 'all'}",
        "splits": settings.split,
    }
    for split in dict.fromkeys(item.split for item in found.items):
        own = [known[item.id] for item in found.items if item.split == split]
        card[split] = {
            "interviews": len(own),
            "depressed": sum(label.depressed for label in own),
            "men": sum(label.gender == "male" for label in own),
        }
    return card
