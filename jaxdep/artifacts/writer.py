"""Writes the files of a run directory: settings, predictions, recordings, maps, description."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from jaxdep.artifacts import lock
from jaxdep.artifacts.files import write_arrays, write_json, write_text
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.artifacts.schema import PREDICTION_COLUMNS, RECORDING_COLUMNS, Meta


class LabelledSplit(Protocol):
    """The fields of a split that are written next to its predictions.

    Attributes:
      name: name of the split.
      ids: ids of the recordings, [N].
      targets: targets of each task, [N].
      subjects: subjects of the recordings, [N].
      attributes: what else is known about the recordings, as texts [N] by name.
    """

    name: str
    ids: np.ndarray
    targets: Mapping[str, np.ndarray]
    subjects: np.ndarray
    attributes: Mapping[str, np.ndarray]


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
    outputs: Mapping[str, Mapping[str, np.ndarray]],
    splits: Mapping[str, LabelledSplit],
) -> None:
    """Writes predictions, recordings and description of a finished run; releases its directory.

    Args:
      run_dir: run directory.
      meta: content of `meta.json`.
      outputs: for `test` and optionally `validation`, the logits [R, N, C] or regression scores
        [R, N] of each task.
      splits: splits of the N recordings, by the same names.
    """
    seeds = [run["seed"] for run in meta["runs"]]
    for role, predictions, recordings in (
        ("validation", run_dir.validation, run_dir.validation_recordings),
        ("test", run_dir.predictions, run_dir.recordings),
    ):
        if role in outputs:
            write_text(predictions, _predictions_csv(outputs[role], splits[role], seeds))
            write_recordings(recordings, splits[role])
    write_json(run_dir.meta, meta)
    lock.release(run_dir.path)


def write_recordings(path: Path, split: LabelledSplit) -> None:
    """Writes one line per recording, with its subject and attributes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*RECORDING_COLUMNS, *split.attributes])
    columns = (split.ids, split.subjects, *split.attributes.values())
    writer.writerows(zip(*columns, strict=True))
    write_text(path, text.getvalue())


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
      class 1 if there are two classes, and of the predicted class otherwise; `logits` has those of
      all classes, separated by spaces. For a regression, `prediction` is the score, and the other
      two are empty.
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


def _prediction(output: np.ndarray) -> tuple[Any, Any, Any]:
    """Prediction, probability and logits for one recording."""
    if output.ndim == 0:
        return f"{float(output):.9g}", "", ""
    exponentials = np.exp(output.astype(np.float64) - output.max())
    probabilities = exponentials / exponentials.sum()
    prediction = int(probabilities.argmax())
    probability = probabilities[1 if len(probabilities) == 2 else prediction]
    # Nine digits are enough to restore a float32.
    return prediction, f"{probability:.9g}", " ".join(f"{logit:.9g}" for logit in output)
