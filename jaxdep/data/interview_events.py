"""Synthetic interviews: who speaks when, and events in the answers that carry a label.

A stream is autocorrelated noise about an offset of its speaker, with an interviewer's questions
between the answers. Every answer ends with *events*, short patterns along fixed directions, as
voices fall or rise at the end of a sentence:

* order: of 3 and of 5 frames, in the voice and in the face. It falls ("1, 0, -1") or it rises, so
  its mean over time is zero either way. In an interview all events of one kind go the same way:
  falling with probability `order_rate` if depressed, with the complement if not.
* words: every sentence's embedding leans along one of two directions, as often to one side of it as
  to the other; along the first with probability `order_rate` if depressed.
* coincidence: one frame of voice and face in the same sentence. The signs are random; they agree
  with probability `agreement_rate` if depressed, with the complement if not.

So six independent bits carry the label: two that the voice shows, two the face, one the words, and
one that only voice and face together show. The best attainable accuracy follows by enumeration; in
each split the bits have their rates as nearly as whole interviews allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import stand_in
from jaxdep.data.stand_in import PATTERNS

AMPLITUDE, AUTOCORRELATION, OFFSET = 12.0, 0.6, 0.3
SLOT = 8
"""Frames from one event to the next; the last begins as many before the answer's end."""

QUESTION_SECONDS, ANSWER_SECONDS = 3.0, 5.0


@dataclass(frozen=True)
class Turn:
    """Who speaks from when to when, in seconds."""

    start: float
    stop: float
    answers: bool


@dataclass(frozen=True)
class Bits:
    """What the events of an interview tell.

    Attributes:
      falls: of each stream, whether its events of each length fall.
      words: whether the words lean along the first direction.
      agree: whether voice and face agree.
    """

    falls: Mapping[str, Mapping[int, bool]]
    words: bool
    agree: bool


def _rates(signal: float) -> list[float]:
    """How often each bit equals the label: those of order, of the words, of the coincidence."""
    order, agreement = stand_in.event_rates(signal)
    return [order] * 5 + [agreement]


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """What the best possible classifier attains, labels being balanced."""
    rates = _rates(signal)
    two, one = stand_in.best_accuracy(rates[:2]), stand_in.best_accuracy(rates[:1])
    return {
        "kind": "classification",
        "chance": 0.5,
        "bayes_accuracy": stand_in.best_accuracy(rates),
        "best_single_modality": {"acoustic": two, "visual": two, "text": one},
    }


def write_truth(
    directory: Path, corpus: str, given: Mapping[str, Any], mean_seconds: float
) -> dict[str, Any]:
    """`stand_in.write_truth` of interviews with these events."""
    order, agreement = stand_in.event_rates(given["signal"])
    parameters = {
        "order_rate": order,
        "agreement_rate": agreement,
        "mean_seconds": mean_seconds,
        "amplitude": AMPLITUDE,
    }
    tasks = {"depression": bayes(given["signal"])}
    return stand_in.write_truth(directory, corpus, given, parameters, tasks)


def dealt(
    splits: Sequence[str], signal: float, rng: np.random.Generator
) -> Iterator[tuple[str, int, Bits]]:
    """Split and label of each interview, and what its events tell, as `stand_in.dealt`."""
    for split, label, right in stand_in.dealt(splits, _rates(signal), rng):
        told = iter(right == label)
        falls = {name: {size: next(told) for size in PATTERNS} for name in ("acoustic", "visual")}
        yield split, label, Bits(falls, next(told), next(told))


def turns(seconds: float, rng: np.random.Generator) -> list[Turn]:
    """Questions and answers by turns, of which there are at least two each."""
    made, now = [], 1.0
    while now < seconds - 8 or len(made) < 4:
        spans = (
            rng.uniform(0.5, 1.5) * QUESTION_SECONDS,
            float(np.clip(rng.lognormal(np.log(ANSWER_SECONDS), 0.5), 2, 20)),
        )
        for answers, span in zip((False, True), spans, strict=True):
            stop = min(now + span, seconds - 0.5)
            made.append(Turn(now, stop, answers))
            now = stop + 0.3
            if now >= seconds - 1:
                return made
    return made


def noise(length: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of variance 1 about the speaker's offset, [length, width]."""
    made = stand_in.autocorrelated(length, width, AUTOCORRELATION, rng)
    return made + OFFSET * rng.normal(size=width)


def streams(
    seconds: float,
    answers: Sequence[Turn],
    told: Bits,
    directions: Mapping[str, np.ndarray],
    rates: Mapping[str, float],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """`acoustic` and `visual`, [T, D] each: noise, and at each answer's end an event of each kind.

    Args:
      directions: of each stream [3, D]: of the coincidence and of each kind of order.
      rates: frames a second.
    """
    made = {
        name: noise(int(seconds * rate), directions[name].shape[1], rng)
        for name, rate in rates.items()
    }
    for turn in answers:
        sign = int(rng.choice([-1, 1]))
        signs = {"acoustic": sign, "visual": sign if told.agree else -sign}
        for name, rate in rates.items():
            window = made[name][round(turn.start * rate) : round(turn.stop * rate)]
            _plant(window, signs[name], told.falls[name], directions[name])
    return made


def words(
    sentences: int, told: Bits, directions: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Embeddings of so many sentences, [sentences, D] float32, given two directions [2, D]."""
    sides = stand_in.signs(sentences, rng)
    made = rng.normal(size=(sentences, directions.shape[1]))
    leaning = directions[0 if told.words else 1]
    return (made + AMPLITUDE * np.outer(sides, leaning)).astype(np.float32)


def _plant(
    window: np.ndarray,
    sign: int,
    falls: Mapping[int, bool],
    directions: np.ndarray,
) -> None:
    slots = len(window) - SLOT * np.arange(1 + len(PATTERNS), 0, -1)
    if slots[0] < 0:
        return
    window[slots[0]] += sign * AMPLITUDE * directions[0]
    for slot, direction, (size, pattern) in zip(
        slots[1:], directions[1:], PATTERNS.items(), strict=True
    ):
        shape = pattern if falls[size] else -pattern
        window[slot : slot + size] += AMPLITUDE * np.outer(shape, direction)
