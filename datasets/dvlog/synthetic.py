"""Writes a synthetic D-Vlog in which temporal events encode the label.

See `jaxdep.data.vlog_events` for the events.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import synthetic, vlog_events
from jaxdep.datasets.dvlog.raw import COLUMNS, LABELS, SPLITS, WIDTHS


def write(
    directory: str | Path,
    items: int = sum(SPLITS.values()),
    seed: int = 0,
    signal: float = 1.0,
    mean_length: float = 596,
) -> dict[str, Any]:
    """Writes `labels.csv`, the arrays of every vlog, and `synthetic.json`.

    Args:
      directory: output folder; created if missing.
      items: number of vlogs in all splits, which have the published proportions; labels are
        balanced.
      seed: seed of the random draws; the same seed writes the same files.
      signal: 1 for the full rates, 0 for events that are independent of the label.
      mean_length: mean number of frames; lengths are log-normal, clipped to a quarter of the mean
        (at least 40) and twice the mean.

    Returns:
      The content of `synthetic.json`: parameters, chance level, and Bayes accuracies.

    Raises:
      ValueError: fewer than 10 items, a signal outside 0..1, or a mean length below 40.
    """
    synthetic.check_size(items, 10, signal, mean_length=(mean_length, 40))
    directory = Path(directory)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xD7]))
    directions = vlog_events.directions(WIDTHS, rng)
    directory.mkdir(parents=True, exist_ok=True)
    folds = synthetic.split_names(SPLITS, items)
    labels = rng.permutation(np.arange(items) % 2)
    rows = []
    for number, (fold, label) in enumerate(zip(folds, labels, strict=True)):
        name = f"v{number:05d}"
        arrays = vlog_events.recording(int(label), mean_length, signal, directions, rng)
        (directory / name).mkdir()
        for modality, array in arrays.items():
            np.save(directory / name / f"{name}_{modality}.npy", array.astype(np.float32))
        gender = "f" if rng.random() < 2 / 3 else "m"
        rows.append((name, LABELS[label], float(len(arrays["acoustic"])), gender, fold))
    with (directory / "labels.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    given = {"items": items, "seed": seed, "signal": signal}
    parameters = vlog_events.parameters(signal, mean_length)
    tasks = {"depression": vlog_events.bayes(("acoustic", "visual"), signal)}
    return synthetic.write_truth(directory, "dvlog", given, parameters, tasks)
