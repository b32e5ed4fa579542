"""Reads, validates and cuts the interviews of DAIC-WOZ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jaxdep.data import checks, interviews
from jaxdep.data.builder import Scan
from jaxdep.datasets.daicwoz import labels, tables, transcripts
from jaxdep.errors import Faults
from jaxdep.settings.kinds import Seed

ACOUSTIC = {"covarep": tables.COVAREP + tables.FORMANT, "egemaps": tables.EGEMAPS}
"""Number of acoustic features per frame, by feature set."""

VISUAL = sum(tables.FACE.values())
EMBEDDING = 768
RATES = {"acoustic": tables.ACOUSTIC_RATE, "visual": tables.VISUAL_RATE}

Embed = Callable[[Sequence[str]], list[np.ndarray]]
"""Function from texts to token embeddings, [T, D] each."""


@dataclass(frozen=True)
class Settings(interviews.SentenceCutter):
    """Options for reading interviews.

    Attributes:
      acoustic: acoustic features; `covarep` for COVAREP and formants as distributed with the
        corpus, `egemaps` for the 25 descriptors of SMFL's paper, which users extract.
      speakers: whose sentences to use.
      split: splits of the interviews; `stratified` for random ones of 8:2.
      split_seed: seed of the stratified splits.
      text_encoder: encoder of the words; None for `TEXT.npy` if there is one.
      text_tokens: whether to use embeddings of tokens instead of their mean.
    """

    acoustic: Literal["covarep", "egemaps"] = "covarep"
    speakers: Literal["participant", "both"] = "participant"
    split: Literal["official", "stratified"] = "official"
    split_seed: Seed = 0
    text_encoder: str | None = None
    text_tokens: bool = False


def scan(folder: Path, settings: Settings, embed: Embed | None) -> Scan:
    """Reads every file of the corpus once; the cut interviews are kept in a temporary folder.

    Args:
      folder: folder given by the user.
      settings: options for reading.
      embed: text encoder; None to read the `TEXT.npy` of each interview.
    """
    found = Scan()
    known = labels.read(folder, found.faults, found.warnings)
    if settings.split == "stratified":
        known = labels.stratified(known, settings.split_seed, found.faults)
    present = {path.name.removesuffix("_P") for path in folder.glob("*_P") if path.is_dir()}
    for name in sorted(set(known) - present):
        found.faults.add("missing file", f"{name}_P", item=name)
    if unlabelled := sorted(present - set(known)):
        found.warnings.append(
            f"{len(unlabelled)} interviews have no label: {', '.join(unlabelled[:8])}"
        )
    interviews.gather(
        found,
        {name: known[name] for name in sorted(set(known) & present)},
        lambda name, repairs: _interview(folder, name, settings, embed, found.faults, repairs),
        lambda label: {"depression": label.depressed, "phq8": float(label.score)},
    )
    counts = Counter(item.split for item in found.items)
    synthetic = (folder / "synthetic.json").is_file()
    if settings.split == "official":
        published = {
            split: counts[split] if synthetic else n for split, n in labels.PUBLISHED.items()
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
    """Reads and cuts one interview; None if it has a fault."""
    before = len(faults.found)
    directory = folder / f"{name}_P"
    path = directory / f"{name}_TRANSCRIPT.csv"
    sentences = transcripts.read(path, folder, settings.speakers, faults, repairs)
    streams = {
        "acoustic": _voice(directory, name, folder, settings, faults, repairs),
        "visual": tables.visual(directory, name, folder, faults, repairs),
    }
    vectors = None
    if embed is None:
        path = directory / f"{name}_TEXT.npy"
        vectors = checks.read_array(path, folder, EMBEDDING, faults, name)
        if vectors is not None and sentences and sentences[-1].row >= len(vectors):
            where = str(path.relative_to(folder))
            detail = f"{len(vectors)} rows, but {sentences[-1].row + 1} sentences"
            faults.add("wrong shape", where, detail, name)
    if len(faults.found) > before:
        return None
    sentences = sentences[: settings.max_sentences or None]
    counts = [1] * len(sentences)
    if vectors is not None:
        words = vectors[[sentence.row for sentence in sentences]]
    else:
        assert embed is not None
        tokens = embed([transcripts.spoken(sentence) for sentence in sentences])
        if settings.text_tokens:
            counts = [len(one) for one in tokens]
        else:
            tokens = [one.mean(0, keepdims=True) for one in tokens]
        words = np.concatenate(tokens)
    times = np.array([(sentence.start, sentence.stop) for sentence in sentences])
    return settings(times, streams, RATES, words, counts)


def _voice(
    directory: Path, name: str, folder: Path, settings: Settings, faults: Faults, repairs: Counter
) -> np.ndarray:
    """Reads the acoustic frames; empty if a file has a fault."""
    if settings.acoustic == "covarep":
        return tables.acoustic(directory, name, folder, faults, repairs)
    path = directory / f"{name}_EGEMAPS.npy"
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
        members = [known[item.id] for item in found.items if item.split == split]
        card[split] = {
            "interviews": len(members),
            "depressed": sum(label.depressed for label in members),
            "men": sum(label.gender == "male" for label in members),
        }
    return card
