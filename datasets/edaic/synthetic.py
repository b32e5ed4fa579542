"""Writes a synthetic E-DAIC in which temporal events encode the label.

See `jaxdep.data.interview_events` for the events. The stand-in has the words as `TEXT.npy`,
OpenFace's tables and eGeMAPS; the other features are not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import interview_events as events
from jaxdep.data import openface, synthetic, synthetic_tables
from jaxdep.datasets.daicwoz import labels
from jaxdep.datasets.daicwoz.raw import EMBEDDING
from jaxdep.datasets.daicwoz.synthetic import ABSENT, sentence
from jaxdep.datasets.edaic import layout, raw, streams, transcripts

FAST_VIDEO = 32.8
"""Rows per second of OpenFace's table in some recordings; in the others, 30."""

_GROUPS = ("pose", "gaze", "action_units")
_HEADER = "Participant_ID,Gender,PHQ_Binary,PHQ_Score,PCL-C (PTSD),PTSD Severity"


def write(
    directory: str | Path,
    items: int = sum(raw.PUBLISHED.values()),
    seed: int = 0,
    signal: float = 1.0,
    mean_seconds: float = 600.0,
) -> dict[str, Any]:
    """Writes the split files, the folder of each interview, and `synthetic.json`.

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
    (directory / "labels").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xED]))
    widths = {"acoustic": streams.WIDTHS["egemaps"], "visual": streams.WIDTHS["openface"]}
    directions = {name: synthetic.orthonormal(width, 3, rng) for name, width in widths.items()}
    directions["words"] = synthetic.orthonormal(EMBEDDING, 2, rng)
    lines: dict[str, list[str]] = {split: [_HEADER] for split in layout.SPLITS}
    splits = synthetic.split_names(raw.PUBLISHED, items)
    drawn = list(events.interview_bits(splits, signal, rng))
    for name, (split, label, bits) in zip(_ids(splits), drawn, strict=True):
        seconds = synthetic.length(mean_seconds, 0.3, mean_seconds / 2, 2 * mean_seconds, rng)
        rate = FAST_VIDEO if rng.random() < 0.1 else streams.RATES["openface"]
        _interview(directory / f"{name}_P", name, seconds, rate, bits, directions, rng)
        score = int(rng.integers(labels.CUT, 21) if label else rng.integers(0, labels.CUT))
        gender = "male" if rng.random() < 0.6 else "female"
        severity = int(rng.integers(17, 86))
        lines[split].append(f"{name},{gender},{label},{score},{int(severity > 43)},{severity}.0")
    for split, written in lines.items():
        (directory / "labels" / f"{split}_split.csv").write_text("\n".join(written) + "\n")
    given = {"items": items, "seed": seed, "signal": signal}
    return events.write_truth(directory, "edaic", given, mean_seconds)


def _ids(splits: list[str]) -> list[str]:
    """Ids of the interviews: DAIC-WOZ's first, and those of the autonomous agent for the rest."""
    wizard = iter(n for n in raw.AGENTS["wizard"] if n not in ABSENT)
    autonomous = iter(raw.AGENTS["autonomous"])
    found = []
    for split in splits:
        number = None if split == "test" else next(wizard, None)
        found.append(str(next(autonomous) if number is None else number))
    return found


def _interview(
    folder: Path,
    name: str,
    seconds: float,
    video_rate: float,
    bits: events.Bits,
    directions: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Writes the files of one interview."""
    (folder / "features").mkdir(parents=True)
    answers = [turn for turn in events.turns(seconds, rng) if turn.answers]
    rates = {"acoustic": streams.RATES["egemaps"], "visual": video_rate}
    frames = events.streams(seconds, answers, bits, directions, rates, rng)
    lines = [",".join(transcripts.COLUMNS)]
    for turn in answers:
        words = sentence(turn, rng)
        lines.append(f"{turn.start:.3f},{turn.stop:.3f},{words},{rng.uniform(0.5, 1):.9f}")
    (folder / f"{name}_Transcript.csv").write_text("\n".join(lines) + "\n")
    np.save(folder / f"{name}_TEXT.npy", events.words(len(answers), bits, directions["words"], rng))
    _write_voice(layout.feature_file(folder, name, "egemaps"), frames["acoustic"])
    _write_face(layout.feature_file(folder, name, "openface"), frames["visual"], video_rate, rng)


def _write_voice(path: Path, frames: np.ndarray) -> None:
    """Writes openSMILE's table, whose first column is a name."""
    times = np.arange(len(frames))[:, None] / streams.RATES["egemaps"]
    header = ["name", "frameTime", *(f"descriptor{n}" for n in range(frames.shape[1]))]
    written = np.hstack([times, frames])
    synthetic_tables.write(path, written, header, delimiter=";", first="'unknown'")


def _write_face(path: Path, frames: np.ndarray, rate: float, rng: np.random.Generator) -> None:
    """Writes OpenFace's table; rows where tracking failed have confidence 0."""
    number = np.arange(len(frames))
    success = rng.random(len(frames)) > 0.002
    leading = np.stack([number + 1, number / rate, 0.9 * success, success], 1)
    columns = [name for group in _GROUPS for name in openface.COLUMNS[group]]
    header = ["frame", *(f" {name}" for name in ("timestamp", "confidence", "success", *columns))]
    synthetic_tables.write(path, np.hstack([leading, frames]), header)
