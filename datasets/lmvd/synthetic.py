"""Writes a synthetic LMVD in which temporal events encode the label.

See `jaxdep.data.vlog_events` for the events. The landmarks are in pixels; gaze, pose and action
units say nothing about the label.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import openface, synthetic, synthetic_tables, vlog_events
from jaxdep.datasets.lmvd import labels, raw

WIDTHS = {"acoustic": raw.VGGISH, "visual": len(openface.COLUMNS["landmarks"])}
CENTRE, PIXELS = 300.0, 10.0
"""Mean of the landmarks, and pixels for each unit of the noise."""

_JITTER = 0.05


def write(
    directory: str | Path,
    items: int = raw.PUBLISHED,
    seed: int = 0,
    signal: float = 1.0,
    mean_length: float = 60,
    rows_per_second: int = 2,
) -> dict[str, Any]:
    """Writes the features and the label of every vlog, and `synthetic.json`.

    Args:
      directory: output folder; created if missing.
      items: number of vlogs; labels are balanced. There is no `labels.csv`.
      seed: seed of the random draws; the same seed writes the same files.
      signal: 1 for the full rates, 0 for events that are independent of the label.
      mean_length: mean number of seconds, see `vlog_events.recording`.
      rows_per_second: rows per second of OpenFace's tables; the real ones have 30.

    Returns:
      The content of `synthetic.json`: parameters, chance level, and Bayes accuracies.

    Raises:
      ValueError: fewer than 20 items, a signal outside 0..1, a mean length below 40, or no row per
        second.
    """
    means = {"mean_length": (mean_length, 40.0), "rows_per_second": (rows_per_second, 1.0)}
    synthetic.check_size(items, 20, signal, **means)
    directory = Path(directory)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x17]))
    along = vlog_events.directions(WIDTHS, rng)
    for folder in ("Audio_feature", "Video_feature", "label"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    truths = rng.permutation(np.arange(items) % 2)
    for number, label in enumerate(truths, 1):
        name = f"{number:03d}" if number < 602 else f"{number:04d}"  # as in the corpus
        arrays = vlog_events.recording(int(label), mean_length, signal, along, rng)
        acoustic = arrays["acoustic"].astype(np.float32)
        np.save(directory / "Audio_feature" / f"{name}.npy", acoustic)
        _write_face(directory / "Video_feature" / f"{name}.csv", arrays, rows_per_second, rng)
        (directory / "label" / f"{name}{labels.SUFFIX}").write_text(f"{label}\n")
    given = {"items": items, "seed": seed, "signal": signal}
    parameters = vlog_events.parameters(signal, mean_length) | {"rows_per_second": rows_per_second}
    tasks = {"depression": vlog_events.bayes(("acoustic", "visual"), signal)}
    return synthetic.write_truth(directory, "lmvd", given, parameters, tasks)


def _write_face(
    path: Path, arrays: dict[str, np.ndarray], rate: int, rng: np.random.Generator
) -> None:
    """Writes OpenFace's table, whose first row of each second holds the frame of the recording."""
    frames = np.repeat(arrays["visual"], rate, axis=0)
    between = np.arange(len(frames)) % rate > 0
    frames[between] += _JITTER * rng.normal(size=(int(between.sum()), frames.shape[1]))
    number = np.arange(len(frames))
    success = rng.random(len(frames)) > 0.002
    leading = np.stack([number + 1, 0 * number, number / rate, 0.9 * success, success], 1)
    others = [group for group in openface.COLUMNS if group != "landmarks"]
    columns = [name for group in others for name in openface.COLUMNS[group]]
    rest = rng.normal(size=(len(frames), len(columns)))
    header = [*openface.LEADING, *columns, *openface.COLUMNS["landmarks"]]
    written = np.hstack([leading, rest, CENTRE + PIXELS * frames])
    names = [header[0], *(f" {name}" for name in header[1:])]  # as OpenFace writes them
    synthetic_tables.write(path, written, names)
