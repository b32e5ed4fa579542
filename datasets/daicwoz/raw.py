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
from jaxdep.datasets.daicwoz import emotions, labels, tables, transcripts
from jaxdep.errors import Faults, UserError
from jaxdep.settings.kinds import Count, Seed

ACOUSTIC = {"covarep": tables.COVAREP + tables.FORMANT, "egemaps": tables.EGEMAPS}
"""Number of acoustic features per frame, by feature set."""

VISUAL = sum(tables.FACE.values())
EMBEDDING = 768
RATES: dict[str, float] = {"acoustic": tables.ACOUSTIC_RATE, "visual": tables.VISUAL_RATE}
"""Rows per second in the files."""

GENDERS = ("female", "male")

Arrays = dict[str, np.ndarray]
Segments = Mapping[str, Sequence[emotions.Segment]]
Embed = Callable[[Sequence[str]], list[np.ndarray]]
"""Function from texts to token embeddings, [T, D] each."""


@dataclass(frozen=True)
class Settings(interviews.SentenceCutter):
    """Options for reading interviews.

    Attributes:
      acoustic: acoustic features; `covarep` for COVAREP and formants as distributed with the
        corpus, `egemaps` for the 25 descriptors of SMFL's paper, which users extract.
      speakers: whose sentences to use.
      items: what a recording of the prepared corpus is: a whole interview, or a segment that
        `emotion.csv` annotates, with the emotion and the gender of the participant as well.
        `max_sentences` then limits the sentences of a segment.
      clip_frames: number of consecutive video frames that are averaged to one row of `visual`.
      split: splits of the interviews; `stratified` for random ones of 8:2.
      split_seed: seed of the stratified splits.
      text_encoder: encoder of the words; None for `TEXT.npy` if there is one.
      text_tokens: whether to use embeddings of tokens instead of their mean.
    """

    acoustic: Literal["covarep", "egemaps"] = "covarep"
    speakers: Literal["participant", "both"] = "participant"
    items: Literal["interviews", "segments"] = "interviews"
    clip_frames: Count = 1
    split: Literal["official", "stratified"] = "official"
    split_seed: Seed = 0
    text_encoder: str | None = None
    text_tokens: bool = False

    @property
    def rates(self) -> dict[str, float]:
        """Rows per second of each stream."""
        return {**RATES, "visual": RATES["visual"] / self.clip_frames}


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
    labels.compare(known, present, found)
    names, segments = set(known) & present, None
    if settings.items == "segments":
        segments = emotions.read(folder, set(known) | present, found.faults)
        if unannotated := sorted(names - set(segments)) if segments else []:
            found.warnings.append(
                f"{len(unannotated)} interviews have no annotated segment:"
                f" {', '.join(unannotated[:8])}"
            )
            names -= set(unannotated)
    interviews.gather(
        found,
        {name: known[name] for name in sorted(names)},
        lambda name, repairs: _interview(
            folder, name, settings, embed, segments, found.faults, repairs
        ),
        _targets(segments, embed),
        lambda label: {**label.attributes, "gender": label.gender},
    )
    counts = Counter(split for split, _ in {(item.split, item.subject) for item in found.items})
    synthetic = (folder / "synthetic.json").is_file()
    if settings.split == "official":
        published = {
            split: counts[split] if synthetic else n for split, n in labels.PUBLISHED.items()
        }
        found.warnings += checks.count_warnings(counts, published)
    found.card = _card(found, known, settings, segments) | found.card
    return found


def recordings(path: Path, settings: Settings, embed: Embed | None) -> Scan:
    """Reads interviews without labels, as `scan` does.

    Args:
      path: `<id>_P`, the folder of an interview, or a folder of such folders.
      settings: options for reading.
      embed: as in `scan`.

    Raises:
      UserError: the items of the corpus are segments, which only an annotation defines.
    """
    if settings.items == "segments":
        raise UserError(
            "daicwoz: the run reads segments that emotion.csv annotates (items=segments); a new"
            " interview has none: use a run on whole interviews"
        )
    root = path.parent if path.name.endswith("_P") else path
    folders = [path] if path.name.endswith("_P") else sorted(path.glob("*_P"))
    found = Scan()
    if not folders:
        found.faults.add("missing file", "<id>_P", "expected the folder of an interview")
    interviews.gather_unlabelled(
        found,
        [folder.name.removesuffix("_P") for folder in folders if folder.is_dir()],
        lambda name, repairs: _interview(root, name, settings, embed, None, found.faults, repairs),
    )
    return found


def _targets(
    segments: Segments | None, embed: Embed | None
) -> Callable[[labels.Label, str], dict[str, Any]]:
    """Returns a function from label and item to its targets, and the gender for segments."""
    targets = lambda label: {"depression": label.depressed, "phq8": float(label.score)}
    if segments is None:
        return lambda label, _: targets(label)
    vectors = np.eye(len(GENDERS)) if embed is None else [x.mean(0) for x in embed(GENDERS)]
    genders = {name: np.asarray(x, np.float32) for name, x in zip(GENDERS, vectors, strict=True)}
    emotion = emotions.of_items(segments)
    return lambda label, item: {
        **targets(label),
        "emotion": emotion[item],
        "gender": genders[label.gender],
    }


def _interview(
    folder: Path,
    name: str,
    settings: Settings,
    embed: Embed | None,
    segments: Segments | None,
    faults: Faults,
    repairs: Counter,
) -> dict[str, Arrays] | None:
    """Reads one interview and cuts its items; None if it has a fault."""
    directory = folder / f"{name}_P"
    path = directory / f"{name}_TRANSCRIPT.csv"
    sentences = transcripts.read(path, folder, settings.speakers, faults, repairs)
    streams = {
        "acoustic": _voice(directory, name, folder, settings, faults, repairs),
        "visual": _clips(
            tables.visual(directory, name, folder, faults, repairs), settings.clip_frames
        ),
    }
    vectors = None
    if embed is None:
        vectors = own_embeddings(directory, name, folder, sentences, faults)
    annotated = None if segments is None else segments.get(name, ())
    if annotated and name not in faults.items:
        recorded = [len(stream) / settings.rates[key] for key, stream in streams.items()]
        end = max(*recorded, *(sentence.stop for sentence in sentences))
        emotions.check_times(annotated, end, name, faults)
    if name in faults.items:
        return None
    if annotated is None:
        sentences = sentences[: settings.max_sentences or None]
    elif not annotated:
        return {}
    spoken = words(sentences, vectors, settings.text_tokens, embed)
    times = np.array([(sentence.start, sentence.stop) for sentence in sentences])

    def cut(rows: np.ndarray, scales: Mapping[str, interviews.Scale] | None = None) -> Arrays:
        parts = [spoken[row] for row in rows]
        lengths = [len(part) for part in parts]
        rates = settings.rates
        return settings(times[rows], streams, rates, np.concatenate(parts), lengths, scales)

    if annotated is None:
        return {name: cut(np.arange(len(times)))}
    rows_of = {segment.id: segment.sentences(times) for segment in annotated}
    empty = sum(not len(rows) for rows in rows_of.values())
    repairs["annotated segments without a sentence, left out"] += empty
    scales = settings.scales(times, streams, settings.rates)
    return {item: cut(rows, scales) for item, rows in rows_of.items() if len(rows)}


def own_embeddings(
    directory: Path,
    name: str,
    root: Path,
    sentences: Sequence[transcripts.Sentence],
    faults: Faults,
) -> np.ndarray | None:
    """Reads the user's `TEXT.npy`, with a row for each line of the transcript; None if faulty."""
    path = directory / f"{name}_TEXT.npy"
    vectors = checks.read_array(path, root, EMBEDDING, faults, name)
    if vectors is not None and sentences and sentences[-1].row >= len(vectors):
        detail = f"{len(vectors)} rows, but {sentences[-1].row + 1} sentences"
        faults.add("wrong shape", str(path.relative_to(root)), detail, name)
    return vectors


def words(
    sentences: Sequence[transcripts.Sentence],
    vectors: np.ndarray | None,
    text_tokens: bool,
    embed: Embed | None,
) -> list[np.ndarray]:
    """Embeddings of each sentence, [T, D]: those of the user, or of an encoder."""
    if embed is None:
        assert vectors is not None
        return [vectors[[sentence.row]] for sentence in sentences]
    tokens = embed([transcripts.spoken(sentence) for sentence in sentences])
    return tokens if text_tokens else [one.mean(0, keepdims=True) for one in tokens]


def _clips(frames: np.ndarray, size: int) -> np.ndarray:
    """Averages every `size` consecutive frames [T, D], and the remaining ones at the end."""
    if size == 1 or not len(frames):
        return frames
    starts = np.arange(0, len(frames), size)
    counts = np.minimum(size, len(frames) - starts)
    return (np.add.reduceat(frames, starts) / counts[:, None]).astype(np.float32)


def _voice(
    directory: Path, name: str, folder: Path, settings: Settings, faults: Faults, repairs: Counter
) -> np.ndarray:
    """Reads the acoustic frames; empty if a file has a fault."""
    if settings.acoustic == "covarep":
        return tables.acoustic(directory, name, folder, faults, repairs)
    path = directory / f"{name}_EGEMAPS.npy"
    frames = checks.read_array(path, folder, tables.EGEMAPS, faults, name)
    return np.zeros((0, tables.EGEMAPS), np.float32) if frames is None else frames


def _card(
    found: Scan,
    known: Mapping[str, labels.Label],
    settings: Settings,
    segments: Segments | None,
) -> dict[str, Any]:
    card: dict[str, Any] = {
        "voice": settings.acoustic,
        "speakers": settings.speakers,
        "sentences": f"cut as {settings.cut}, at most {settings.max_sentences or 'all'}",
        "splits": settings.split,
        "items": settings.items,
    }
    emotion = emotions.of_items(segments or {})
    for split in dict.fromkeys(item.split for item in found.items):
        items = [item for item in found.items if item.split == split]
        members = [known[name] for name in dict.fromkeys(item.subject for item in items)]
        card[split] = {
            "interviews": len(members),
            "depressed": sum(label.depressed for label in members),
            "men": sum(label.gender == "male" for label in members),
        }
        if segments is not None:
            shown = Counter(emotion[item.id] for item in items if item.id in emotion)
            card[split] |= {
                "segments": shown.total(),
                "segments of the depressed": sum(
                    known[item.subject].depressed for item in items if item.id in emotion
                ),
                **{f"segments that are {name}": shown[name] for name in emotions.EMOTIONS},
            }
    return card
