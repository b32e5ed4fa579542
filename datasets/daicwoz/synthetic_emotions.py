"""Draws emotions for segments of synthetic interviews, given what their answers already contain.

Every sentence embedding is shifted along a direction, with a positive or a negative sign; see
`data.interview_events`. A segment begins with an answer whose sign differs from that of the next
answer: the signs *fall* (positive, then negative) or *rise*, and the mean of both is zero in either
case. Only depressed participants are often sad, and only where the signs fall (`sad_rates`).

So the order of the signs is in the text alone, while all modalities reveal depression, which helps
to recognise the emotion. The order is independent of depression: the emotion reveals nothing about
depression that the bits of an interview do not. Drawing the emotions changes no other file.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from jaxdep.data import synthetic
from jaxdep.datasets.daicwoz.emotions import COLUMNS, EMOTIONS

OFTEN, SELDOM = 0.95, 0.05
"""Probability that a depressed participant is sad where the signs fall, and of all other cases."""


def sad_rates(signal: float = 1.0) -> np.ndarray:
    """P(sad | depressed, falling), [2, 2]; at signal 0, all entries are their mean."""
    rates = np.array([[SELDOM, SELDOM], [SELDOM, OFTEN]])
    return rates.mean() + signal * (rates - rates.mean())


def segments(starts: Sequence[float], signs: np.ndarray) -> list[tuple[float, bool]]:
    """Finds the segments of an interview: start time in seconds, and whether the signs fall.

    Args:
      starts: start time of each answer.
      signs: whether the sign of each answer is positive.
    """
    found, answer = [], 0
    while answer + 1 < len(signs):
        if signs[answer] != signs[answer + 1]:
            found.append((starts[answer], bool(signs[answer])))
            answer += 1
        answer += 1
    return found


def lines(
    name: str,
    label: int,
    annotated: Sequence[tuple[float, bool]],
    signal: float,
    rng: np.random.Generator,
) -> list[str]:
    """Draws the emotion of each segment of an interview, and formats the lines of `emotion.csv`."""
    rates = sad_rates(signal)[label]
    return [
        f"{name},{start:.3f},{EMOTIONS[int(rng.random() < rates[int(falls)])]}"
        for start, falls in annotated
    ]


def content(rows: Sequence[str]) -> str:
    """Content of `emotion.csv`."""
    return "\n".join([",".join(COLUMNS), *rows]) + "\n"


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """Accuracy of the best possible classifier of the emotion, with balanced depression labels."""
    order, agreement = synthetic.event_rates(signal)
    sad = sad_rates(signal)
    prior = float(sad.mean())
    return {
        "kind": "classification",
        "chance": max(prior, 1 - prior),
        "bayes_accuracy": _best([order] * 5 + [agreement], sad, True),
        "best_without_voice": _best([order] * 3, sad, True),
        "best_single_modality": {
            "acoustic": _best([order] * 2, sad, False),
            "visual": _best([order] * 2, sad, False),
            "text": _best([order], sad, True),
        },
    }


def _best(rates: Sequence[float], sad: np.ndarray, reads_order: bool) -> float:
    """Accuracy of the most probable emotion, given independent bits and possibly the order.

    Args:
      rates: probability that each bit equals the depression label.
      sad: P(sad | depressed, falling), [2, 2].
      reads_order: whether it is known if the signs fall.
    """
    total = 0.0
    emotion = np.stack([1 - sad, sad], -1)
    for bits in product((0, 1), repeat=len(rates)):
        given = [
            np.prod([r if bit == label else 1 - r for r, bit in zip(rates, bits, strict=True)])
            for label in (0, 1)
        ]
        joint = 0.25 * np.einsum("d,dfe->fe", np.array(given), emotion)
        total += (joint if reads_order else joint.sum(0, keepdims=True)).max(-1).sum()
    return float(total)
