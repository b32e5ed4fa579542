"""Writes a synthetic EWRE in which events at a few words encode the label.

A recording is noise around an offset of the reader, as smooth grey faces and as voice features. At
four *planted words*, one in each quarter and the same for all readers, there are events along fixed
directions. They encode five bits that each equal the label at a known rate, in each split and group
as closely as whole readers allow:

* face, two bits: the sign of an event changes from the first to the second planted word, and from
  the third to the fourth; the bit is whether it changes from plus to minus or the reverse.
* voice, two bits: in the same way.
* both: face and voice have another event at each planted word, with random signs; the bit is
  whether the two signs agree. A single modality carries no information about it.

Means over all words carry no information about any bit. The groups differ in the features at
planted words only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import synthetic
from jaxdep.datasets.ewre.raw import SIZE, WIDTH

WORDS = (
    *("joy", "sorrow", "calm", "anger", "hope", "fear", "pride", "shame", "love", "grief"),
    *("trust", "doubt", "warm", "cold", "bright", "dark", "gentle", "cruel", "alive", "empty"),
    *("free", "lost", "proud", "tired"),
)
"""Words of the synthetic corpus; those of EWRE are not published."""

SHARES = {"train": 3, "val": 1}
AMPLITUDE = 12.0
GREY, GREYS, OFFSET = 128.0, 20.0, 0.3
"""Face mean and noise deviation in grey levels; reader-offset deviation relative to the noise."""

_CELLS = 28  # squares per side of a face; noise and events are constant within a square


def write(
    directory: str | Path,
    items: int = 400,
    seed: int = 0,
    signal: float = 1.0,
    words: int = 24,
) -> dict[str, Any]:
    """Writes faces, voices, `words.txt` and `synthetic.json`.

    Args:
      directory: output folder; created if missing.
      items: number of recordings; one of 24 words takes 1.3 MB.
      seed: seed of the random draws; the same seed writes the same files.
      signal: 1 for the full rates, 0 for labels that are independent of the features.
      words: number of words in a recording.

    Returns:
      The content of `synthetic.json`: parameters, the planted words, and the accuracies of the best
      models of each single modality and of both.

    Raises:
      ValueError: fewer than 8 items, a signal outside 0..1, or fewer than 16 words.
    """
    synthetic.check_size(items, 8, signal, words=(words, 16))
    directory = Path(directory)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xE7]))
    names = [f"{WORDS[n % 24]}{n // 24 + 1 if n >= 24 else ''}" for n in range(words)]
    quarter = words // 4
    planted = np.arange(4) * quarter + rng.integers(1, quarter - 1, 4)
    directions = {
        "face": synthetic.orthonormal(_CELLS**2, 2, rng),
        "voice": synthetic.orthonormal(WIDTH, 2, rng),
    }
    splits = synthetic.split_names(SHARES, items)
    readers = synthetic.balanced_bits(splits, _rates(signal), rng)
    for number, (split, label, right) in enumerate(readers):
        bits = right == label
        orders = {"face": bits[:2], "voice": bits[2:4]}
        arrays = _reading(orders, bits[4], planted, words, directions, rng)
        name = f"reader{number:05d}{'D' if label else 'N'}001"
        for part, array in (("face", _pixels(arrays["face"], rng)), ("voice", arrays["voice"])):
            folder = directory / split / part
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f"{name}.npy", array)
    (directory / "words.txt").write_text("\n".join(names) + "\n")
    given = {"items": items, "seed": seed, "signal": signal}
    order, agreement = synthetic.event_rates(signal)
    parameters = {
        "order_rate": order,
        "agreement_rate": agreement,
        "amplitude": AMPLITUDE,
        "planted_words": [names[index] for index in planted],
    }
    return synthetic.write_truth(
        directory, "ewre", given, parameters, {"depression": bayes(signal)}
    )


def _rates(signal: float) -> list[float]:
    """Probability that each bit equals the label: two of face, two of voice, one of both."""
    order, agreement = synthetic.event_rates(signal)
    return [order] * 4 + [agreement]


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """Accuracy of the best possible classifier, with balanced labels."""
    rates = _rates(signal)
    alone = synthetic.best_accuracy(rates[:2])
    return {
        "bayes_accuracy": synthetic.best_accuracy(rates),
        "best_single_modality": {"visual": alone, "acoustic": alone},
        "chance": 0.5,
    }


def _reading(
    orders: dict[str, np.ndarray],
    agree: bool,
    planted: np.ndarray,
    words: int,
    directions: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Draws face [words, cells] and voice [words, 1000] of one reader, in noise deviations."""
    signs = synthetic.signs(len(planted), rng)
    both = {"face": signs, "voice": signs if agree else -signs}
    arrays = {}
    for part, (single, shared) in directions.items():
        frames = rng.standard_normal((words, len(single)), np.float32)
        frames += np.float32(OFFSET) * rng.standard_normal(len(single), np.float32)
        order = np.outer(np.where(orders[part], 1.0, -1.0), (1, -1)).ravel()
        frames[planted] += AMPLITUDE * (np.outer(order, single) + np.outer(both[part], shared))
        arrays[part] = frames
    return arrays


def _pixels(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Converts faces to uint8 maps [224, 224, words], with noise of one level in each pixel."""
    cells = (GREY + GREYS * face).reshape(-1, _CELLS, _CELLS)
    factor = SIZE // _CELLS
    pixels = cells.repeat(factor, 1).repeat(factor, 2)
    pixels += rng.integers(-1, 2, pixels.shape, np.int8)
    return np.moveaxis(np.rint(pixels.clip(0, 255)).astype(np.uint8), 0, 2)
