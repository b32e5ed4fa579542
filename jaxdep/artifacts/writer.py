"""Writes the files of a run directory: settings, predictions, attention maps and description."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from jaxdep.artifacts import lock
from jaxdep.artifacts.files import write_arrays, write_json, write_text
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.artifacts.schema import PREDICTION_COLUMNS, Meta


class LabelledSplit(Protocol):
    """The fields of a split that are written next to its predictions.

    Attributes:
      name: name of the split.
      ids: ids of the recordings, [N].
      targets: targets of each task, [N].
    """

    name: str
    ids: np.ndarray
    targets: Mapping[str, np.ndarray]


def begin(run_dir: RunDir, config: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
    """Locks the directory, and writes the files that are needed to resume a run.

    Raises:
      UserError: another process writes to the directory.
    """
    run_dir.path.mkdir(parents=True, exist_ok=True)
    lock.acquire(run_dir.path)
    write_json(run_dir.environment, environment)
    write_json(run_dir.config, config)  # last: a run that has it can be resumed


def attention(run_dir: RunDir, examples: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    """Writes attention maps, if there are any.

    Args:
      run_dir: run directory.
      examples: maps of a few recordings and their legend, as in `train.attention_maps.Attention`.
      words: maps over words, as there.
    """
    if examples:
        write_arrays(run_dir.attention, examples)
    if words:
        write_arrays(run_dir.words, words)


def finish(
    run_dir: RunDir,
    meta: Meta,
    outputs: Mapping[str, np.ndarray],
    split: LabelledSplit,
) -> None:
    """Writes the predictions and the description of a finished run, and releases its directory.

    Args:
      run_dir: run directory.
      meta: content of `meta.json`.
      outputs: logits [R, N, C] or regression scores [R, N] of each task.
      split: split of the N recordings.
    """
    seeds = [run["seed"] for run in meta["runs"]]
    write_text(run_dir.predictions, _predictions_csv(outputs, split, seeds))
    write_json(run_dir.meta, meta)
    lock.release(run_dir.path)


def _predictions_csv(
    outputs: Mapping[str, np.ndarray], split: LabelledSplit, seeds: Sequence[int]
) -> str:
    """Content of `predictions.csv`.

    Args:
      outputs: logits [R, N, C] or regression scores [R, N] of each task.
      split: split of the N recordings.
      seeds: seeds of the R runs.

    Returns:
      One line per task, run and recording. Classes are given by index; `probability` is that of
      class 1 if there are two classes, and of the predicted class otherwise. For a regression,
      `prediction` is the score and `probability` is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PREDICTION_COLUMNS)
    for task, values in outputs.items():
        targets = split.targets[task]
        for run, (seed, run_values) in enumerate(zip(seeds, values, strict=True)):
            for item, target, output in zip(split.ids, targets, run_values, strict=True):
                line = (item, split.name, task, run, seed, target)
                writer.writerow([*line, *_prediction(output)])
    return text.getvalue()


def _prediction(output: np.ndarray) -> tuple[Any, Any]:
    """Prediction and probability for one recording."""
    if output.ndim == 0:
        return f"{float(output):.9g}", ""
    exponentials = np.exp(output.astype(np.float64) - output.max())
    probabilities = exponentials / exponentials.sum()
    prediction = int(probabilities.argmax())
    return prediction, f"{probabilities[1 if len(probabilities) == 2 else prediction]:.9g}"
