"""Synthetic vlogs of two modalities at one frame rate, in which temporal events encode the label.

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

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxdep.data import synthetic
from jaxdep.data.synthetic import PATTERNS

AMPLITUDE = 8.0
NOISE, AUTOCORRELATION, OFFSET = 0.5, 0.6, 0.1
FRAMES_PER_EVENT = 16
"""Frames per event of each kind."""

SLOT = 7
"""Frames reserved for one event."""

Directions = Mapping[str, Mapping[int, np.ndarray]]
"""Direction of each modality and number of frames of an event."""


def parameters(signal: float, mean_length: float) -> dict[str, Any]:
    """Parameters of the generator, as `synthetic.json` lists them."""
    order, agreement = synthetic.event_rates(signal)
    return {
        "order_rate": order,
        "agreement_rate": agreement,
        "mean_length": mean_length,
        "amplitude": AMPLITUDE,
        "noise": NOISE,
    }


def bayes(modalities: tuple[str, str], signal: float = 1.0) -> dict[str, Any]:
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
        "best_single_modality": dict.fromkeys(modalities, alone),
    }


def directions(widths: Mapping[str, int], rng: np.random.Generator) -> Directions:
    """Draws an orthonormal direction for each modality and pattern length."""
    found = {}
    for modality, width in widths.items():
        basis = synthetic.orthonormal(width, len(PATTERNS) + 1, rng)
        found[modality] = dict(zip((1, *PATTERNS), basis, strict=True))
    return found


def recording(
    label: int, mean_length: float, signal: float, along: Directions, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draws both modalities of one vlog, [T, D] each.

    Args:
      label: 1 if depressed, else 0.
      mean_length: mean number of frames; lengths are log-normal, clipped to a quarter of the mean
        (at least 40) and twice the mean.
      signal: 1 for the full rates, 0 for events that are independent of the label.
      along: directions of the events, from `directions`.
      rng: random number generator.
    """
    order, agreement = synthetic.event_rates(signal)
    shortest = max(40, mean_length / 4)
    length = int(synthetic.length(mean_length, 0.5, shortest, 2 * mean_length, rng))
    draw = lambda rate: rng.random() < (rate if label else 1 - rate)
    falls = {m: {k: draw(order) for k in PATTERNS} for m in along}
    return _recording(length, falls, draw(agreement), along, rng)


def _recording(
    length: int,
    falls: dict[str, dict[int, bool]],
    agree: bool,
    directions: Directions,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Draws both modalities, with events in the given orders and signs."""
    arrays = {m: _noise(length, len(along[1]), rng) for m, along in directions.items()}
    slots = rng.permutation(length // SLOT)
    repeats = max(1, length // FRAMES_PER_EVENT)
    shared, slots = slots[: min(repeats, len(slots) - 2)], slots[min(repeats, len(slots) - 2) :]
    for slot in shared:
        sign = rng.choice([-1, 1])
        for modality, side in zip(directions, (sign, sign if agree else -sign), strict=True):
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
