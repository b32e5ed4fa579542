"""A model's outputs as lines that a person can check: `predictions.csv` and attention maps."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jaxdep.data.arrays import Labelled, Split
from jaxdep.experiment import Experiment

COLUMNS = ("id", "split", "task", "run", "seed", "target", "prediction", "probability")


def to_csv(outputs: Mapping[str, np.ndarray], split: Labelled, seeds: Sequence[int]) -> str:
    """The text of `predictions.csv`.

    Args:
      outputs: for each task logits [R, N, C], or scores [R, N] of a regression.
      split: the N recordings.
      seeds: of the R runs.

    Returns:
      A line for each task, run and recording: classes by index, `probability` of class 1 where
      there are two and else of the predicted class; of a regression the score, and no probability.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for task, values in outputs.items():
        targets = split.targets[task]
        for run, (seed, of_run) in enumerate(zip(seeds, values, strict=True)):
            for item, target, output in zip(split.ids, targets, of_run, strict=True):
                line = (item, split.name, task, run, seed, target)
                writer.writerow([*line, *_said(output)])
    return text.getvalue()


def attention(
    experiment: Experiment, variables: Any, split: Any, outputs: np.ndarray, each: int = 2
) -> dict[str, np.ndarray]:
    """Attention over time that the model sows, for a few recordings of every kind.

    Args:
      variables: of one run.
      outputs: of that run in the main task, [N, C] or [N].
      each: recordings of each class, the first ones; of a regression the lowest and the highest.

    Returns:
      `ids`, `targets`, `predictions`, `length` (real frames), and every map [n, L] by its name;
      empty if the model sows none.
    """
    targets = split.targets[experiment.main_task]
    if experiment.main_task in split.classes:
        rows = np.concatenate([np.flatnonzero(targets == c)[:each] for c in np.unique(targets)])
    else:
        order = np.argsort(targets, kind="stable")
        rows = np.unique(np.concatenate([order[:each], order[-each:]]))
    chosen = split.take(rows, split.name)
    inputs = chosen.inputs if isinstance(chosen, Split) else chosen.load().inputs
    _, sown = experiment.model.apply(variables, inputs, mutable=["intermediates"])
    leaves = jax.tree_util.tree_leaves_with_path(sown.get("intermediates", {}))
    maps = {_name(path): np.asarray(leaf) for path, leaf in leaves}
    maps = {name: leaf for name, leaf in maps.items() if leaf.ndim == 2 and leaf.shape[1] > 1}
    if not maps:
        return {}
    lengths = {leaf.shape[1] for leaf in maps.values()}
    masks = [x for name, x in inputs.items() if name.endswith("_mask") and x.shape[1] in lengths]
    # Frames that a model made, such as aligned ones, have no mask among the inputs.
    masks = masks or [leaf != 0 for leaf in maps.values()]
    return {
        "ids": chosen.ids,
        "targets": targets[rows],
        "predictions": outputs[rows].argmax(-1) if outputs.ndim > 1 else outputs[rows],
        "length": np.max([mask.sum(1) for mask in masks], axis=0),
        **maps,
    }


def _said(output: np.ndarray) -> tuple[Any, Any]:
    """Prediction and probability of one recording."""
    if output.ndim == 0:
        return f"{float(output):.9g}", ""
    shifted = np.exp(output.astype(np.float64) - output.max())
    shares = shifted / shifted.sum()
    prediction = int(shares.argmax())
    return prediction, f"{shares[1 if len(shares) == 2 else prediction]:.9g}"


def _name(path: tuple[Any, ...]) -> str:
    """`jaf.0/T_A` from `intermediates/jaf.0/T_A/0`."""
    return "/".join(str(key.key) for key in path if isinstance(key, jax.tree_util.DictKey))
