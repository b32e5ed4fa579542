"""Writes a folder like MMD2023's whose label is carried by events in time, with a known answer.

What the events are and what they tell: `jaxdep.data.interview_events`. Times are whole seconds, as
in the real files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import kaldiio
import numpy as np
import openpyxl
from PIL import Image

from jaxdep.data import interview_events as events
from jaxdep.data import stand_in
from jaxdep.datasets.mmd2023 import labels, raw, streams, transcripts

GREY, GREYS = 128.0, 10.0
"""Of a spectrogram: its mean, and how far noise of deviation 1 goes."""

MIDDLE, MILLIMETRES = 40.0, 10.0
"""Of the landmarks, likewise."""


def write(
    directory: str | Path,
    items: int = sum(labels.PUBLISHED.values()),
    seed: int = 0,
    signal: float = 1.0,
    mean_seconds: float = 300.0,
) -> dict[str, Any]:
    """Writes the labels, the lists, every patient's files, and `synthetic.json`.

    Args:
      directory: made if missing.
      items: patients of both splits together, in the published proportions; labels are balanced.
      seed: the same seed writes the same files, but for the time of writing in `label.xlsx`.
      signal: 1 for the full rates, 0 for events that know nothing of the label.
      mean_seconds: mean length; lengths are log-normal between half and twice of it.

    Returns:
      What `synthetic.json` holds: parameters, chance, and Bayes accuracies.

    Raises:
      ValueError: fewer than 10 items, a signal outside 0..1, or a mean under 30 seconds.
    """
    stand_in.check_size(items, 10, signal, mean_seconds=(mean_seconds, 30))
    directory = Path(directory)
    for folder in ("audio_png", "face3d", "text", "txt_csv"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x33D]))
    directions = {
        "acoustic": stand_in.orthonormal(streams.ACOUSTIC, 3, rng),
        "visual": stand_in.orthonormal(streams.VISUAL, 3, rng),
        "words": stand_in.orthonormal(streams.EMBEDDING, 2, rng),
    }
    ids = [f"p{number:03d}" for number in range(items)]
    splits = stand_in.split_names(labels.PUBLISHED, items)
    patients = list(events.dealt(splits, signal, rng))
    words, rows = {}, []
    for name, (_, label, told) in zip(ids, patients, strict=True):
        seconds = stand_in.length(mean_seconds, 0.3, mean_seconds / 2, 2 * mean_seconds, rng)
        words[name] = _patient(directory, name, seconds, told, directions, rng)
        cut = raw.Settings().hamd_from
        rows.append((name, int(rng.integers(cut, 40) if label else rng.integers(0, cut))))
    _write_labels(directory / labels.FILE, rows)
    for split, file in labels.LISTS.items():
        own = np.array(ids)[np.array(splits) == split]
        (directory / file).write_text("\n".join(own) + "\n")
    kaldiio.save_ark(str(directory / streams.ARK), words)
    given = {"items": items, "seed": seed, "signal": signal}
    return events.write_truth(directory, "mmd2023", given, mean_seconds)


def _patient(
    folder: Path,
    name: str,
    seconds: float,
    told: events.Bits,
    directions: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Writes the files of one patient; returns the embeddings of the sentences."""
    turns = [
        events.Turn(round(turn.start), max(round(turn.stop), round(turn.start) + 1), turn.answers)
        for turn in events.turns(seconds, rng)
    ]
    answers = [turn for turn in turns if turn.answers]
    made = events.streams(seconds, answers, told, directions, raw.Settings().rates, rng)
    _write_transcript(folder / "txt_csv" / f"{name}.csv", turns)
    picture = np.rint(np.clip(GREY + GREYS * made["acoustic"], 0, 255)).astype(np.uint8)
    Image.fromarray(picture.T).save(folder / "audio_png" / f"{name}.png")
    _write_face(folder / "face3d" / f"{name}.txt", made["visual"], rng)
    return events.words(len(answers), told, directions["words"], rng)


def _write_transcript(path: Path, turns: Sequence[events.Turn]) -> None:
    lines = ["\t".join(transcripts.COLUMNS)]
    for turn in turns:
        speaker = transcripts.PATIENT if turn.answers else "医生"
        times = [f"{int(at) // 60:02d}:{int(at) % 60:02d}" for at in (turn.start, turn.stop)]
        lines.append("\t".join([speaker, *times]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_face(path: Path, frames: np.ndarray, rng: np.random.Generator) -> None:
    """Landmarks in millimetres, some rows without numbers."""
    values = MIDDLE + MILLIMETRES * frames
    axes = [f"{axis}{landmark}" for axis in "xyz" for landmark in range(streams.VISUAL // 3)]
    lost = rng.random(len(frames)) < 0.002
    lines = [",".join(["frame", *axes])]
    for number, row in enumerate(values):
        cells = ["-1.#IND"] * len(row) if lost[number] else [f"{value:.2f}" for value in row]
        lines.append(",".join([str(number + 1), *cells]))
    path.write_text("\n".join(lines) + "\n")


def _write_labels(path: Path, rows: Sequence[tuple[str, int]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = labels.SHEET
    for row in (("id", "all"), *rows):
        sheet.append(row)
    book.save(path)
