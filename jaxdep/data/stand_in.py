"""What the generators of synthetic stand-ins share: lengths, noise, events, and what is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy import signal

ORDER_RATE, AGREEMENT_RATE = 0.85, 0.7
"""At full signal, how often an event's order, and two events' agreement, speak for the label."""

_DRAWS = 100

PATTERNS = {3: np.array([1.0, 0.0, -1.0]), 5: np.array([1.0, 0.5, 0.0, -0.5, -1.0])}
"""Falling events by their number of frames; rising ones are these, negated."""


def check_size(items: int, least: int, signal: float, **mean: tuple[float, float]) -> None:
    """Refuses what no stand-in can be made of.

    Args:
      items: with the fewest allowed.
      signal: from 0 to 1.
      mean: the mean length under its option's name, with the least allowed, if there is one.

    Raises:
      ValueError: says all rules.
    """
    short = any(value < shortest for value, shortest in mean.values())
    if items < least or not 0 <= signal <= 1 or short:
        rules = [f"{name} at least {shortest:g}" for name, (_, shortest) in mean.items()]
        got = [f"{value:g}" for value, _ in mean.values()]
        raise ValueError(
            f"{', '.join([f'items must be at least {least}', 'signal in 0..1', *rules])}; got"
            f" {', '.join([str(items), str(signal), *got])}"
        )


def event_rates(signal: float) -> tuple[float, float]:
    """Probabilities of order and of agreement: from even chances to the full rates."""
    return 0.5 + signal * (ORDER_RATE - 0.5), 0.5 + signal * (AGREEMENT_RATE - 0.5)


def best_accuracy(rates: Sequence[float]) -> float:
    """Accuracy of the likelihood-ratio test of a balanced label on independent bits.

    Args:
      rates: of each bit, the probability that it equals the label.
    """
    total = 0.0
    for bits in product((True, False), repeat=len(rates)):
        of = [
            np.prod([r if b == d else 1 - r for r, b in zip(rates, bits, strict=True)])
            for d in (True, False)
        ]
        total += 0.5 * max(of)
    return float(total)


def split_names(shares: Mapping[str, float], items: int) -> list[str]:
    """The split of each of so many items, in the order of the splits and in their proportions."""
    ends = np.cumsum(list(shares.values())) / sum(shares.values()) * items
    names = list(shares)
    which = np.searchsorted(np.rint(ends).astype(int), np.arange(items), side="right")
    return [names[index] for index in which]


def dealt(
    splits: Sequence[str], rates: Sequence[float], rng: np.random.Generator
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Split and label of each item, and which bits [B] equal the label, with little left to luck.

    In each split the labels are balanced, each bit equals each label at its rate, as nearly as
    whole items allow, and the best attainable accuracy is nearly that of `best_accuracy`: of many
    draws, the nearest.

    Args:
      splits: of each item; items of one split follow one another.
      rates: of each bit, the probability that it equals the label.
    """
    evidence, best = np.log(rates) - np.log1p(-np.array(rates)), best_accuracy(rates)

    def error(right: np.ndarray) -> float:
        likelihood = ((2.0 * right - 1) @ evidence).round(6)
        return abs((np.sign(likelihood) + 1).mean() / 2 - best)

    for split in dict.fromkeys(splits):
        labels = np.arange(splits.count(split)) % 2
        draws = (_right(labels, rates, rng) for _ in range(_DRAWS))
        right = min(draws, key=error)
        for item in rng.permutation(len(labels)):
            yield split, int(labels[item]), right[item]


def _right(labels: np.ndarray, rates: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """Which bits equal the label, [N, B]: independent, at their rates among items of each label."""
    right = np.zeros((len(labels), len(rates)), bool)
    for label in (0, 1):
        own = labels == label
        first = np.arange(own.sum())[:, None] < np.rint(own.sum() * np.array(rates))
        right[own] = rng.permuted(first, axis=0)
    return right


def length(
    mean: float, spread: float, least: float, most: float, rng: np.random.Generator
) -> float:
    """Log-normal with this mean, its logarithm's deviation `spread`; clipped to the bounds."""
    drawn = rng.lognormal(np.log(mean) - spread**2 / 2, spread)
    return float(np.clip(drawn, least, most))


def orthonormal(width: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Random directions at right angles, [count, width]."""
    return np.linalg.qr(rng.normal(size=(width, count)))[0].T


def signs(count: int, rng: np.random.Generator) -> np.ndarray:
    """Half of them 1, half -1, in random order."""
    return rng.permutation(np.where(np.arange(count) % 2, 1.0, -1.0))


def autocorrelated(
    length: int, width: int, correlation: float, rng: np.random.Generator
) -> np.ndarray:
    """Stationary noise of variance 1, each frame correlated with the one before it.

    Returns:
      [length, width] float32.
    """
    steps = rng.standard_normal((length, width), np.float32)
    # The first frame has the variance of all, not that of a step.
    steps[1:] *= np.float32(np.sqrt(1 - correlation**2))
    one = np.ones(1, np.float32)
    return signal.lfilter(one, np.array([1, -correlation], np.float32), steps, axis=0)


def write_truth(
    directory: Path,
    corpus: str,
    given: Mapping[str, Any],
    parameters: Mapping[str, Any],
    tasks: Mapping[str, Any],
) -> dict[str, Any]:
    """Writes `synthetic.json`, last of all: a folder that has it is whole.

    Args:
      given: items, seed and signal.
      parameters: what else decides the files.
      tasks: of each the best attainable score, and chance.

    Returns:
      Its content.
    """
    truth = {"corpus": corpus, **given, "parameters": dict(parameters), "tasks": dict(tasks)}
    (directory / "synthetic.json").write_text(json.dumps(truth, indent=1) + "\n")
    return truth
