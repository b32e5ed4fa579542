"""From a model's outputs and the targets to losses, task by task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxdep.experiment import Task
from jaxdep.losses import find
from jaxdep.types import Outputs, PerExample

Sums = dict[str, Float[Array, ""]]
"""Weighted sums over examples, with the sum of the weights under `count`."""


def per_example(
    tasks: Mapping[str, Task], outputs: Outputs, targets: Mapping[str, Array]
) -> dict[str, PerExample]:
    """The loss of each example in each task, unweighted, shape [B], in float32 at least."""
    losses = {
        name: find(task.loss, task.options)(outputs[name], targets[name])
        for name, task in tasks.items()
    }
    return {
        name: loss.astype(jnp.promote_types(loss.dtype, jnp.float32))
        for name, loss in losses.items()
    }


def total(
    tasks: Mapping[str, Task], losses: Mapping[str, PerExample], weights: PerExample
) -> Float[Array, ""]:
    """The loss that is minimised: each task's mean over real examples, times its weight.

    Args:
      weights: 1 for a real example, 0 for one that fills a batch.
    """
    count = jnp.maximum(weights.sum(), 1)
    parts = [task.weight * (losses[name] * weights).sum() / count for name, task in tasks.items()]
    return sum(parts[1:], parts[0])


def sums(
    tasks: Mapping[str, Task],
    outputs: Outputs,
    targets: Mapping[str, Array],
    weights: PerExample,
) -> Sums:
    """What a batch adds to an evaluation: sums that `summarize` divides once, at the end."""
    added: Sums = {"count": weights.sum()}
    for name, loss in per_example(tasks, outputs, targets).items():
        added[f"{name}.loss"] = (loss * weights).sum()
        if outputs[name].ndim == 2:
            right = outputs[name].argmax(-1) == targets[name]
            added[f"{name}.accuracy"] = (right * weights).sum()
        else:
            error = jnp.abs(clip(tasks[name], outputs[name]) - targets[name])
            added[f"{name}.mae"] = (error * weights).sum()
    return added


def clip(task: Task, scores: Any) -> Any:
    """A regression's scores within the bounds of the scale, if it has any."""
    return scores.clip(*task.bounds) if task.bounds else scores


def predicted(tasks: Mapping[str, Task], outputs: Outputs) -> dict[str, Any]:
    """A model's outputs as they are reported: of each task, scores within their scale."""
    return {name: clip(task, outputs[name]) for name, task in tasks.items()}


def summarize(tasks: Mapping[str, Task], added: Mapping[str, Any]) -> Sums:
    """Means over a split: `<task>.loss`, `<task>.accuracy` or `.mae`, and the weighted `loss`."""
    means = {key: value / added["count"] for key, value in added.items() if key != "count"}
    parts = [task.weight * means[f"{name}.loss"] for name, task in tasks.items()]
    return {"loss": sum(parts[1:], parts[0]), **means}
