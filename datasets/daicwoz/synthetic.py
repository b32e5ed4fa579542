"""Writes a synthetic DAIC-WOZ in which temporal events encode the label.

See `jaxdep.data.interview_events` for the events. Features have the units and the known faults of
the real files. Audio recordings are not written, since nothing reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import interview_events as events
from jaxdep.data import synthetic, synthetic_tables
from jaxdep.datasets.daicwoz import (
    emotions,
    labels,
    raw,
    synthetic_emotions,
    tables,
    transcripts,
)

ABSENT = {342, 394, 398, 460, *(int(name) for name in transcripts.INTERRUPTED)}
"""Ids that are missing from the corpus, and those of interrupted interviews."""

_VOICE = np.arange(11, tables.COVAREP)  # columns that are not zeroed in unvoiced frames
_WORDS = ["so", "yeah", "i", "guess", "it", "was", "like", "you", "know", "good", "family"]


def write(
    directory: str | Path,
    items: int = sum(labels.PUBLISHED.values()),
    seed: int = 0,
    signal: float = 1.0,
    mean_seconds: float = 600.0,
) -> dict[str, Any]:
    """Writes the split files, the folder of each interview, `emotion.csv` and `synthetic.json`.

    Args:
      directory: output folder; created if missing.
      items: number of interviews in all splits, which have the published proportions; labels are
        balanced in each split.
      seed: seed of the random draws; the same seed writes the same files.
      signal: 1 for the full rates, 0 for events that are independent of the label.
      mean_seconds: mean length; lengths are log-normal, clipped to half and twice the mean.

    Returns:
      The content of `synthetic.json`: parameters, chance level, and Bayes accuracies.

    Raises:
      ValueError: fewer than 10 items, a signal outside 0..1, or a mean below 30 seconds.
    """
    synthetic.check_size(items, 10, signal, mean_seconds=(mean_seconds, 30))
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xDA]))
    emotion_rng = np.random.default_rng(np.random.SeedSequence([seed, 0xE0]))
    directions = _directions(rng)
    ids = [n for n in range(300, 300 + items + len(ABSENT)) if n not in ABSENT][:items]
    lines: dict[str, list[str]] = {split: [] for split in labels.FILES}
    annotation: list[str] = []
    splits = synthetic.split_names(labels.PUBLISHED, items)
    interviews = list(events.interview_bits(splits, signal, rng))
    for number, (split, label, bits) in zip(ids, interviews, strict=True):
        name = str(number)
        seconds = synthetic.length(mean_seconds, 0.3, mean_seconds / 2, 2 * mean_seconds, rng)
        segments = _interview(directory / f"{name}_P", name, seconds, bits, directions, rng)
        annotation += synthetic_emotions.lines(name, label, segments, signal, emotion_rng)
        score = int(rng.integers(labels.CUT, 21) if label else rng.integers(0, labels.CUT))
        lines[split].append(f"{name},{label},{score},{rng.integers(0, 2)}")
    for split, file in labels.FILES.items():
        prefix = "PHQ" if split == "test" else "PHQ8"
        header = f"Participant_ID,{prefix}_Binary,{prefix}_Score,Gender"
        (directory / file).write_text("\n".join([header, *lines[split]]) + "\n")
    (directory / emotions.FILE).write_text(synthetic_emotions.content(annotation))
    given = {"items": items, "seed": seed, "signal": signal}
    emotion = synthetic_emotions.bayes(signal)
    return events.write_truth(directory, "daicwoz", given, mean_seconds, {"emotion": emotion})


def _directions(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draws orthonormal directions: [3, width] for voice and face, [2, 768] for words."""
    voice = np.zeros((3, tables.COVAREP))
    voice[:, _VOICE] = synthetic.orthonormal(len(_VOICE), 3, rng)
    return {
        "acoustic": voice,
        "visual": synthetic.orthonormal(raw.VISUAL, 3, rng),
        "words": synthetic.orthonormal(raw.EMBEDDING, 2, rng),
    }


def _interview(
    folder: Path,
    name: str,
    seconds: float,
    bits: events.Bits,
    directions: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> list[tuple[float, bool]]:
    """Writes the files of one interview; returns its segments, see `synthetic_emotions`."""
    folder.mkdir(parents=True)
    turns = events.turns(seconds, rng)
    answers = [turn for turn in turns if turn.answers]
    streams = events.streams(seconds, answers, bits, directions, raw.RATES, rng)
    _write_transcript(folder / f"{name}_TRANSCRIPT.csv", turns, rng)
    words = events.words(len(answers), bits, directions["words"], rng)
    np.save(folder / f"{name}_TEXT.npy", words)
    _write_voice(folder, name, streams["acoustic"], rng)
    _write_face(folder, name, streams["visual"], rng)
    signs = words @ directions["words"][0 if bits.words else 1] > 0
    return synthetic_emotions.segments([turn.start for turn in answers], signs)


def _write_transcript(path: Path, turns: Sequence[events.Turn], rng: np.random.Generator) -> None:
    lines = ["\t".join(transcripts.COLUMNS)]
    for turn in turns:
        speaker = transcripts.PARTICIPANT if turn.answers else transcripts.INTERVIEWER
        lines.append(f"{turn.start:.3f}\t{turn.stop:.3f}\t{speaker}\t{sentence(turn, rng)}")
    path.write_text("\n".join(lines) + "\n")


def sentence(turn: events.Turn, rng: np.random.Generator) -> str:
    """Random words, two a second."""
    count = max(int(2 * (turn.stop - turn.start)), 1)
    return " ".join(rng.choice(_WORDS, size=count))


def _write_voice(folder: Path, name: str, frames: np.ndarray, rng: np.random.Generator) -> None:
    covarep = frames.copy()
    voiced = rng.random(len(frames)) < 0.7
    covarep[:, 0] = np.where(voiced, 120 + 20 * frames[:, 0], 0)
    covarep[:, 1] = voiced
    covarep[rng.random(len(frames)) < 0.001, 8] = -np.inf
    synthetic_tables.write(folder / f"{name}_COVAREP.csv", covarep, header=None)
    formants = np.array([500, 1500, 2500, 3500, 4500]) + 50 * events.noise(len(frames), 5, rng)
    synthetic_tables.write(folder / f"{name}_FORMANT.csv", formants, header=None)


def _write_face(folder: Path, name: str, frames: np.ndarray, rng: np.random.Generator) -> None:
    """Writes the CLNF files: landmarks in millimetres, some rows without numbers."""
    number = np.arange(len(frames))
    success = rng.random(len(frames)) > 0.002
    leading = np.stack([number + 1, number / tables.VISUAL_RATE, 0.9 * success, success], 1)
    scales = {"features3D": (10.0, 40.0), "AUs": (0.5, 1.0), "gaze": (0.1, 0.0), "pose": (5.0, 0.0)}
    column = 0
    for kind, width in tables.FACE.items():
        spread, middle = scales[kind]
        values = middle + spread * frames[:, column : column + width]
        values[~success] = np.nan
        names = ["frame", " timestamp", " confidence", " success"]
        names += [f" {kind}{index}" for index in range(width)]
        synthetic_tables.write(
            folder / f"{name}_CLNF_{kind}.txt", np.hstack([leading, values]), names
        )
        column += width
