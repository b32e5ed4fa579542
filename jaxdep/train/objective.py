"""Losses and metrics of each task, computed from model outputs and targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from jaxdep.experiment import Task
from jaxdep.losses import get_loss
from jaxdep.types import Array, Outputs, PerExample

Sums = dict[str, Float[Array, ""]]
"""Weighted sums over examples; `count` is the sum of the weights."""


def per_example(
    tasks: Mapping[str, Task], outputs: Outputs, targets: Mapping[str, Array]
) -> dict[str, PerExample]:
    """Unweighted loss of each example in each task, shape [B], in at least float32."""
    losses = {
        name: get_loss(task.loss, task.options)(outputs[name], targets[name])
        for name, task in tasks.items()
    }
    return {
        name: loss.astype(jnp.promote_types(loss.dtype, jnp.float32))
        for name, loss in losses.items()
    }


def total(
    tasks: Mapping[str, Task], losses: Mapping[str, PerExample], weights: PerExample
) -> Float[Array, ""]:
    """Training loss: the weighted sum of each task's mean loss over the real examples.

    Args:
      tasks: tasks by name.
      losses: loss of each example, by task.
      weights: 1 for real examples, 0 for padding.
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
    """Sums the losses and metrics of one batch; `summarize` divides the sums once, at the end."""
    totals: Sums = {"count": weights.sum()}
    for name, loss in per_example(tasks, outputs, targets).items():
        totals[f"{name}.loss"] = (loss * weights).sum()
        if outputs[name].ndim == 2:
            correct = outputs[name].argmax(-1) == targets[name]
            totals[f"{name}.accuracy"] = (correct * weights).sum()
        else:
            error = jnp.abs(clip(tasks[name], outputs[name]) - targets[name])
            totals[f"{name}.mae"] = (error * weights).sum()
    return totals


def clip(task: Task, scores: Any) -> Any:
    """Clips regression scores to the bounds of their scale, if it has any."""
    return scores.clip(*task.bounds) if task.bounds else scores


def predicted(tasks: Mapping[str, Task], outputs: Outputs) -> dict[str, Any]:
    """Model outputs as reported: regression scores are clipped to their scale."""
    return {name: clip(task, outputs[name]) for name, task in tasks.items()}


def summarize(tasks: Mapping[str, Task], added: Mapping[str, Any]) -> Sums:
    """Means over a split: weighted `loss`, `<task>.loss`, and `<task>.accuracy` or `<task>.mae`."""
    means = {key: value / added["count"] for key, value in added.items() if key != "count"}
    parts = [task.weight * means[f"{name}.loss"] for name, task in tasks.items()]
    loss: Any = sum(parts[1:], parts[0])
    return {"loss": loss, **means}
