"""Writes a folder like EWRE's whose label is carried by a few words, with a known answer.

A recording is noise about an offset of its reader: faces of smooth grey, and the voice. At four
*planted words*, one in each quarter, that are the same for all readers, there are events along
fixed directions, which tell of five bits that each equal the label at a known rate, in each split
and group as exactly as whole readers allow:

* face, two: from the first to the second planted word, and from the third to the fourth, the face
  goes one way and then the other, or the reverse.
* voice, two: likewise.
* both: face and voice have one more event at each planted word, its side drawn anew; the bit is
  whether the two go the same way. One modality alone knows nothing of it.

Means over the words know nothing of any bit. What a reader shows at a planted word differs between
the groups; at every other word it does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import stand_in
from jaxdep.datasets.ewre.raw import SIZE, WIDTH

WORDS = (
    *("joy", "sorrow", "calm", "anger", "hope", "fear", "pride", "shame", "love", "grief"),
    *("trust", "doubt", "warm", "cold", "bright", "dark", "gentle", "cruel", "alive", "empty"),
    *("free", "lost", "proud", "tired"),
)
"""Of the stand-in; the words of EWRE are not published."""

SHARES = {"train": 3, "val": 1}
AMPLITUDE = 12.0
GREY, GREYS, OFFSET = 128.0, 20.0, 0.3
"""Of a face: its mean, the deviation of the noise in grey levels; a reader's offset in these."""

_CELLS = 28  # of a face's side: the noise and events are as smooth as that


def write(
    directory: str | Path,
    items: int = 400,
    seed: int = 0,
    signal: float = 1.0,
    words: int = 24,
) -> dict[str, Any]:
    """Writes faces, voices, `words.txt` and `synthetic.json`.

    Args:
      directory: made if missing.
      items: recordings; of 24 words each has 1.3 MB.
      seed: the same seed writes the same files.
      signal: 1 for the full rates, 0 for labels that nothing shows.
      words: of a recording.

    Returns:
      What `synthetic.json` holds: parameters, the planted words, and accuracies of the best model
      of one modality and of both.

    Raises:
      ValueError: fewer than 8 items, a signal outside 0..1, or fewer than 16 words.
    """
    stand_in.check_size(items, 8, signal, words=(words, 16))
    directory = Path(directory)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xE7]))
    names = [f"{WORDS[n % 24]}{n // 24 + 1 if n >= 24 else ''}" for n in range(words)]
    quarter = words // 4
    planted = np.arange(4) * quarter + rng.integers(1, quarter - 1, 4)
    directions = {
        "face": stand_in.orthonormal(_CELLS**2, 2, rng),
        "voice": stand_in.orthonormal(WIDTH, 2, rng),
    }
    splits = stand_in.split_names(SHARES, items)
    readers = stand_in.dealt(splits, _rates(signal), rng)
    for number, (split, label, right) in enumerate(readers):
        told = right == label
        ways = {"face": told[:2], "voice": told[2:4]}
        made = _reading(ways, told[4], planted, words, directions, rng)
        name = f"reader{number:05d}{'D' if label else 'N'}001"
        for part, array in (("face", _pixels(made["face"], rng)), ("voice", made["voice"])):
            folder = directory / split / part
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f"{name}.npy", array)
    (directory / "words.txt").write_text("\n".join(names) + "\n")
    given = {"items": items, "seed": seed, "signal": signal}
    order, agreement = stand_in.event_rates(signal)
    parameters = {
        "order_rate": order,
        "agreement_rate": agreement,
        "amplitude": AMPLITUDE,
        "planted_words": [names[place] for place in planted],
    }
    return stand_in.write_truth(directory, "ewre", given, parameters, {"depression": bayes(signal)})


def _rates(signal: float) -> list[float]:
    """How often each bit equals the label: two of the face, two of the voice, one of both."""
    order, agreement = stand_in.event_rates(signal)
    return [order] * 4 + [agreement]


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """What the best possible classifier attains, labels being balanced."""
    rates = _rates(signal)
    alone = stand_in.best_accuracy(rates[:2])
    return {
        "bayes_accuracy": stand_in.best_accuracy(rates),
        "best_single_modality": {"visual": alone, "acoustic": alone},
        "chance": 0.5,
    }


def _reading(
    ways: dict[str, np.ndarray],
    agree: bool,
    planted: np.ndarray,
    words: int,
    directions: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Face [words, cells] and voice [words, 1000] of one reader, in deviations of their noise."""
    sides = stand_in.signs(len(planted), rng)
    both = {"face": sides, "voice": sides if agree else -sides}
    made = {}
    for part, (own, shared) in directions.items():
        noise = rng.standard_normal((words, len(own)), np.float32)
        noise += np.float32(OFFSET) * rng.standard_normal(len(own), np.float32)
        turn = np.outer(np.where(ways[part], 1.0, -1.0), (1, -1)).ravel()
        noise[planted] += AMPLITUDE * (np.outer(turn, own) + np.outer(both[part], shared))
        made[part] = noise
    return made


def _pixels(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grey maps [224, 224, words] of bytes, with one level of noise in each pixel."""
    cells = (GREY + GREYS * face).reshape(-1, _CELLS, _CELLS)
    wide = SIZE // _CELLS
    fine = cells.repeat(wide, 1).repeat(wide, 2)
    fine += rng.integers(-1, 2, fine.shape, np.int8)
    return np.moveaxis(np.rint(fine.clip(0, 255)).astype(np.uint8), 0, 2)
