"""Collects attention maps from trained models, for a few recordings or for every word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from jaxdep.data.arrays import Split
from jaxdep.experiment import Experiment
from jaxdep.models import spec_of
from jaxdep.train import step
from jaxdep.train.status import Status

WORD_MAPS = ("words", "alone")
"""Prefixes of maps over words: words in context, and each word with all others blanked out."""


@dataclass(frozen=True)
class Attention:
    """Attention maps of trained runs; empty where the model has none.

    Attributes:
      examples: maps over time of a few recordings, for the first run that did not diverge, and
        their legend: `streams` and `panels`, as read by `analysis.attention`.
      words: maps over words of all recordings, for all runs that did not diverge.
    """

    examples: Mapping[str, np.ndarray] = field(default_factory=dict)
    words: Mapping[str, np.ndarray] = field(default_factory=dict)


def of_runs(
    experiment: Experiment,
    state: step.State,
    split: Any,
    outputs: Mapping[str, np.ndarray],
    options: Mapping[str, Any],
) -> Attention:
    """Collects the attention maps of trained runs.

    Args:
      experiment: experiment that was trained.
      state: state of the R runs, on the host.
      split: evaluated split.
      outputs: outputs of the runs on that split, [R, N, C] or [R, N] for each task.
      options: options for XLA's compiler.
    """
    finite = np.flatnonzero(state.status != Status.DIVERGED)
    if not finite.size:
        return Attention()
    best_of = lambda rows: jax.tree.map(lambda leaf: leaf[rows], state.best)
    predicted = outputs[experiment.main_task][finite[0]]
    maps = of_examples(experiment, best_of(finite[0]), split, predicted, options=options)
    if not maps:
        return Attention()
    words = of_words(experiment, best_of(finite), split, options) if over_words(maps) else {}
    return Attention({**maps, **legend(experiment.model)}, words)


def of_examples(
    experiment: Experiment,
    variables: Any,
    split: Any,
    outputs: np.ndarray,
    each: int = 2,
    options: Mapping[str, Any] | None = None,
) -> dict[str, np.ndarray]:
    """Collects attention maps over time for a few recordings of each class.

    Args:
      experiment: experiment that the model belongs to.
      variables: model variables of one run.
      split: evaluated split.
      outputs: outputs of that run for the main task, [N, C] or [N].
      each: number of recordings per class, taken from the start of the split; for a regression,
        the number of recordings with the lowest and with the highest targets.
      options: options for XLA's compiler.

    Returns:
      `ids`, `targets`, `predictions`, `length` (number of real frames), and the maps [n, L] by
      name; empty if the model has no maps over time.
    """
    targets = split.targets[experiment.main_task]
    if experiment.main_task in split.classes:
        rows = np.concatenate([np.flatnonzero(targets == c)[:each] for c in np.unique(targets)])
    else:
        order = np.argsort(targets, kind="stable")
        rows = np.unique(np.concatenate([order[:each], order[-each:]]))
    maps = of_rows(experiment, variables, split, rows, options)
    if not maps:
        return {}
    predictions = outputs[rows].argmax(-1) if outputs.ndim > 1 else outputs[rows]
    return {"targets": targets[rows], "predictions": predictions, **maps}


def of_rows(
    experiment: Experiment,
    variables: Any,
    split: Any,
    rows: np.ndarray,
    options: Mapping[str, Any] | None = None,
) -> dict[str, np.ndarray]:
    """Collects attention maps over time for some recordings.

    Args:
      experiment: experiment that the model belongs to.
      variables: model variables of one run.
      split: split with the recordings.
      rows: rows of the recordings in the split, [n].
      options: options for XLA's compiler.

    Returns:
      `ids`, `length` (number of real frames), and the maps [n, L] by name; empty if the model has
      no maps over time.
    """
    # Pad to an even number: some models process examples in pairs.
    filled = np.resize(rows, len(rows) + len(rows) % 2)
    chosen = split.take(filled, split.name)
    inputs = _in_memory(chosen).inputs
    maps_of = lambda weights, inputs: _model_maps(experiment, weights, inputs)
    program = jax.jit(maps_of, compiler_options=dict(options or {}))
    maps = jax.device_get(program(variables, inputs))
    maps = {name: leaf for name, leaf in maps.items() if leaf.ndim == 2 and leaf.shape[1] > 1}
    maps = {name: leaf[: len(rows)] for name, leaf in maps.items()}
    if not maps:
        return {}
    lengths = {leaf.shape[1] for leaf in maps.values()}
    chosen_inputs = {name: x[: len(rows)] for name, x in inputs.items()}
    masks = [
        x for name, x in chosen_inputs.items() if name.endswith("_mask") and x.shape[1] in lengths
    ]
    # Frames computed by the model, such as aligned ones, have no mask among the inputs.
    masks = masks or [leaf != 0 for leaf in maps.values()]
    return {
        "ids": split.ids[rows],
        "length": np.max([mask.sum(1) for mask in masks], axis=0),
        **maps,
    }


def over_words(maps: Mapping[str, Any]) -> dict[str, Any]:
    """Selects the maps that are defined over words."""
    return {name: x for name, x in maps.items() if name.partition("/")[0] in WORD_MAPS}


def of_words(
    experiment: Experiment, variables: Any, split: Any, options: Mapping[str, Any] | None = None
) -> dict[str, np.ndarray]:
    """Computes every run's attention to each word of each recording, for models with word maps.

    Args:
      experiment: experiment that the model belongs to.
      variables: model variables of R runs.
      split: evaluated split.
      options: options for XLA's compiler.

    Returns:
      `ids`, `subjects`, `targets`, and maps [R, N, L] whose names begin with one of `WORD_MAPS`.
    """
    variables_of = lambda run: jax.tree.map(lambda leaf: leaf[run], variables)
    size, items = experiment.training.batch_size, np.arange(len(split))
    # Fill up the last batch: some models require full batches.
    batches = np.resize(items, -(-len(items) // size) * size).reshape(-1, size)
    maps_of = lambda one, inputs: over_words(_model_maps(experiment, one, inputs))
    program = jax.jit(maps_of, compiler_options=dict(options or {}))
    inputs_of = lambda rows: _in_memory(split.take(rows, split.name)).inputs
    runs, rows = range(len(jax.tree.leaves(variables)[0])), []
    for inputs in map(inputs_of, batches):
        per_run = [jax.device_get(program(variables_of(run), inputs)) for run in runs]
        rows.append(jax.tree.map(lambda *each: np.stack(each), *per_run))
    joined = jax.tree.map(lambda *each: np.concatenate(each, 1)[:, : len(items)], *rows)
    targets = split.targets[experiment.main_task]
    return {"ids": split.ids, "subjects": split.subjects, "targets": targets, **joined}


def legend(model: nn.Module) -> dict[str, np.ndarray]:
    """Symbols, labels and colours of a model's streams, and titles of its panels."""
    spec = spec_of(model)
    streams = [(symbol, each.label, each.color) for symbol, each in spec.streams.items()]
    return {
        "streams": np.array(streams, str).reshape(-1, 3),
        "panels": np.array(list(spec.panels.items()), str).reshape(-1, 2),
    }


def _model_maps(experiment: Experiment, variables: Any, inputs: Any) -> dict[str, Any]:
    """Maps of a model by name: sown intermediates, and the result of its `interpret` method."""
    model = experiment.model
    _, intermediates = model.apply(variables, inputs, mutable=["intermediates"])
    leaves = jax.tree_util.tree_leaves_with_path(intermediates.get("intermediates", {}))
    maps = {_map_name(path): leaf for path, leaf in leaves}
    if hasattr(model, "interpret"):
        maps |= model.apply(variables, inputs, method="interpret")
    return maps


def _in_memory(split: Any) -> Split:
    return split if isinstance(split, Split) else split.load()


def _map_name(path: tuple[Any, ...]) -> str:
    """Formats a tree path: `intermediates/jaf.0/T_A/0` becomes `jaf.0/T_A`."""
    return "/".join(str(key.key) for key in path if isinstance(key, jax.tree_util.DictKey))
