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

WORDS = ("words", "alone")
"""Beginnings of the names of maps over words: as they were said, and each with no other beside."""

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
    # An even number: the published DEP-Former reads its patients in pairs.
    filled = np.resize(rows, len(rows) + len(rows) % 2)
    chosen = split.take(filled, split.name)
    inputs = _loaded(chosen).inputs
    program = jax.jit(lambda one, inputs: _sown(experiment, one, inputs))
    maps = jax.device_get(program(variables, inputs))
    maps = {name: leaf for name, leaf in maps.items() if leaf.ndim == 2 and leaf.shape[1] > 1}
    maps = {name: leaf[: len(rows)] for name, leaf in maps.items()}
    if not maps:
        return {}
    lengths = {leaf.shape[1] for leaf in maps.values()}
    own = {name: x[: len(rows)] for name, x in inputs.items()}
    masks = [x for name, x in own.items() if name.endswith("_mask") and x.shape[1] in lengths]
    # Frames that a model made, such as aligned ones, have no mask among the inputs.
    masks = masks or [leaf != 0 for leaf in maps.values()]
    return {
        "ids": split.ids[rows],
        "targets": targets[rows],
        "predictions": outputs[rows].argmax(-1) if outputs.ndim > 1 else outputs[rows],
        "length": np.max([mask.sum(1) for mask in masks], axis=0),
        **maps,
    }


def of_words(maps: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are over words."""
    return {name: x for name, x in maps.items() if name.partition("/")[0] in WORDS}


def words(experiment: Experiment, variables: Any, split: Any) -> dict[str, np.ndarray]:
    """What every run read of each word of every recording; for models that tell of words.

    Args:
      variables: of R runs.

    Returns:
      `ids`, `targets`, and maps [R, N, L] whose names begin with one of `WORDS`.
    """
    of_run = lambda run: jax.tree.map(lambda leaf: leaf[run], variables)
    size, items = experiment.training.batch_size, np.arange(len(split))
    # The last batch is filled up: a model may need whole ones.
    batches = np.resize(items, -(-len(items) // size) * size).reshape(-1, size)
    program = jax.jit(lambda one, inputs: of_words(_sown(experiment, one, inputs)))
    inputs_of = lambda rows: _loaded(split.take(rows, split.name)).inputs
    runs, rows = range(len(jax.tree.leaves(variables)[0])), []
    for inputs in map(inputs_of, batches):
        of_runs = [jax.device_get(program(of_run(run), inputs)) for run in runs]
        rows.append(jax.tree.map(lambda *each: np.stack(each), *of_runs))
    joined = jax.tree.map(lambda *each: np.concatenate(each, 1)[:, : len(items)], *rows)
    return {"ids": split.ids, "targets": split.targets[experiment.main_task], **joined}


def _sown(experiment: Experiment, variables: Any, inputs: Any) -> dict[str, Any]:
    """What a model tells of itself, by name: maps that it sows, and those of its `interpret`."""
    model = experiment.model
    _, sown = model.apply(variables, inputs, mutable=["intermediates"])
    leaves = jax.tree_util.tree_leaves_with_path(sown.get("intermediates", {}))
    maps = {_name(path): leaf for path, leaf in leaves}
    if hasattr(model, "interpret"):
        maps |= model.apply(variables, inputs, method="interpret")
    return maps


def _loaded(split: Any) -> Split:
    return split if isinstance(split, Split) else split.load()


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
