"""Writes a synthetic D-Vlog in which temporal events encode the label.

A recording is autocorrelated noise around an offset of the speaker, with silent stretches and
dropped frames. *Events* are added, each a short pattern along a fixed feature direction:

* order: patterns of 3 and of 5 frames, in each modality. A pattern falls ("1, 0, -1") or rises, so
  its mean over time is zero in both cases. All events of one kind in a recording have the same
  order: falling with probability `order_rate` if depressed, `1 - order_rate` if not.
* coincidence: one frame in both modalities at the same time, with random signs. The signs agree
  with probability `agreement_rate` if depressed, `1 - agreement_rate` if not. A single modality
  carries no information about it.

So five independent bits encode the label: two in the voice, two in the face and one in both
together only. None is visible in averages over time. The best attainable accuracy follows by
enumeration (`bayes`); the events are strong enough that their orders and signs are unambiguous.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import synthetic
from jaxdep.data.synthetic import PATTERNS
from jaxdep.datasets.dvlog.raw import COLUMNS, LABELS, SPLITS, WIDTHS

AMPLITUDE = 8.0
NOISE, AUTOCORRELATION, OFFSET = 0.5, 0.6, 0.1
FRAMES_PER_EVENT = 16
"""Frames per event of each kind."""

SLOT = 7
"""Frames reserved for one event."""


def write(
    directory: str | Path,
    items: int = sum(SPLITS.values()),
    seed: int = 0,
    signal: float = 1.0,
    mean_length: float = 596,
) -> dict[str, Any]:
    """Writes `labels.csv`, the arrays of every vlog, and `synthetic.json`.

    Args:
      directory: output folder; created if missing.
      items: number of vlogs in all splits, which have the published proportions; labels are
        balanced.
      seed: seed of the random draws; the same seed writes the same files.
      signal: 1 for the full rates, 0 for events that are independent of the label.
      mean_length: mean number of frames; lengths are log-normal, clipped to a quarter of the mean
        (at least 40) and twice the mean.

    Returns:
      The content of `synthetic.json`: parameters, chance level, and Bayes accuracies.

    Raises:
      ValueError: fewer than 10 items, a signal outside 0..1, or a mean length below 40.
    """
    synthetic.check_size(items, 10, signal, mean_length=(mean_length, 40))
    directory = Path(directory)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xD7]))
    directions = _directions(rng)
    order, agreement = synthetic.event_rates(signal)
    directory.mkdir(parents=True, exist_ok=True)
    folds = synthetic.split_names(SPLITS, items)
    labels = rng.permutation(np.arange(items) % 2)
    rows = []
    for number, (fold, label) in enumerate(zip(folds, labels, strict=True)):
        name = f"v{number:05d}"
        shortest = max(40, mean_length / 4)
        length = int(synthetic.length(mean_length, 0.5, shortest, 2 * mean_length, rng))
        draw = lambda rate, label=label: rng.random() < (rate if label else 1 - rate)
        falls = {m: {k: draw(order) for k in PATTERNS} for m in WIDTHS}
        arrays = _recording(length, falls, draw(agreement), directions, rng)
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
    return synthetic.write_truth(
        directory, "dvlog", given, parameters, {"depression": bayes(signal)}
    )


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """Accuracy of the best possible classifier, with balanced labels.

    The classifier observes all independent bits; all their outcomes are enumerated.
    """
    order, agreement = synthetic.event_rates(signal)
    kinds = len(PATTERNS)
    both = [order] * (2 * kinds) + [agreement]
    alone = synthetic.best_accuracy([order] * kinds)
    return {
        "kind": "classification",
        "chance": 0.5,
        "bayes_accuracy": synthetic.best_accuracy(both),
        "best_single_modality": dict.fromkeys(WIDTHS, alone),
    }


def _directions(rng: np.random.Generator) -> dict[str, dict[int, np.ndarray]]:
    """Draws an orthonormal direction for each modality and pattern length."""
    found = {}
    for modality, width in WIDTHS.items():
        basis = synthetic.orthonormal(width, len(PATTERNS) + 1, rng)
        found[modality] = dict(zip((1, *PATTERNS), basis, strict=True))
    return found


def _recording(
    length: int,
    falls: dict[str, dict[int, bool]],
    agree: bool,
    directions: dict[str, dict[int, np.ndarray]],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Draws both modalities of one vlog, [length, 25] and [length, 136]."""
    arrays = {m: _noise(length, width, rng) for m, width in WIDTHS.items()}
    slots = rng.permutation(length // SLOT)
    repeats = max(1, length // FRAMES_PER_EVENT)
    shared, slots = slots[: min(repeats, len(slots) - 2)], slots[min(repeats, len(slots) - 2) :]
    for slot in shared:
        sign = rng.choice([-1, 1])
        for modality, side in zip(WIDTHS, (sign, sign if agree else -sign), strict=True):
            arrays[modality][slot * SLOT] += side * AMPLITUDE * directions[modality][1]
    for modality, array in arrays.items():
        free = list(rng.permutation(slots))
        for repeat in range(repeats):
            for size, pattern in PATTERNS.items():
                if free and (repeat == 0 or len(free) > 1):
                    start = free.pop() * SLOT
                    shape = pattern if falls[modality][size] else -pattern
                    event = np.outer(shape, directions[modality][size])
                    array[start : start + size] += AMPLITUDE * event
        # Silence and dropped frames occur only in slots without events.
        for slot in free:
            if rng.random() < 0.15:
                array[slot * SLOT : slot * SLOT + rng.integers(1, SLOT)] = 0
    return arrays


def _noise(length: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Autocorrelated noise around a random offset of the speaker."""
    steps = rng.normal(size=(length, width)) * NOISE * np.sqrt(1 - AUTOCORRELATION**2)
    steps[0] /= np.sqrt(1 - AUTOCORRELATION**2)
    noise = np.empty_like(steps)
    noise[0] = steps[0]
    for t in range(1, length):
        noise[t] = AUTOCORRELATION * noise[t - 1] + steps[t]
    return noise + OFFSET * rng.normal(size=width)
