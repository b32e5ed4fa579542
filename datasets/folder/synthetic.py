"""Writes a small corpus with a commented `corpus.yaml`, which `jaxdep init` gives as an example.

A recording is autocorrelated noise in three modalities. In each, all rows are shifted along a fixed
direction, to one side or the other: the side equals the label with the probability `rate`. So three
independent bits encode the label, all visible in averages over time, and the best attainable
accuracy follows by enumeration.
"""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import synthetic

EXAMPLE = """\
# A corpus of one's own. All paths are relative to the folder of this file, and lie within it.
# datasets/folder/README.md explains everything; to check this file and those that it names:
#   jaxdep prepare folder --manual-dir .
# The recordings beside it are SYNTHETIC: replace them, and delete synthetic.json.

name: example                     # in titles and reports

# One line per recording, .csv, .tsv or .xlsx. The column id is needed; subject, session and split
# are used if they are there. Columns that no task names are attributes, to analyse subgroups by.
recordings: recordings.csv

# What is to be predicted; the first one is the main task. Either classes or a score.
tasks:
  depression:
    column: diagnosis             # by default a column with the name of the task
    classes: {0: normal, 1: depression}   # or a list of the values: [normal, depression]
  phq8:
    score: [0, 24]                # lowest and highest score of the scale

# Features, by the name that models read them by: acoustic, visual, text, pose.
modalities:
  acoustic:
    files: "acoustic/{id}.npy"    # .npy, .npz, .csv, .tsv, .parquet or .h5
    rate: 4                       # rows a second
    normalize: none               # or zscore or minmax, over the rows of each recording
  visual:
    files: "visual/{id}.csv"
    rate: 2
    header: true                  # the first line names the columns
    # columns: [v0, v1, v2]       # to read some columns only
  text:
    files: "text/{id}.npz"
    key: words                    # of .npz and .h5 files with several arrays

# Start and end of each sentence in seconds, and its number of rows of a text without a rate.
# Only SMFL needs sentences.
sentences:
  files: "sentences/{id}.csv"

# Averages all sequences with a rate to this many rows a second, and cuts them to one length.
# JAMFN and TAMFN need this.
align: 1

# How subjects are divided if the table has no column split.
splits:
  seed: 0
  fractions: {train: 0.7, validation: 0.1, test: 0.2}

# label_source: PHQ-8 at the day of the recording   # for reports
"""

WIDTHS = {"acoustic": 12, "visual": 8, "text": 16}
RATES = {"acoustic": 4, "visual": 2}
"""Rows a second; a text has a row per word."""

WORDS_PER_SECOND = 2
SHIFT, AUTOCORRELATION = 1.5, 0.6
HIGHEST, CUT = 24, 10
"""Highest score, and lowest score of the label `depression`."""

_SHORTEST = 10  # seconds


def write(
    directory: str | Path,
    items: int = 40,
    seed: int = 0,
    signal: float = 1.0,
    mean_seconds: float = 30,
) -> dict[str, Any]:
    """Writes `corpus.yaml`, `recordings.csv`, the features, and `synthetic.json`.

    Args:
      directory: output folder; created if missing.
      items: number of recordings, each of another subject; labels are balanced.
      seed: seed of the random draws; the same seed writes the same files.
      signal: 1 for the full rates, 0 for labels that are independent of the features.
      mean_seconds: mean length of a recording.

    Returns:
      The content of `synthetic.json`: parameters, chance level, and best attainable results.

    Raises:
      ValueError: fewer than 20 items, a signal outside 0..1, or a mean length below 10 seconds.
    """
    synthetic.check_size(items, 20, signal, mean_seconds=(mean_seconds, _SHORTEST))
    directory = Path(directory)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xF0]))
    directions = {name: synthetic.orthonormal(width, 1, rng)[0] for name, width in WIDTHS.items()}
    rate, _ = synthetic.event_rates(signal)
    for name in (*WIDTHS, "sentences"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    rows = []
    drawn = synthetic.balanced_bits(["all"] * items, [rate] * len(WIDTHS), rng)
    for number, (_, label, right) in enumerate(drawn):
        name = f"r{number:04d}"
        _write_recording(directory, name, (right == label), mean_seconds, directions, rng)
        score = rng.integers(CUT, HIGHEST + 1) if label else rng.integers(CUT)
        gender, age = rng.choice(["female", "male"]), rng.integers(18, 80)
        rows.append((name, f"p{number:04d}", label, score, gender, age))
    columns = ("id", "subject", "diagnosis", "phq8", "gender", "age")
    _write_table(directory / "recordings.csv", [columns, *rows])
    (directory / "corpus.yaml").write_text(EXAMPLE, encoding="utf-8")
    given = {"items": items, "seed": seed, "signal": signal}
    parameters = {"rate": rate, "mean_seconds": mean_seconds, "shift": SHIFT}
    return synthetic.write_truth(directory, "folder", given, parameters, bayes(signal))


def bayes(signal: float = 1.0) -> dict[str, Any]:
    """Results of the best possible predictors, which observe all bits, with balanced labels."""
    rate, _ = synthetic.event_rates(signal)
    depressed = np.arange(HIGHEST + 1) >= CUT
    of_label = [np.where(depressed == label, 1.0, 0.0) for label in (False, True)]
    of_label = [each / each.sum() for each in of_label]

    def error(posterior: float) -> float:
        """Mean absolute error of the best score, the median, at this probability of depression."""
        weights = posterior * of_label[1] + (1 - posterior) * of_label[0]
        scores = np.arange(HIGHEST + 1)
        return min(float((np.abs(scores - score) * weights).sum()) for score in scores)

    best = 0.0
    for bits in product((True, False), repeat=len(WIDTHS)):
        likelihoods = [
            float(np.prod([rate if bit == label else 1 - rate for bit in bits]))
            for label in (False, True)
        ]
        best += 0.5 * sum(likelihoods) * error(likelihoods[1] / sum(likelihoods))
    return {
        "depression": {
            "kind": "classification",
            "chance": 0.5,
            "bayes_accuracy": synthetic.best_accuracy([rate] * len(WIDTHS)),
            "best_single_modality": dict.fromkeys(WIDTHS, synthetic.best_accuracy([rate])),
        },
        "phq8": {"kind": "regression", "chance_mae": error(0.5), "bayes_mae": float(best)},
    }


def _write_recording(
    directory: Path,
    name: str,
    sides: np.ndarray,
    mean_seconds: float,
    directions: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Writes the features and the sentences of one recording.

    Args:
      directory: folder of the corpus.
      name: id of the recording.
      sides: side of the shift in each modality, [3], true for plus.
      mean_seconds: mean length of a recording.
      directions: direction of the shift in each modality.
      rng: random number generator.
    """
    seconds = synthetic.length(mean_seconds, 0.3, _SHORTEST, 2 * mean_seconds, rng)
    bounds = np.linspace(0, np.floor(seconds), 1 + max(2, int(seconds // 6))).round(1)
    words = np.maximum(1, np.rint(np.diff(bounds) * WORDS_PER_SECOND)).astype(int)
    lengths = {modality: int(seconds * rate) for modality, rate in RATES.items()}
    arrays = {}
    for (modality, width), side in zip(WIDTHS.items(), sides, strict=True):
        length = lengths.get(modality, int(words.sum()))
        noise = synthetic.autocorrelated(length, width, AUTOCORRELATION, rng)
        shift = (SHIFT if side else -SHIFT) * directions[modality]
        arrays[modality] = (noise + shift).astype(np.float32)
    np.save(directory / "acoustic" / f"{name}.npy", arrays["acoustic"])
    header = [f"v{column}" for column in range(WIDTHS["visual"])]
    visual = [[f"{x:.5f}" for x in row] for row in arrays["visual"]]
    _write_table(directory / "visual" / f"{name}.csv", [header, *visual])
    np.savez(directory / "text" / f"{name}.npz", words=arrays["text"])
    sentences = zip(bounds[:-1], bounds[1:], words, strict=True)
    _write_table(directory / "sentences" / f"{name}.csv", [("start", "end", "rows"), *sentences])


def _write_table(path: Path, rows: list[Any]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
