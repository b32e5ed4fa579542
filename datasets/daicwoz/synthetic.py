"""Writes a folder like DAIC-WOZ's whose label is carried by events in time, with a known answer.

An interview is autocorrelated noise about an offset of its speaker, in the units of the real files,
with an avatar's questions between the answers. Into the answers come *events*, short patterns along
fixed directions of features:

* order: of 3 and of 5 frames, in the voice and in the face. It falls ("1, 0, -1") or it rises, so
  its mean over time is zero either way. In an interview all events of one kind go the same way:
  falling with probability `order_rate` if depressed, with the complement if not.
* words: every sentence's embedding leans along one of two directions, as often to one side of it as
  to the other; along the first with probability `order_rate` if depressed.
* coincidence: one frame of voice and face in the same sentence. The signs are random; they agree
  with probability `agreement_rate` if depressed, with the complement if not.

So six independent bits carry the label: two that the voice shows, two the face, one the words, and
one that only voice and face together show. The best attainable accuracy follows by enumeration.
The recordings of sound themselves are not written; nothing reads them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from jaxdep.data import stand_in
from jaxdep.data.stand_in import PATTERNS
from jaxdep.datasets.daicwoz import labels, raw, tables, transcripts

AMPLITUDE, AUTOCORRELATION, OFFSET = 8.0, 0.6, 0.3
FRAMES_PER_EVENT = 24
QUESTION_SECONDS, ANSWER_SECONDS = 3.0, 5.0
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
      items: interviews of all splits together, in the published proportions; labels are balanced.
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
    order, agreement = stand_in.event_rates(signal)
    ids = [n for n in range(300, 300 + items + len(ABSENT)) if n not in ABSENT][:items]
    of_split: dict[str, list[str]] = {split: [] for split in labels.FILES}
    splits = stand_in.split_names(labels.PUBLISHED, items)
    depressed = rng.permutation(np.arange(items) % 2)
    for number, split, label in zip(ids, splits, depressed, strict=True):
        name = str(number)
        toward = lambda rate, label=label: bool(rng.random() < (rate if label else 1 - rate))
        bits = {
            "acoustic": {size: toward(order) for size in PATTERNS},
            "visual": {size: toward(order) for size in PATTERNS},
            "words": toward(order),
            "agree": toward(agreement),
        }
        _interview(directory / f"{name}_P", name, mean_seconds, bits, directions, rng)
        score = int(rng.integers(labels.CUT, 21) if label else rng.integers(0, labels.CUT))
        of_split[split].append(f"{name},{label},{score},{rng.integers(0, 2)}")
    for split, file in labels.FILES.items():
        prefix = "PHQ" if split == "test" else "PHQ8"
        header = f"Participant_ID,{prefix}_Binary,{prefix}_Score,Gender"
        (directory / file).write_text("\n".join([header, *of_split[split]]) + "\n")
    given = {"items": items, "seed": seed, "signal": signal}
    parameters = {
        "order_rate": order,
        "agreement_rate": agreement,
        "mean_seconds": mean_seconds,
        "amplitude": AMPLITUDE,
    }
    return stand_in.write_truth(
        directory, "daicwoz", given, parameters, {"depression": bayes(signal)}
    )


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """What the best possible classifier attains, labels being balanced."""
    order, agreement = stand_in.event_rates(signal)
    two, one = stand_in.best_accuracy([order] * 2), stand_in.best_accuracy([order])
    return {
        "kind": "classification",
        "chance": 0.5,
        "bayes_accuracy": stand_in.best_accuracy([order] * 5 + [agreement]),
        "best_single_modality": {"acoustic": two, "visual": two, "text": one},
    }


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
    mean_seconds: float,
    bits: dict[str, Any],
    directions: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Writes the files of one interview."""
    folder.mkdir(parents=True)
    seconds = stand_in.length(mean_seconds, 0.3, mean_seconds / 2, 2 * mean_seconds, rng)
    answers = _transcript(folder / f"{name}_TRANSCRIPT.csv", seconds, rng)
    streams = {
        modality: _noise(int(seconds * rate), directions[modality].shape[1], rng)
        for modality, rate in raw.RATES.items()
    }
    for start, stop in answers:
        sign = int(rng.choice([-1, 1]))
        signs = {"acoustic": sign, "visual": sign if bits["agree"] else -sign}
        for modality, rate in raw.RATES.items():
            window = streams[modality][round(start * rate) : round(stop * rate)]
            _plant(window, signs[modality], bits[modality], directions[modality], rng)
    leaning = directions["words"][0 if bits["words"] else 1]
    sides = stand_in.signs(len(answers), rng)
    words = rng.normal(size=(len(answers), raw.EMBEDDING)) + AMPLITUDE * np.outer(sides, leaning)
    np.save(folder / f"{name}_TEXT.npy", words.astype(np.float32))
    _write_voice(folder, name, streams["acoustic"], rng)
    _write_face(folder, name, streams["visual"], rng)


def _transcript(path: Path, seconds: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Writes who speaks when; returns the times of the answers, of which there are at least two."""
    lines, answers, now = ["\t".join(transcripts.COLUMNS)], [], 1.0
    while now < seconds - 8 or len(answers) < 2:
        spans = {
            transcripts.INTERVIEWER: rng.uniform(0.5, 1.5) * QUESTION_SECONDS,
            transcripts.PARTICIPANT: np.clip(rng.lognormal(np.log(ANSWER_SECONDS), 0.5), 2, 20),
        }
        for speaker, span in spans.items():
            stop = min(now + span, seconds - 0.5)
            text = " ".join(rng.choice(_WORDS, size=max(int(2 * span), 1)))
            lines.append(f"{now:.3f}\t{stop:.3f}\t{speaker}\t{text}")
            if speaker == transcripts.PARTICIPANT:
                answers.append((now, stop))
            now = stop + 0.3
            if now >= seconds - 1:
                break
        if now >= seconds - 1:
            break
    path.write_text("\n".join(lines) + "\n")
    return answers


def _plant(
    window: np.ndarray,
    sign: int,
    falls: dict[int, bool],
    directions: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Adds the events of one answer to its frames [T, D]: one of each kind in every stretch."""
    for begin in range(0, len(window) - FRAMES_PER_EVENT + 1, FRAMES_PER_EVENT):
        slots = begin + 8 * rng.permutation(FRAMES_PER_EVENT // 8)
        window[slots[0]] += sign * AMPLITUDE * directions[0]
        for slot, direction, (size, pattern) in zip(
            slots[1:], directions[1:], PATTERNS.items(), strict=True
        ):
            shape = pattern if falls[size] else -pattern
            window[slot : slot + size] += AMPLITUDE * np.outer(shape, direction)


def _noise(length: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of variance 1 about the speaker's offset, [length, width]."""
    noise = stand_in.autocorrelated(length, width, AUTOCORRELATION, rng)
    return noise + OFFSET * rng.normal(size=width)


def _write_voice(folder: Path, name: str, frames: np.ndarray, rng: np.random.Generator) -> None:
    covarep = frames.copy()
    voiced = rng.random(len(frames)) < 0.7
    covarep[:, 0] = np.where(voiced, 120 + 20 * frames[:, 0], 0)
    covarep[:, 1] = voiced
    covarep[rng.random(len(frames)) < 0.001, 8] = -np.inf
    _write_table(folder / f"{name}_COVAREP.csv", covarep, header=None)
    formants = np.array([500, 1500, 2500, 3500, 4500]) + 50 * _noise(len(frames), 5, rng)
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
