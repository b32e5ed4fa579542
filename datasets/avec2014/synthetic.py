"""Writes a synthetic AVEC2014 in which temporal events determine the score.

A recording is autocorrelated noise around a random offset. *Events* are added along fixed feature
directions with alternating signs, so that they do not affect means over time. They encode four
hidden traits of the session, each uniform with mean 0 and variance 1:

* face: every second frame of `visual` has an event; the trait determines its direction, in the
  plane of two orthogonal directions.
* voice: bursts of 3 and of 5 rows of `acoustic`, "up, down" or the reverse; the trait determines
  their direction in the same way.
* head: every second frame of `pose`, in the same way as for the face.
* both: in the remaining frames, face and head have an event of a further direction with random
  signs, which agree up to a point in time and differ afterwards; the trait determines that point.
  A single modality carries no information about it.

The score is `22 + 6 (face + voice + head) + 3 both` plus normal noise with standard deviation
`NOISE_POINTS`, which no feature depends on, rounded and clipped to 0..63. The best attainable mean
absolute error is therefore that of predicting the score without its noise; it is estimated from a
million random sessions. Both tasks of a session share its traits and score, but not its events.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import synthetic
from jaxdep.data.synthetic import PATTERNS
from jaxdep.datasets.avec2014.raw import PARTITIONS, TASKS, WIDTHS

FACTORS = {"face": 6.0, "voice": 6.0, "head": 6.0, "both": 3.0}
"""Score points per standard deviation of each trait."""

MIDDLE, NOISE_POINTS = 22.0, 6.0
AMPLITUDE = 6.0
NOISE, AUTOCORRELATION, OFFSET = 0.01, 0.6, 0.1
"""Noise of each feature; in a frame of 2048 features its norm is about 1/13 of an event's."""

RATES = {"visual": 1.2, "acoustic": 50.0, "pose": 1.2}
"""Rows per second."""

SEEN_BY = {"visual": ("face",), "acoustic": ("voice",), "pose": ("head",)}
_DRAWS = 1_000_000
_DTYPE = np.float16  # of the files: half the size, and still finer than the noise


def write(
    directory: str | Path,
    items: int = 300,
    seed: int = 0,
    signal: float = 1.0,
    mean_seconds: float = 120.0,
    tasks: tuple[str, ...] = TASKS,
    corpus: str = "avec2014",
) -> dict[str, Any]:
    """Writes labels, features, `subjects.csv` and `synthetic.json`.

    Args:
      directory: output folder; created if missing.
      items: number of recordings; a session has one per task, and the sessions are divided into
        equal thirds.
      seed: seed of the random draws; the same seed writes the same files.
      signal: effect of the traits on the score: 1 for the full effect; at 0 the score has the same
        variance but is independent of the features.
      mean_seconds: mean length; lengths are log-normal, clipped to half and twice the mean.
      tasks: names of the recordings of a session; empty if a session is one recording.
      corpus: name of the corpus in `synthetic.json`.

    Returns:
      The content of `synthetic.json`: parameters, and the mean absolute errors of the best constant
      and of the best models of each single modality and of all.

    Raises:
      ValueError: fewer than 12 items, a signal outside 0..1, or a mean below 8 seconds.
    """
    synthetic.check_size(items, 12, signal, mean_seconds=(mean_seconds, 8))
    directory = Path(directory)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xAE]))
    directions = {m: synthetic.orthonormal(width, 3, rng) for m, width in WIDTHS.items()}
    per_session = max(len(tasks), 1)
    sessions = -(-items // per_session)
    subject = numbered_after = 200
    for number in range(sessions):
        partition = PARTITIONS[number * len(PARTITIONS) // sessions]
        # Every fourth session is the second of its subject, except at the start of a partition.
        first = number == 0 or partition != PARTITIONS[(number - 1) * len(PARTITIONS) // sessions]
        second = number % 4 == 3 and not first
        subject += not second
        name = f"{subject}_{2 if second else 1}"
        traits = dict(zip(FACTORS, _traits(len(FACTORS), rng), strict=True))
        score = int(_scores(_expected(traits, signal), signal, rng))
        _write_label(directory, partition, name, score)
        for task in (tasks or ("",))[: items - number * per_session]:
            recording = f"{name}_{task}" if task else name
            folder = directory / "features" / partition
            folder.mkdir(parents=True, exist_ok=True)
            for modality, array in _recording(traits, mean_seconds, directions, rng).items():
                np.save(folder / f"{recording}_{modality}.npy", array.astype(_DTYPE))
    synthetic.write_subjects(directory, map(str, range(numbered_after + 1, subject + 1)), seed)
    given = {"items": items, "seed": seed, "signal": signal}
    parameters = {
        "points_per_trait": FACTORS,
        "noise_points": NOISE_POINTS,
        "amplitude": AMPLITUDE,
        "mean_seconds": mean_seconds,
    }
    return synthetic.write_truth(
        directory, corpus, given, parameters, {"depression": bayes(signal)}
    )


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """Mean absolute errors of the best predictions, estimated from a million random sessions.

    A prediction is the mean score given the visible traits, clipped to the scale. As the
    distributions are symmetric, it is the median up to rounding and clipping.
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
    """Adds noise to expected scores; the variance that a weaker signal loses becomes noise."""
    unexplained = (1 - signal**2) * sum(factor**2 for factor in FACTORS.values())
    noise = rng.normal(size=np.shape(expected)) * np.sqrt(NOISE_POINTS**2 + unexplained)
    return np.rint(_clip(expected + noise))


def _clip(scores: Any) -> Any:
    return np.clip(scores, 0, 63)


def _traits(shape: Any, rng: np.random.Generator) -> np.ndarray:
    """Uniform traits with mean 0 and variance 1."""
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
    seconds = synthetic.length(mean_seconds, 0.3, mean_seconds / 2, 2 * mean_seconds, rng)
    arrays = {m: _noise(max(int(seconds * rate), 1), WIDTHS[m], rng) for m, rate in RATES.items()}
    frames = min(len(arrays["visual"]), len(arrays["pose"]))
    even, odd = slice(0, frames, 2), slice(1, frames, 2)
    face_signs = synthetic.signs(frames // 2, rng)
    head_signs = np.where(_agreement(len(face_signs), traits["both"]), face_signs, -face_signs)
    for modality, signs, trait in (("visual", face_signs, "face"), ("pose", head_signs, "head")):
        both, *plane = directions[modality]
        alternating = _alternating((frames + 1) // 2, rng)
        arrays[modality][even] += AMPLITUDE * np.outer(alternating, _between(traits[trait], *plane))
        arrays[modality][odd] += AMPLITUDE * np.outer(signs, both)
    voice = arrays["acoustic"]
    bursts = np.arange(0, len(voice) - 10, 10)
    direction = _between(traits["voice"], *directions["acoustic"][1:])
    for start, sign in zip(bursts, _alternating(len(bursts), rng), strict=True):
        event = sign * AMPLITUDE * PATTERNS[3 if start // 10 % 2 else 5]
        voice[start : start + len(event)] += np.outer(event, direction)
    return arrays


def _between(trait: float, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Rotates from the second direction, at the lowest trait, to the first, at the highest."""
    angle = _rank(trait) * np.pi / 2
    return np.sin(angle) * first + np.cos(angle) * second


def _agreement(count: int, trait: float) -> np.ndarray:
    """True for a share of the frames that grows with the trait from none to all, then false."""
    return np.arange(count) < round(count * _rank(trait))


def _rank(trait: float) -> float:
    """Maps a trait to 0..1."""
    return 0.5 + trait / (2 * np.sqrt(3))


def _alternating(count: int, rng: np.random.Generator) -> np.ndarray:
    """Alternating signs 1 and -1 with a random first sign."""
    return np.where((np.arange(count) + rng.integers(2)) % 2, 1.0, -1.0)


def _noise(length: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Noise around a random offset of the recording, [length, width] float32."""
    noise = synthetic.autocorrelated(length, width, AUTOCORRELATION, rng)
    offset = np.float32(OFFSET) * rng.standard_normal(width, np.float32)
    return np.float32(NOISE) * (noise + offset)
