"""Writes a folder like AVEC2014's whose score is carried by events in time, with a known answer.

A recording is autocorrelated noise about an offset of its subject. Into it come *events* along
fixed directions of features, to one side and to the other by turns, so that means over time know
nothing of them. They tell of four hidden traits of the session, each uniform with mean 0 and
variance 1:

* face: every second frame of `visual` has an event; its direction, between two at right angles, is
  the trait.
* voice: bursts of 3 and of 5 rows of `acoustic`, each "up, down" or its reverse; likewise.
* head: every second frame of `pose`, likewise.
* both: in the frames between, face and head have an event of another direction, its side drawn
  anew; the trait is for how long the two go the same way. One modality alone knows nothing of it.

The score is `22 + 6 (face + voice + head) + 3 both`, plus normal noise of `NOISE_POINTS` that
nothing shows, rounded and kept within 0..63. So the best attainable mean absolute error is that of
predicting the score without its noise; it is estimated by drawing a million sessions. Both tasks
of a session have its traits and its score, and events of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import stand_in
from jaxdep.data.stand_in import PATTERNS
from jaxdep.datasets.avec2014.raw import PARTITIONS, TASKS, WIDTHS

FACTORS = {"face": 6.0, "voice": 6.0, "head": 6.0, "both": 3.0}
"""Points of the score for a standard deviation of each trait."""

MIDDLE, NOISE_POINTS = 22.0, 6.0
AMPLITUDE = 6.0
NOISE, AUTOCORRELATION, OFFSET = 0.01, 0.6, 0.1
"""Of a feature: a frame of 2048 has noise a quarter as long as an event."""

RATES = {"visual": 1.2, "acoustic": 50.0, "pose": 1.2}
"""Rows a second."""

SEEN_BY = {"visual": ("face",), "acoustic": ("voice",), "pose": ("head",)}
_DRAWS = 1_000_000
_DTYPE = np.float16  # of the files: half the size, and finer than the noise


def write(
    directory: str | Path,
    items: int = 300,
    seed: int = 0,
    signal: float = 1.0,
    mean_seconds: float = 120.0,
    tasks: tuple[str, ...] = TASKS,
    corpus: str = "avec2014",
) -> dict[str, Any]:
    """Writes labels, features and `synthetic.json`.

    Args:
      directory: made if missing.
      items: recordings; sessions have one of each task, and are split into equal thirds.
      seed: the same seed writes the same files.
      signal: 1 for the full effect of the traits on the score, 0 for none: the score then varies
        as much, and nothing shows it.
      mean_seconds: mean length; lengths are log-normal between half and twice of it.
      tasks: names of the recordings of a session; none: a session is one recording.
      corpus: its name in `synthetic.json`.

    Returns:
      What `synthetic.json` holds: parameters, and errors of the best constant, the best model of
      one modality and the best of all.

    Raises:
      ValueError: fewer than 12 items, a signal outside 0..1, or a mean under 8 seconds.
    """
    stand_in.check_size(items, 12, signal, mean_seconds=(mean_seconds, 8))
    directory = Path(directory)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xAE]))
    directions = {m: stand_in.orthonormal(width, 3, rng) for m, width in WIDTHS.items()}
    each = max(len(tasks), 1)
    sessions = -(-items // each)
    subject = 200
    for number in range(sessions):
        partition = PARTITIONS[number * len(PARTITIONS) // sessions]
        # Every fourth session is its subject's second; the first of a partition never is.
        begins = number == 0 or partition != PARTITIONS[(number - 1) * len(PARTITIONS) // sessions]
        second = number % 4 == 3 and not begins
        subject += not second
        name = f"{subject}_{2 if second else 1}"
        traits = dict(zip(FACTORS, _traits(len(FACTORS), rng), strict=True))
        score = int(_scores(_expected(traits, signal), signal, rng))
        _write_label(directory, partition, name, score)
        for task in (tasks or ("",))[: items - number * each]:
            recording = f"{name}_{task}" if task else name
            folder = directory / "features" / partition
            folder.mkdir(parents=True, exist_ok=True)
            for modality, array in _recording(traits, mean_seconds, directions, rng).items():
                np.save(folder / f"{recording}_{modality}.npy", array.astype(_DTYPE))
    given = {"items": items, "seed": seed, "signal": signal}
    parameters = {
        "points_per_trait": FACTORS,
        "noise_points": NOISE_POINTS,
        "amplitude": AMPLITUDE,
        "mean_seconds": mean_seconds,
    }
    return stand_in.write_truth(directory, corpus, given, parameters, {"depression": bayes(signal)})


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """Mean absolute errors of the best predictions, estimated from a million drawn sessions.

    Each predicts the score's mean given the traits that it sees, kept within the scale: the
    distributions are symmetric, so that is the median but for rounding and the scale's ends.
    """
    rng = np.random.default_rng(0)
    traits = dict(zip(FACTORS, _traits((len(FACTORS), _DRAWS), rng), strict=True))
    scores = _scores(_expected(traits, signal), signal, rng)
    error = lambda seen: float(np.abs(scores - _clip(_expected(seen, signal))).mean())
    return {
        "kind": "regression",
        "chance_mae": float(np.abs(scores - np.median(scores)).mean()),
        "bayes_mae": error(traits),
        "best_single_modality": {
            modality: error({name: traits[name] for name in seen})
            for modality, seen in SEEN_BY.items()
        },
    }


def _expected(traits: dict[str, Any], signal: float) -> Any:
    return MIDDLE + signal * sum(FACTORS[name] * value for name, value in traits.items())


def _scores(expected: Any, signal: float, rng: np.random.Generator) -> Any:
    """Scores with noise; what the signal no longer explains becomes noise too."""
    hidden = (1 - signal**2) * sum(factor**2 for factor in FACTORS.values())
    noise = rng.normal(size=np.shape(expected)) * np.sqrt(NOISE_POINTS**2 + hidden)
    return np.rint(_clip(expected + noise))


def _clip(scores: Any) -> Any:
    return np.clip(scores, 0, 63)


def _traits(shape: Any, rng: np.random.Generator) -> np.ndarray:
    """Uniform with mean 0 and variance 1."""
    return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)


def _write_label(directory: Path, partition: str, session: str, score: int) -> None:
    folder = directory / partition.capitalize() / "DepressionLabels"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{session}_Depression.csv").write_text(f"{score}\n")


def _recording(
    traits: dict[str, float],
    mean_seconds: float,
    directions: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """The three arrays of one recording."""
    seconds = stand_in.length(mean_seconds, 0.3, mean_seconds / 2, 2 * mean_seconds, rng)
    arrays = {m: _noise(max(int(seconds * rate), 1), WIDTHS[m], rng) for m, rate in RATES.items()}
    frames = min(len(arrays["visual"]), len(arrays["pose"]))
    own, shared = slice(0, frames, 2), slice(1, frames, 2)
    ways = stand_in.signs(frames // 2, rng)
    agree = np.where(_share(len(ways), traits["both"]), ways, -ways)
    for modality, sides, trait in (("visual", ways, "face"), ("pose", agree, "head")):
        both, *plane = directions[modality]
        turns = _turns((frames + 1) // 2, rng)
        arrays[modality][own] += AMPLITUDE * np.outer(turns, _between(traits[trait], *plane))
        arrays[modality][shared] += AMPLITUDE * np.outer(sides, both)
    voice = arrays["acoustic"]
    bursts = np.arange(0, len(voice) - 10, 10)
    direction = _between(traits["voice"], *directions["acoustic"][1:])
    for place, way in zip(bursts, _turns(len(bursts), rng), strict=True):
        event = way * AMPLITUDE * PATTERNS[3 if place // 10 % 2 else 5]
        voice[place : place + len(event)] += np.outer(event, direction)
    return arrays


def _between(trait: float, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """From the second direction, at the trait's least, to the first."""
    angle = _rank(trait) * np.pi / 2
    return np.sin(angle) * first + np.cos(angle) * second


def _share(count: int, trait: float) -> np.ndarray:
    """True for as long as the trait says, then false: never at its least, always at most."""
    return np.arange(count) < round(count * _rank(trait))


def _rank(trait: float) -> float:
    """A trait from 0 to 1."""
    return 0.5 + trait / (2 * np.sqrt(3))


def _turns(count: int, rng: np.random.Generator) -> np.ndarray:
    """1 and -1 by turns, beginning with either."""
    return np.where((np.arange(count) + rng.integers(2)) % 2, 1.0, -1.0)


def _noise(length: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Noise about the recording's offset, [length, width] float32."""
    noise = stand_in.autocorrelated(length, width, AUTOCORRELATION, rng)
    offset = np.float32(OFFSET) * rng.standard_normal(width, np.float32)
    return np.float32(NOISE) * (noise + offset)
