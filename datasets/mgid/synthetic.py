"""Writes a synthetic MGID whose texts encode both labels in the order of words only.

For each item, a balanced depression label d and an emotion e given d (`EMOTION_GIVEN`) are drawn.
The text consists of neutral words, with two kinds of *events* among filler words:

* pairs: `pairs` of the word pairs (a, b), as "a b" or "b a". Which order indicates d = 1 depends on
  the pair; the order matches d with probability 1/2 + signal * (`PAIR_RATE` - 1/2).
* triples: `triples` of the word triples in one of their 6 orders, each of which indicates one
  emotion; the order matches e with probability 1/6 + signal * (`TRIPLE_RATE` - 1/6), and is one of
  the others at random if it does not.

The set of words in a text is independent of both labels, so a mean of word vectors is at chance
level. The best attainable accuracies follow exactly by enumeration (`bayes`).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import permutations, product
from math import comb
from pathlib import Path

import numpy as np

from jaxdep.data import synthetic
from jaxdep.datasets.mgid.raw import COLUMNS, EMOTIONS, SUFFIX
from jaxdep.errors import UserError

EMOTION_GIVEN = np.array([[0.2, 0.2, 0.2, 0.2, 0.0, 0.2], [0.3, 0.0, 0.0, 0.0, 0.7, 0.0]])
"""P(e | d) with rows d = 0, 1; the same in all three splits, unlike in the real corpus."""

PAIR_RATE, TRIPLE_RATE = 0.85, 0.75
SHARES = {"train": 0.7, "dev": 0.1, "test": 0.2}
EMPTY_TEXT = 0.25
"""Share of items with all words in the title."""

PAIRS = (
    ("window", "river"),
    ("table", "morning"),
    ("bridge", "paper"),
    ("garden", "clock"),
    ("street", "cup"),
    ("stone", "letter"),
)
TRIPLES = (("door", "tree", "lamp"), ("road", "chair", "cloud"))
FILLERS = (
    *("a", "the", "with", "near", "and", "of", "in", "wide", "plain", "small", "large", "view"),
    *("picture", "wall", "room", "light", "colour", "side", "front", "grey", "green", "round"),
)


def write(
    directory: str | Path,
    items: int = 5000,
    seed: int = 0,
    signal: float = 1.0,
    *,
    pairs: int = 3,
    triples: int = 2,
    fillers: tuple[int, int] = (4, 10),
) -> dict:
    """Writes `{train,dev,test}/{train,dev,test}.csv` and `synthetic.json`.

    Args:
      directory: output folder; created if missing, and existing files are replaced.
      items: number of items in all splits: 70 % train, 10 % dev and 20 % test.
      seed: seed of the random draws; the same seed writes the same bytes.
      signal: 1 for the full rates, 0 for texts that are independent of the labels.
      pairs: number of pair events in a text, 0 to 6.
      triples: number of triple events in a text, 0 to 2.
      fillers: minimum and maximum number of filler words in a text.

    Returns:
      The content of `synthetic.json`: parameters, and chance level and Bayes accuracy of each task.
    """
    _check(items, signal, pairs, triples, fillers)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x36D]))
    rates = _rates(signal)
    seen: set[tuple[str, str]] = set()
    rows = []
    for depressed in _balanced(items, rng):
        emotion = rng.choice(len(EMOTIONS), p=EMOTION_GIVEN[depressed])
        title, text = _text(rng, depressed, emotion, rates, pairs, triples, fillers)
        while (title, text) in seen:
            title, text = _text(rng, depressed, emotion, rates, pairs, triples, fillers)
        seen.add((title, text))
        rows.append((depressed, emotion, title, text))
    directory = Path(directory)
    start = 0
    for split, count in _sizes(items).items():
        _write_csv(directory, split, rows[start : start + count], rng)
        start += count
    given = {"items": items, "seed": seed, "signal": signal}
    parameters = {
        "pairs": pairs,
        "triples": triples,
        "fillers": list(fillers),
        "pair_rate": rates[0],
        "triple_rate": rates[1],
        "emotion_given_depression": EMOTION_GIVEN.tolist(),
    }
    return synthetic.write_truth(
        directory, "mgid", given, parameters, bayes(signal, pairs, triples)
    )


def bayes(signal: float = 1.0, pairs: int = 3, triples: int = 2) -> dict:
    """Best attainable accuracy of each task, by enumeration of all possible events of an item.

    The information of a text about d is the number k of pairs that indicate d = 1, and about e the
    orders o of its triples. With the prior P(d, e), P(d, e, k, o) = P(d, e) P(k | d) P(o_1 | e)
    P(o_2 | e) ...; the best guess of d is correct with probability
    sum_{k, o} max_d sum_e P(d, e, k, o), and that of e analogously.

    Returns:
      task -> {"kind", "bayes_accuracy", "chance", "best_single_modality"}; chance is the share of
      the most frequent class.
    """
    pair_rate, triple_rate = _rates(signal)
    prior = 0.5 * EMOTION_GIVEN
    wrong = (1 - triple_rate) / (len(EMOTIONS) - 1)
    order_given = np.full((6, 6), wrong) + np.eye(6) * (triple_rate - wrong)
    best_d = best_e = 0.0
    for k in range(pairs + 1):
        given_1 = comb(pairs, k) * pair_rate**k * (1 - pair_rate) ** (pairs - k)
        given_0 = comb(pairs, k) * (1 - pair_rate) ** k * pair_rate ** (pairs - k)
        for orders in product(range(6), repeat=triples):
            likelihood = order_given[:, list(orders)].prod(axis=1)
            joint = prior * np.array([[given_0], [given_1]]) * likelihood[None, :]
            best_d += joint.sum(axis=1).max()
            best_e += joint.sum(axis=0).max()
    chances = {"depression": prior.sum(axis=1).max(), "emotion": prior.sum(axis=0).max()}
    return {
        task: {
            "kind": "classification",
            "bayes_accuracy": round(float(best), 6),
            "chance": round(float(chances[task]), 6),
            "best_single_modality": {"text": round(float(best), 6)},
        }
        for task, best in (("depression", best_d), ("emotion", best_e))
    }


def _rates(signal: float) -> tuple[float, float]:
    """Probabilities that a pair and a triple match the label."""
    return 0.5 + signal * (PAIR_RATE - 0.5), 1 / 6 + signal * (TRIPLE_RATE - 1 / 6)


def _sizes(items: int) -> dict[str, int]:
    train, dev = round(SHARES["train"] * items), round(SHARES["dev"] * items)
    return {"train": train, "dev": dev, "test": items - train - dev}


def _balanced(items: int, rng: np.random.Generator) -> np.ndarray:
    """Draws labels of all items in the order of the splits; each split is half 0 and half 1."""
    return np.concatenate([rng.permutation(np.arange(n) % 2) for n in _sizes(items).values()])


def _text(
    rng: np.random.Generator,
    depressed: int,
    emotion: int,
    rates: tuple[float, float],
    pairs: int,
    triples: int,
    fillers: Sequence[int],
) -> tuple[str, str]:
    """Draws a title and a text, each capitalized and otherwise in lower case."""
    units: list[tuple[str, ...]] = []
    for index in rng.choice(len(PAIRS), size=pairs, replace=False):
        indicated = depressed if rng.random() < rates[0] else 1 - depressed
        # Every second pair indicates depression in its reverse order.
        forward = indicated == index % 2
        units.append(PAIRS[index] if forward else PAIRS[index][::-1])
    for index in rng.choice(len(TRIPLES), size=triples, replace=False):
        others = [e for e in range(len(EMOTIONS)) if e != emotion]
        indicated = emotion if rng.random() < rates[1] else rng.choice(others)
        units.append(list(permutations(TRIPLES[index]))[indicated])
    count = rng.integers(fillers[0], fillers[1], endpoint=True)
    units += [(FILLERS[i],) for i in rng.integers(len(FILLERS), size=count)]
    units = [units[i] for i in rng.permutation(len(units))]
    cut = len(units) if rng.random() < EMPTY_TEXT else rng.integers(1, len(units))
    title = " ".join(word for unit in units[:cut] for word in unit)
    text = " ".join(word for unit in units[cut:] for word in unit)
    return title.capitalize(), text.capitalize()


def _write_csv(
    directory: Path,
    split: str,
    rows: Sequence[tuple[int, int, str, str]],
    rng: np.random.Generator,
) -> None:
    """Writes one split in the distributed format: byte-order mark, CRLF, mixed-case emotions."""
    file = directory / split / f"{split}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for number, (depressed, emotion, title, text) in enumerate(rows, start=1):
            name = EMOTIONS[emotion]
            name = name if name == "depressed" else name.capitalize()
            title += SUFFIX if rng.random() < 0.5 else ""
            url = f"https://example.org/{split}/{number:05d}.jpg"
            writer.writerow(["TRUE" if depressed else "FALSE", name, title, text, url])


def _check(items: int, signal: float, pairs: int, triples: int, fillers: Sequence[int]) -> None:
    if items < 10:
        raise UserError(f"{items} items are too few for three splits: give at least 10.")
    if not 0 <= signal <= 1:
        raise UserError(f"signal is {signal}; it must be between 0 and 1.")
    if not (0 <= pairs <= len(PAIRS) and 0 <= triples <= len(TRIPLES) and pairs + triples > 0):
        raise UserError(
            f"A text cannot contain {pairs} pairs and {triples} triples: give 0 to {len(PAIRS)} "
            f"pairs, 0 to {len(TRIPLES)} triples, and at least one of either."
        )
    if not 0 <= fillers[0] <= fillers[1]:
        raise UserError(f"fillers is {tuple(fillers)}: give a minimum and a maximum, 0 or more.")
