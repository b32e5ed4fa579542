"""Reads, validates and cuts the interviews of E-DAIC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jaxdep.data import checks, interviews
from jaxdep.data.builder import Scan
from jaxdep.datasets.daicwoz import labels
from jaxdep.datasets.daicwoz.raw import Arrays, Embed, own_embeddings, words
from jaxdep.datasets.edaic import layout, streams, transcripts
from jaxdep.errors import Faults
from jaxdep.settings.kinds import Width

PUBLISHED = {"train": 163, "dev": 56, "test": 56}
AGENTS = {"wizard": range(300, 493), "autonomous": range(600, 719)}
"""Who controlled the interviewing agent, by ids; those of the wizard are DAIC-WOZ's interviews."""


@dataclass(frozen=True)
class Settings(interviews.SentenceCutter):
    """Options for reading interviews.

    Attributes:
      acoustic: features of the voice, by openSMILE: low-level descriptors of eGeMAPS, or MFCC.
      visual: features of the face: OpenFace's pose, gaze and action units, or those of an image
        network.
      acoustic_width: number of features of the voice; found in the files.
      visual_width: number of features of the face; found in the files.
      text_encoder: encoder of the words; None for `TEXT.npy` if there is one.
      text_tokens: whether to use embeddings of tokens instead of their mean.
    """

    acoustic: Literal["egemaps", "mfcc"] = "egemaps"
    visual: Literal["openface", "resnet", "vgg"] = "openface"
    acoustic_width: Width = streams.WIDTHS["egemaps"]
    visual_width: Width = streams.WIDTHS["openface"]
    text_encoder: str | None = None
    text_tokens: bool = False

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of the features of each stream."""
        return {"acoustic": self.acoustic, "visual": self.visual}

    @property
    def widths(self) -> dict[str, int]:
        """Number of features of each stream."""
        return {"acoustic": self.acoustic_width, "visual": self.visual_width}


def found_widths(folder: Path, settings: Settings) -> dict[str, int]:
    """Number of features that most files of each stream have."""
    directories = layout.interviews(folder)
    found = {}
    for name, kind in settings.kinds.items():
        files = [layout.feature_file(path, id_, kind) for id_, path in directories.items()]
        found[f"{name}_width"] = streams.common(files, folder, kind, streams.WIDTHS[kind])
    return found


def scan(folder: Path, settings: Settings, embed: Embed | None) -> Scan:
    """Reads every file of the corpus once; the cut interviews are kept in a temporary folder.

    Args:
      folder: folder given by the user.
      settings: options for reading.
      embed: text encoder; None to read the `TEXT.npy` of each interview.
    """
    found = Scan()
    known = labels.read(folder, found.faults, found.warnings, layout.labels(folder))
    present = layout.interviews(folder)
    labels.compare(known, set(present), found)
    rates: dict[str, list[float]] = {name: [] for name in settings.kinds}
    interviews.gather(
        found,
        {name: known[name] for name in sorted(set(known) & set(present))},
        lambda name, repairs: _interview(
            folder, present[name], name, settings, embed, rates, found.faults, repairs
        ),
        lambda label, _: {"depression": label.depressed, "phq8": float(label.score)},
        lambda label: {**label.attributes, "gender": label.gender, "agent": agent(label.id)},
    )
    counts = Counter(item.split for item in found.items)
    synthetic = (folder / "synthetic.json").is_file()
    published = {split: counts[split] if synthetic else n for split, n in PUBLISHED.items()}
    found.warnings += checks.count_warnings(counts, published)
    for name, kind in settings.kinds.items():
        usual, width = streams.WIDTHS[kind], settings.widths[name]
        if width != usual:
            found.warnings.append(f"{kind} has {width} features; published loaders read {usual}.")
    found.card = _card(found, known, settings, rates) | found.card
    return found


def agent(name: str) -> str:
    """Who controlled the agent of an interview; empty for other ids."""
    return next((agent for agent, ids in AGENTS.items() if int(name) in ids), "")


def recordings(path: Path, settings: Settings, embed: Embed | None) -> Scan:
    """Reads interviews without labels, as `scan` does.

    Args:
      path: `<id>_P` or `<id>`, the folder of an interview, or a folder of such folders.
      settings: options for reading.
      embed: as in `scan`.
    """
    present = layout.interviews(path)
    root = path
    if not present:
        # The folder of one interview, found beside others.
        root = path.parent
        present = {name: each for name, each in layout.interviews(root).items() if each == path}
    found = Scan()
    if not present:
        found.faults.add("missing file", "<id>_P", "expected the folder of an interview")
    rates: dict[str, list[float]] = {name: [] for name in settings.kinds}
    interviews.gather_unlabelled(
        found,
        present,
        lambda name, repairs: _interview(
            root, present[name], name, settings, embed, rates, found.faults, repairs
        ),
    )
    return found


def _interview(
    folder: Path,
    directory: Path,
    name: str,
    settings: Settings,
    embed: Embed | None,
    rates: Mapping[str, list[float]],
    faults: Faults,
    repairs: Counter,
) -> dict[str, Arrays] | None:
    """Reads and cuts one interview; None if it has a fault."""
    path = directory / f"{name}_Transcript.csv"
    sentences = transcripts.read(path, folder, faults, repairs)
    read: dict[str, streams.Stream] = {}
    for key, kind in settings.kinds.items():
        stream = streams.read(directory, name, kind, settings.widths[key], folder, faults, repairs)
        if stream:
            read[key] = stream
    vectors = None
    if embed is None:
        vectors = own_embeddings(directory, name, folder, sentences, faults)
    if name in faults.items:
        return None
    for key, stream in read.items():
        rates[key].append(stream.rate)
    sentences = sentences[: settings.max_sentences or None]
    spoken = words(sentences, vectors, settings.text_tokens, embed)
    cut = settings(
        np.array([(sentence.start, sentence.stop) for sentence in sentences]),
        {key: stream.frames for key, stream in read.items()},
        {key: stream.rate for key, stream in read.items()},
        np.concatenate(spoken),
        [len(part) for part in spoken],
    )
    return {name: cut}


def _card(
    found: Scan,
    known: Mapping[str, labels.Label],
    settings: Settings,
    rates: Mapping[str, list[float]],
) -> dict[str, Any]:
    card: dict[str, Any] = {
        "features": {
            name: f"{kind}, {settings.widths[name]} features"
            for name, kind in settings.kinds.items()
        },
        "rows per second, lowest and highest": {
            name: f"{min(each):.1f}, {max(each):.1f}" for name, each in rates.items() if each
        },
        "sentences": f"cut as {settings.cut}, at most {settings.max_sentences or 'all'}",
    }
    for split in dict.fromkeys(item.split for item in found.items):
        members = [known[item.subject] for item in found.items if item.split == split]
        card[split] = {
            "interviews": len(members),
            "depressed": sum(label.depressed for label in members),
            "men": sum(label.gender == "male" for label in members),
            "by an autonomous agent": sum(agent(label.id) == "autonomous" for label in members),
        }
    return card
