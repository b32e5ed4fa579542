"""Writes a synthetic MMD2023 in which temporal events encode the label.

See `jaxdep.data.interview_events` for the events. Times are whole seconds, as in the real files.
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
from jaxdep.data import synthetic
from jaxdep.datasets.mmd2023 import labels, raw, streams, transcripts

GREY, GREYS = 128.0, 10.0
"""Mean of a spectrogram, and its deviation for noise of variance 1."""

MIDDLE, MILLIMETRES = 40.0, 10.0
"""Mean of the landmarks, and their deviation for noise of variance 1."""


def write(
    directory: str | Path,
    items: int = sum(labels.PUBLISHED.values()),
    seed: int = 0,
    signal: float = 1.0,
    mean_seconds: float = 300.0,
) -> dict[str, Any]:
    """Writes the labels, the lists, the files of each patient, and `synthetic.json`.

    Args:
      directory: output folder; created if missing.
      items: number of patients in both splits, which have the published proportions; labels are
        balanced.
      seed: seed of the random draws; the same seed writes the same files, except for a time stamp
        in `label.xlsx`.
      signal: 1 for the full rates, 0 for events that are independent of the label.
      mean_seconds: mean length; lengths are log-normal, clipped to half and twice the mean.

    Returns:
      The content of `synthetic.json`: parameters, chance level, and Bayes accuracies.

    Raises:
      ValueError: fewer than 10 items, a signal outside 0..1, or a mean below 30 seconds.
    """
    synthetic.check_size(items, 10, signal, mean_seconds=(mean_seconds, 30))
    directory = Path(directory)
    for folder in ("audio_png", "face3d", "text", "txt_csv"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x33D]))
    directions = {
        "acoustic": synthetic.orthonormal(streams.ACOUSTIC, 3, rng),
        "visual": synthetic.orthonormal(streams.VISUAL, 3, rng),
        "words": synthetic.orthonormal(streams.EMBEDDING, 2, rng),
    }
    ids = [f"p{number:03d}" for number in range(items)]
    splits = synthetic.split_names(labels.PUBLISHED, items)
    patients = list(events.interview_bits(splits, signal, rng))
    words, rows = {}, []
    for name, (_, label, bits) in zip(ids, patients, strict=True):
        seconds = synthetic.length(mean_seconds, 0.3, mean_seconds / 2, 2 * mean_seconds, rng)
        words[name] = _patient(directory, name, seconds, bits, directions, rng)
        threshold = raw.Settings().hamd_from
        score = rng.integers(threshold, 40) if label else rng.integers(0, threshold)
        rows.append((name, int(score)))
    _write_labels(directory / labels.FILE, rows)
    synthetic.write_subjects(directory, ids, seed)
    for split, file in labels.LISTS.items():
        members = np.array(ids)[np.array(splits) == split]
        (directory / file).write_text("\n".join(members) + "\n")
    kaldiio.save_ark(str(directory / streams.ARK), words)
    given = {"items": items, "seed": seed, "signal": signal}
    return events.write_truth(directory, "mmd2023", given, mean_seconds)


def _patient(
    folder: Path,
    name: str,
    seconds: float,
    bits: events.Bits,
    directions: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Writes the files of one patient and returns the sentence embeddings."""
    turns = [
        events.Turn(round(turn.start), max(round(turn.stop), round(turn.start) + 1), turn.answers)
        for turn in events.turns(seconds, rng)
    ]
    answers = [turn for turn in turns if turn.answers]
    arrays = events.streams(seconds, answers, bits, directions, raw.Settings().rates, rng)
    _write_transcript(folder / "txt_csv" / f"{name}.csv", turns)
    pixels = np.rint(np.clip(GREY + GREYS * arrays["acoustic"], 0, 255)).astype(np.uint8)
    Image.fromarray(pixels.T).save(folder / "audio_png" / f"{name}.png")
    _write_face(folder / "face3d" / f"{name}.txt", arrays["visual"], rng)
    return events.words(len(answers), bits, directions["words"], rng)


def _write_transcript(path: Path, turns: Sequence[events.Turn]) -> None:
    lines = ["\t".join(transcripts.COLUMNS)]
    for turn in turns:
        speaker = transcripts.PATIENT if turn.answers else "医生"
        times = [f"{int(at) // 60:02d}:{int(at) % 60:02d}" for at in (turn.start, turn.stop)]
        lines.append("\t".join([speaker, *times]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_face(path: Path, frames: np.ndarray, rng: np.random.Generator) -> None:
    """Writes landmarks in millimetres, some rows without numbers."""
    values = MIDDLE + MILLIMETRES * frames
    axes = [f"{axis}{landmark}" for axis in "xyz" for landmark in range(streams.VISUAL // 3)]
    missing = rng.random(len(frames)) < 0.002
    lines = [",".join(["frame", *axes])]
    for number, row in enumerate(values):
        cells = ["-1.#IND"] * len(row) if missing[number] else [f"{value:.2f}" for value in row]
        lines.append(",".join([str(number + 1), *cells]))
    path.write_text("\n".join(lines) + "\n")


def _write_labels(path: Path, rows: Sequence[tuple[str, int]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = labels.SHEET
    for row in (("id", "all"), *rows):
        sheet.append(row)
    book.save(path)
