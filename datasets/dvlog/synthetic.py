"""Writes a folder like D-Vlog's whose label is carried by events in time, with a known answer.

A recording is autocorrelated noise about an offset of its speaker, with stretches of silence and
dropped frames. Into it come *events*, each a short pattern along a fixed direction of features:

* order: of 3 and of 5 frames, in each modality. It falls ("1, 0, -1") or it rises, so its mean
  over time is zero either way. In a recording all events of one kind go the same way: falling with
  probability `order_rate` if depressed, with the complement if not.
* coincidence: one frame in both modalities at once. The signs are random; they agree with
  probability `agreement_rate` if depressed, with the complement if not. One modality alone knows
  nothing of it.

So five independent bits carry the label: two that the voice shows, two that the face shows and one
that only both show. Time averages show none. The best attainable accuracy follows by enumeration
(`bayes`); events are loud enough that which way they go is not in doubt.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import stand_in
from jaxdep.data.stand_in import PATTERNS
from jaxdep.datasets.dvlog.raw import COLUMNS, LABELS, SPLITS, WIDTHS

AMPLITUDE = 8.0
NOISE, AUTOCORRELATION, OFFSET = 0.5, 0.6, 0.1
FRAMES_PER_EVENT = 16
"""An event of each kind recurs once in so many frames."""

SLOT = 7
"""Frames that an event has to itself."""


def write(
    directory: str | Path,
    items: int = sum(SPLITS.values()),
    seed: int = 0,
    signal: float = 1.0,
    mean_length: float = 596,
) -> dict[str, Any]:
    """Writes `labels.csv`, the arrays of every vlog, and `synthetic.json`.

    Args:
      directory: made if missing.
      items: vlogs of all splits together, in the published proportions; labels are balanced.
      seed: the same seed writes the same files.
      signal: 1 for the full rates, 0 for events that know nothing of the label.
      mean_length: mean number of frames; lengths are log-normal between a quarter (at least 40)
        and twice of it.

    Returns:
      What `synthetic.json` holds: parameters, chance, and Bayes accuracies.

    Raises:
      ValueError: fewer than 10 items, a signal outside 0..1, or a mean length under 40.
    """
    stand_in.check_size(items, 10, signal, mean_length=(mean_length, 40))
    directory = Path(directory)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xD7]))
    directions = _directions(rng)
    order, agreement = stand_in.event_rates(signal)
    directory.mkdir(parents=True, exist_ok=True)
    folds = stand_in.split_names(SPLITS, items)
    labels = rng.permutation(np.arange(items) % 2)
    rows = []
    for number, (fold, label) in enumerate(zip(folds, labels, strict=True)):
        name = f"v{number:05d}"
        least = max(40, mean_length / 4)
        length = int(stand_in.length(mean_length, 0.5, least, 2 * mean_length, rng))
        toward = lambda rate, label=label: rng.random() < (rate if label else 1 - rate)
        ways = {m: {k: toward(order) for k in PATTERNS} for m in WIDTHS}
        arrays = _recording(length, ways, toward(agreement), directions, rng)
        (directory / name).mkdir()
        for modality, array in arrays.items():
            np.save(directory / name / f"{name}_{modality}.npy", array.astype(np.float32))
        gender = "f" if rng.random() < 2 / 3 else "m"
        rows.append((name, LABELS[label], float(length), gender, fold))
    with (directory / "labels.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    given = {"items": items, "seed": seed, "signal": signal}
    parameters = {
        "order_rate": order,
        "agreement_rate": agreement,
        "mean_length": mean_length,
        "amplitude": AMPLITUDE,
        "noise": NOISE,
    }
    return stand_in.write_truth(
        directory, "dvlog", given, parameters, {"depression": bayes(signal)}
    )


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """What the best possible classifier attains, labels being balanced.

    It sees which way each of the independent bits goes; every outcome of them is enumerated.
    """
    order, agreement = stand_in.event_rates(signal)
    kinds = len(PATTERNS)
    both = [order] * (2 * kinds) + [agreement]
    alone = stand_in.best_accuracy([order] * kinds)
    return {
        "kind": "classification",
        "chance": 0.5,
        "bayes_accuracy": stand_in.best_accuracy(both),
        "best_single_modality": dict.fromkeys(WIDTHS, alone),
    }


def _directions(rng: np.random.Generator) -> dict[str, dict[int, np.ndarray]]:
    """An orthonormal direction for each modality and length of pattern."""
    found = {}
    for modality, width in WIDTHS.items():
        basis = stand_in.orthonormal(width, len(PATTERNS) + 1, rng)
        found[modality] = dict(zip((1, *PATTERNS), basis, strict=True))
    return found


def _recording(
    length: int,
    ways: dict[str, dict[int, bool]],
    agree: bool,
    directions: dict[str, dict[int, np.ndarray]],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Both modalities of one vlog, [length, 25] and [length, 136]."""
    arrays = {m: _noise(length, width, rng) for m, width in WIDTHS.items()}
    slots = rng.permutation(length // SLOT)
    recur = max(1, length // FRAMES_PER_EVENT)
    shared, slots = slots[: min(recur, len(slots) - 2)], slots[min(recur, len(slots) - 2) :]
    for slot in shared:
        sign = rng.choice([-1, 1])
        for modality, way in zip(WIDTHS, (sign, sign if agree else -sign), strict=True):
            arrays[modality][slot * SLOT] += way * AMPLITUDE * directions[modality][1]
    for modality, array in arrays.items():
        free = list(rng.permutation(slots))
        for turn in range(recur):
            for size, pattern in PATTERNS.items():
                if free and (turn == 0 or len(free) > 1):
                    start = free.pop() * SLOT
                    shape = pattern if ways[modality][size] else -pattern
                    event = np.outer(shape, directions[modality][size])
                    array[start : start + size] += AMPLITUDE * event
        # Silence and dropped frames fall only where nothing was planted.
        for slot in free:
            if rng.random() < 0.15:
                array[slot * SLOT : slot * SLOT + rng.integers(1, SLOT)] = 0
    return arrays


def _noise(length: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Autocorrelated noise about the speaker's offset."""
    steps = rng.normal(size=(length, width)) * NOISE * np.sqrt(1 - AUTOCORRELATION**2)
    steps[0] /= np.sqrt(1 - AUTOCORRELATION**2)
    noise = np.empty_like(steps)
    noise[0] = steps[0]
    for t in range(1, length):
        noise[t] = AUTOCORRELATION * noise[t - 1] + steps[t]
    return noise + OFFSET * rng.normal(size=width)
