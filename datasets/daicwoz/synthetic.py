"""Writes a folder like DAIC-WOZ's whose label is carried by events in time, with a known answer.

What the events are and what they tell: `jaxdep.data.interview_events`. Features are in the units of
the real files, with their known faults. The recordings of sound themselves are not written; nothing
reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from jaxdep.data import interview_events as events
from jaxdep.data import stand_in
from jaxdep.datasets.daicwoz import labels, raw, tables, transcripts

ABSENT = {342, 394, 398, 460, *(int(name) for name in transcripts.INTERRUPTED)}
"""Ids that the corpus lacks, and those of interrupted interviews."""

_VOICE = np.arange(11, tables.COVAREP)  # columns that silence does not blank
_WORDS = ["so", "yeah", "i", "guess", "it", "was", "like", "you", "know", "good", "family"]


def write(
    directory: str | Path,
    items: int = sum(labels.PUBLISHED.values()),
    seed: int = 0,
    signal: float = 1.0,
    mean_seconds: float = 600.0,
) -> dict[str, Any]:
    """Writes the split files, every interview's folder, and `synthetic.json`.

    Args:
      directory: made if missing.
      items: interviews of all splits together, in the published proportions; labels are balanced
        in each split.
      seed: the same seed writes the same files.
      signal: 1 for the full rates, 0 for events that know nothing of the label.
      mean_seconds: mean length; lengths are log-normal between half and twice of it.

    Returns:
      What `synthetic.json` holds: parameters, chance, and Bayes accuracies.

    Raises:
      ValueError: fewer than 10 items, a signal outside 0..1, or a mean under 30 seconds.
    """
    stand_in.check_size(items, 10, signal, mean_seconds=(mean_seconds, 30))
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xDA]))
    directions = _directions(rng)
    ids = [n for n in range(300, 300 + items + len(ABSENT)) if n not in ABSENT][:items]
    of_split: dict[str, list[str]] = {split: [] for split in labels.FILES}
    splits = stand_in.split_names(labels.PUBLISHED, items)
    interviews = list(events.dealt(splits, signal, rng))
    for number, (split, label, told) in zip(ids, interviews, strict=True):
        name = str(number)
        seconds = stand_in.length(mean_seconds, 0.3, mean_seconds / 2, 2 * mean_seconds, rng)
        _interview(directory / f"{name}_P", name, seconds, told, directions, rng)
        score = int(rng.integers(labels.CUT, 21) if label else rng.integers(0, labels.CUT))
        of_split[split].append(f"{name},{label},{score},{rng.integers(0, 2)}")
    for split, file in labels.FILES.items():
        prefix = "PHQ" if split == "test" else "PHQ8"
        header = f"Participant_ID,{prefix}_Binary,{prefix}_Score,Gender"
        (directory / file).write_text("\n".join([header, *of_split[split]]) + "\n")
    given = {"items": items, "seed": seed, "signal": signal}
    return events.write_truth(directory, "daicwoz", given, mean_seconds)


def _directions(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Orthonormal directions [3, width] of voice and face, and [2, 768] of the words."""
    voice = np.zeros((3, tables.COVAREP))
    voice[:, _VOICE] = stand_in.orthonormal(len(_VOICE), 3, rng)
    return {
        "acoustic": voice,
        "visual": stand_in.orthonormal(raw.VISUAL, 3, rng),
        "words": stand_in.orthonormal(raw.EMBEDDING, 2, rng),
    }


def _interview(
    folder: Path,
    name: str,
    seconds: float,
    told: events.Bits,
    directions: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Writes the files of one interview."""
    folder.mkdir(parents=True)
    turns = events.turns(seconds, rng)
    answers = [turn for turn in turns if turn.answers]
    streams = events.streams(seconds, answers, told, directions, raw.RATES, rng)
    _write_transcript(folder / f"{name}_TRANSCRIPT.csv", turns, rng)
    np.save(folder / f"{name}_TEXT.npy", events.words(len(answers), told, directions["words"], rng))
    _write_voice(folder, name, streams["acoustic"], rng)
    _write_face(folder, name, streams["visual"], rng)


def _write_transcript(path: Path, turns: Sequence[events.Turn], rng: np.random.Generator) -> None:
    lines = ["\t".join(transcripts.COLUMNS)]
    for turn in turns:
        speaker = transcripts.PARTICIPANT if turn.answers else transcripts.INTERVIEWER
        count = max(int(2 * (turn.stop - turn.start)), 1)
        text = " ".join(rng.choice(_WORDS, size=count))
        lines.append(f"{turn.start:.3f}\t{turn.stop:.3f}\t{speaker}\t{text}")
    path.write_text("\n".join(lines) + "\n")


def _write_voice(folder: Path, name: str, frames: np.ndarray, rng: np.random.Generator) -> None:
    covarep = frames.copy()
    voiced = rng.random(len(frames)) < 0.7
    covarep[:, 0] = np.where(voiced, 120 + 20 * frames[:, 0], 0)
    covarep[:, 1] = voiced
    covarep[rng.random(len(frames)) < 0.001, 8] = -np.inf
    _write_table(folder / f"{name}_COVAREP.csv", covarep, header=None)
    formants = np.array([500, 1500, 2500, 3500, 4500]) + 50 * events.noise(len(frames), 5, rng)
    _write_table(folder / f"{name}_FORMANT.csv", formants, header=None)


def _write_face(folder: Path, name: str, frames: np.ndarray, rng: np.random.Generator) -> None:
    """CLNF's files: landmarks in millimetres a metre away, some rows without numbers."""
    number = np.arange(len(frames))
    success = rng.random(len(frames)) > 0.002
    leading = np.stack([number + 1, number / tables.VISUAL_RATE, 0.9 * success, success], 1)
    scale = {"features3D": (10.0, 40.0), "AUs": (0.5, 1.0), "gaze": (0.1, 0.0), "pose": (5.0, 0.0)}
    column = 0
    for kind, width in tables.FACE.items():
        spread, middle = scale[kind]
        values = middle + spread * frames[:, column : column + width]
        values[~success] = np.nan
        names = ["frame", " timestamp", " confidence", " success"]
        names += [f" {kind}{place}" for place in range(width)]
        _write_table(folder / f"{name}_CLNF_{kind}.txt", np.hstack([leading, values]), names)
        column += width


def _write_table(path: Path, table: np.ndarray, header: list[str] | None) -> None:
    """Numbers by commas, to three places; NaN as the tracker writes it."""
    names = header or [f"f{column}" for column in range(table.shape[1])]
    options = csv.WriteOptions(include_header=False, quoting_style="none")
    rounded = np.round(table.astype(np.float64), 3)
    columns = [pa.array(column) for column in rounded.T.copy()]
    with path.open("wb") as file:
        if header:
            file.write((",".join(header) + "\n").encode())
        csv.write_csv(pa.table(columns, names=names), file, options)
    if np.isnan(table).any():
        path.write_bytes(path.read_bytes().replace(b"nan", b"-1.#IND"))
