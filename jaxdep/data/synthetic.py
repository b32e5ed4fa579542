"""Shared parts of the synthetic-corpus generators: lengths, noise, events and best scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy import signal

from jaxdep.artifacts.files import write_json

ORDER_RATE, AGREEMENT_RATE = 0.85, 0.7
"""Probabilities that an event's order, and two events' agreement, match the label at signal 1."""

_DRAWS = 100

PATTERNS = {3: np.array([1.0, 0.0, -1.0]), 5: np.array([1.0, 0.5, 0.0, -0.5, -1.0])}
"""Falling events by their number of frames; rising events are the negated patterns."""


def check_size(items: int, minimum: int, signal: float, **mean: tuple[float, float]) -> None:
    """Checks the size and signal of a synthetic corpus.

    Args:
      items: number of items.
      minimum: minimum number of items.
      signal: strength of the planted effects, 0 to 1.
      **mean: mean length and its minimum, under the name of the option.

    Raises:
      ValueError: a value is out of range; the message lists all ranges.
    """
    short = any(value < shortest for value, shortest in mean.values())
    if items < minimum or not 0 <= signal <= 1 or short:
        rules = [f"{name} at least {shortest:g}" for name, (_, shortest) in mean.items()]
        got = [f"{value:g}" for value, _ in mean.values()]
        raise ValueError(
            f"{', '.join([f'items must be at least {minimum}', 'signal in 0..1', *rules])}; got"
            f" {', '.join([str(items), str(signal), *got])}"
        )


def event_rates(signal: float) -> tuple[float, float]:
    """Probabilities of order and of agreement: 0.5 each at signal 0, the full rates at signal 1."""
    return 0.5 + signal * (ORDER_RATE - 0.5), 0.5 + signal * (AGREEMENT_RATE - 0.5)


def best_accuracy(rates: Sequence[float]) -> float:
    """Accuracy of the likelihood-ratio test of a balanced label on independent bits.

    Args:
      rates: probability that each bit equals the label.
    """
    total = 0.0
    for bits in product((True, False), repeat=len(rates)):
        likelihoods = [
            np.prod([r if b == d else 1 - r for r, b in zip(rates, bits, strict=True)])
            for d in (True, False)
        ]
        total += 0.5 * max(likelihoods)
    return float(total)


def split_names(shares: Mapping[str, float], items: int) -> list[str]:
    """Assigns items to splits, in the order of the splits and in proportion to their shares."""
    ends = np.cumsum(list(shares.values())) / sum(shares.values()) * items
    names = list(shares)
    which = np.searchsorted(np.rint(ends).astype(int), np.arange(items), side="right")
    return [names[index] for index in which]


def write_subjects(directory: Path, names: Iterable[str], seed: int) -> None:
    """Writes `subjects.csv` with a random gender of each subject.

    Args:
      directory: folder of the corpus.
      names: ids of the subjects, each once.
      seed: seed of the corpus; the draws are independent of all others.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x5B]))
    lines = [f"{name},{rng.choice(['female', 'male'])}" for name in names]
    text = "\n".join(["subject,gender", *lines]) + "\n"
    (directory / "subjects.csv").write_text(text, encoding="utf-8")


def balanced_bits(
    splits: Sequence[str], rates: Sequence[float], rng: np.random.Generator
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Draws labels and bits with less variation between splits than independent draws have.

    In each split the labels are balanced, each bit equals each label at its rate as closely as
    whole items allow, and the best attainable accuracy is close to `best_accuracy`: of many draws,
    the closest one is used.

    Args:
      splits: split of each item; the items of a split are contiguous.
      rates: probability that each bit equals the label.
      rng: random number generator.

    Yields:
      Split and label of an item, and whether each of its bits equals the label, [B].
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
    """Draws which bits equal the label, [N, B]: independently, at the given rates in each class."""
    right = np.zeros((len(labels), len(rates)), bool)
    for label in (0, 1):
        members = labels == label
        ordered = np.arange(members.sum())[:, None] < np.rint(members.sum() * np.array(rates))
        right[members] = rng.permuted(ordered, axis=0)
    return right


def length(
    mean: float, spread: float, lower: float, upper: float, rng: np.random.Generator
) -> float:
    """Draws a log-normal length, clipped to the bounds.

    Args:
      mean: mean before clipping.
      spread: standard deviation of the logarithm.
      lower: lower bound.
      upper: upper bound.
      rng: random number generator.
    """
    drawn = rng.lognormal(np.log(mean) - spread**2 / 2, spread)
    return float(np.clip(drawn, lower, upper))


def orthonormal(width: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Random orthonormal directions, [count, width]."""
    return np.linalg.qr(rng.normal(size=(width, count)))[0].T


def signs(count: int, rng: np.random.Generator) -> np.ndarray:
    """Random signs, half of them 1 and half -1."""
    return rng.permutation(np.where(np.arange(count) % 2, 1.0, -1.0))


def autocorrelated(
    length: int, width: int, correlation: float, rng: np.random.Generator
) -> np.ndarray:
    """Stationary noise of variance 1 in which consecutive frames are correlated.

    Returns:
      [length, width] float32.
    """
    steps = rng.standard_normal((length, width), np.float32)
    # The first frame has the stationary variance, not that of an increment.
    steps[1:] *= np.float32(np.sqrt(1 - correlation**2))
    one = np.ones(1, np.float32)
    filtered: Any = signal.lfilter(one, np.array([1, -correlation], np.float32), steps, axis=0)
    return filtered


def write_truth(
    directory: Path,
    corpus: str,
    given: Mapping[str, Any],
    parameters: Mapping[str, Any],
    tasks: Mapping[str, Any],
) -> dict[str, Any]:
    """Writes `synthetic.json`; written last, it marks a folder as complete.

    Args:
      directory: folder of the synthetic corpus.
      corpus: name of the imitated corpus.
      given: number of items, seed and signal.
      parameters: all other parameters of the generator.
      tasks: best attainable score and chance level of each task.

    Returns:
      The content of the file.
    """
    truth = {"corpus": corpus, **given, "parameters": dict(parameters), "tasks": dict(tasks)}
    write_json(directory / "synthetic.json", truth)
    return truth
