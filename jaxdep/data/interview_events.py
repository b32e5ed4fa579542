"""Synthetic interviews: speaking turns, and events in the answers that encode a label.

A stream is autocorrelated noise around an offset of the speaker; questions of an interviewer and
answers alternate. Every answer ends with *events*, short patterns along fixed feature directions,
like voices that fall or rise at the end of a sentence:

* order: patterns of 3 and of 5 frames, in the voice and in the face. A pattern falls ("1, 0, -1")
  or rises, so its mean over time is zero in both cases. All events of one kind in an interview have
  the same order: falling with probability `order_rate` if depressed, `1 - order_rate` if not.
* words: every sentence embedding is shifted along one of two directions, with positive and negative
  signs equally often; along the first with probability `order_rate` if depressed, `1 - order_rate`
  if not.
* coincidence: one frame of voice and face in the same sentence, with random signs. The signs agree
  with probability `agreement_rate` if depressed, `1 - agreement_rate` if not.

So six independent bits encode the label: two in the voice, two in the face, one in the words, and
one in voice and face together only. The best attainable accuracy follows by enumeration; in each
split the bits have their rates as closely as whole interviews allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import synthetic
from jaxdep.data.synthetic import PATTERNS

AMPLITUDE, AUTOCORRELATION, OFFSET = 12.0, 0.6, 0.3
SLOT = 8
"""Frames between event onsets; the last event begins this many frames before the answer ends."""

QUESTION_SECONDS, ANSWER_SECONDS = 3.0, 5.0


@dataclass(frozen=True)
class Turn:
    """A speaking turn.

    Attributes:
      start: start time in seconds.
      stop: end time in seconds.
      answers: whether the turn is an answer, not a question.
    """

    start: float
    stop: float
    answers: bool


@dataclass(frozen=True)
class Bits:
    """Bits that the events of an interview encode.

    Attributes:
      falls: whether events fall, by stream and number of frames.
      words: whether sentence embeddings are shifted along the first direction.
      agree: whether the signs of voice and face agree.
    """

    falls: Mapping[str, Mapping[int, bool]]
    words: bool
    agree: bool


def _rates(signal: float) -> list[float]:
    """Probability that each bit equals the label: four order bits, words, and coincidence."""
    order, agreement = synthetic.event_rates(signal)
    return [order] * 5 + [agreement]


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """Accuracy of the best possible classifier, with balanced labels."""
    rates = _rates(signal)
    two, one = synthetic.best_accuracy(rates[:2]), synthetic.best_accuracy(rates[:1])
    return {
        "kind": "classification",
        "chance": 0.5,
        "bayes_accuracy": synthetic.best_accuracy(rates),
        "best_without_voice": synthetic.best_accuracy(rates[2:5]),
        "best_single_modality": {"acoustic": two, "visual": two, "text": one},
    }


def write_truth(
    directory: Path,
    corpus: str,
    given: Mapping[str, Any],
    mean_seconds: float,
    further_tasks: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Calls `synthetic.write_truth` for interviews with these events, and further tasks if any."""
    order, agreement = synthetic.event_rates(given["signal"])
    parameters = {
        "order_rate": order,
        "agreement_rate": agreement,
        "mean_seconds": mean_seconds,
        "amplitude": AMPLITUDE,
    }
    tasks = {"depression": bayes(given["signal"]), **(further_tasks or {})}
    return synthetic.write_truth(directory, corpus, given, parameters, tasks)


def interview_bits(
    splits: Sequence[str], signal: float, rng: np.random.Generator
) -> Iterator[tuple[str, int, Bits]]:
    """Draws the split, label and bits of each interview; see `synthetic.balanced_bits`."""
    for split, label, right in synthetic.balanced_bits(splits, _rates(signal), rng):
        bits = iter(right == label)
        falls = {name: {size: next(bits) for size in PATTERNS} for name in ("acoustic", "visual")}
        yield split, label, Bits(falls, next(bits), next(bits))


def turns(seconds: float, rng: np.random.Generator) -> list[Turn]:
    """Draws alternating questions and answers, normally at least two each."""
    drawn, now = [], 1.0
    while now < seconds - 8 or len(drawn) < 4:
        spans = (
            rng.uniform(0.5, 1.5) * QUESTION_SECONDS,
            float(np.clip(rng.lognormal(np.log(ANSWER_SECONDS), 0.5), 2, 20)),
        )
        for answers, span in zip((False, True), spans, strict=True):
            stop = min(now + span, seconds - 0.5)
            drawn.append(Turn(now, stop, answers))
            now = stop + 0.3
            if now >= seconds - 1:
                return drawn
    return drawn


def noise(length: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of variance 1 around a random offset of the speaker, [length, width]."""
    samples = synthetic.autocorrelated(length, width, AUTOCORRELATION, rng)
    return samples + OFFSET * rng.normal(size=width)


def streams(
    seconds: float,
    answers: Sequence[Turn],
    bits: Bits,
    directions: Mapping[str, np.ndarray],
    rates: Mapping[str, float],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Draws `acoustic` and `visual`, [T, D] each: noise, with all events at the end of each answer.

    Args:
      seconds: length of the interview.
      answers: the answers' turns.
      bits: bits to encode.
      directions: directions of the events in each stream, [3, D]: coincidence, then each order.
      rates: frames per second of each stream.
      rng: random number generator.
    """
    arrays = {
        name: noise(int(seconds * rate), directions[name].shape[1], rng)
        for name, rate in rates.items()
    }
    for turn in answers:
        sign = int(rng.choice([-1, 1]))
        signs = {"acoustic": sign, "visual": sign if bits.agree else -sign}
        for name, rate in rates.items():
            window = arrays[name][round(turn.start * rate) : round(turn.stop * rate)]
            _plant(window, signs[name], bits.falls[name], directions[name])
    return arrays


def words(
    sentences: int, bits: Bits, directions: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draws sentence embeddings [sentences, D] float32 along one of two `directions` [2, D]."""
    signs = synthetic.signs(sentences, rng)
    samples = rng.normal(size=(sentences, directions.shape[1]))
    direction = directions[0 if bits.words else 1]
    return (samples + AMPLITUDE * np.outer(signs, direction)).astype(np.float32)


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
