"""Losses: predictions and targets in, one number for each example out."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array

from jaxdep import severity
from jaxdep.errors import UserError
from jaxdep.types import Labels, Logits, PerExample

Number = float | Array
"""A number, or a traced one."""


def cross_entropy(
    prediction: Logits, target: Labels, class_weights: Sequence[Number] = ()
) -> PerExample:
    """Negative log-likelihood of the true class, in nats, times the weight of that class.

    Weights multiply; the mean over a batch is not divided by their sum, as PyTorch's is, which in
    batches of one example would undo them.

    Args:
      prediction: logits, shape [B, C].
      target: class indices, shape [B].
      class_weights: C of them; none: 1 for all.

    Returns:
      Shape [B].

    Raises:
      ValueError: the shapes do not belong together.
    """
    if prediction.ndim != 2 or target.shape != prediction.shape[:1]:
        raise ValueError(
            f"cross_entropy takes prediction [B, C] and target [B]; got {prediction.shape} and"
            f" {target.shape}"
        )
    loss = optax.softmax_cross_entropy_with_integer_labels(prediction, target)
    if not len(class_weights):
        return loss
    if len(class_weights) != prediction.shape[1]:
        raise ValueError(f"{len(class_weights)} class weights for {prediction.shape[1]} classes")
    return loss * jnp.asarray(class_weights, loss.dtype)[target]


def huber(prediction: PerExample, target: PerExample, delta: Number = 2.0) -> PerExample:
    """`H(d) = d^2 / 2` where `|d| <= delta`, else `delta (|d| - delta / 2)`.

    Args:
      prediction: scores, shape [B]; `d = prediction - target`.
      target: shape [B].
      delta: may be traced.

    Returns:
      Shape [B].

    Raises:
      ValueError: the shapes do not belong together.
    """
    distance = jnp.abs(_difference(prediction, target))
    return jnp.where(distance <= delta, distance**2 / 2, delta * (distance - delta / 2))


def dr_loss(
    prediction: PerExample, target: PerExample, delta: Number = 2.0, weight: Number = 0.1
) -> PerExample:
    """The Depression Recognition loss of MDDR (eq. 3): small errors inside a category count less.

    `weight H(d)` where prediction and target fall in one severity category *and* `|d| <= delta`,
    else `H(d)`, with `H` as in `huber`. Categories of the BDI-II: minimal 0-13, mild 14-19,
    moderate 20-28, severe 29-63; of a real-valued score that of its nearest integer, halves
    upward, so the edges are 13.5, 19.5 and 28.5. The condition carries no gradient.

    Args:
      prediction: scores in BDI-II points, shape [B].
      target: shape [B].
      delta: may be traced, as `weight`.

    Returns:
      Shape [B].

    Raises:
      ValueError: the shapes do not belong together.
    """
    near = jnp.abs(_difference(prediction, target)) <= delta
    same = severity.category(prediction) == severity.category(target)
    return jnp.where(near & same, weight, 1.0) * huber(prediction, target, delta)


def mse(prediction: PerExample, target: PerExample) -> PerExample:
    """Squared error of scores [B] against targets [B]."""
    return _difference(prediction, target) ** 2


def mae(prediction: PerExample, target: PerExample) -> PerExample:
    """Absolute error of scores [B] against targets [B]."""
    return jnp.abs(_difference(prediction, target))


def _difference(prediction: PerExample, target: PerExample) -> PerExample:
    if prediction.ndim != 1 or target.shape != prediction.shape:
        raise ValueError(
            "a regression's loss takes prediction [B] and target [B]; got"
            f" {prediction.shape} and {target.shape}"
        )
    return prediction - target


LOSSES = {
    "cross_entropy": cross_entropy,
    "dr": dr_loss,
    "huber": huber,
    "mse": mse,
    "mae": mae,
}
"""Name, as `Task.loss` has it, to loss."""


def find(name: str, options: Mapping[str, Any]) -> Callable[[Array, Array], PerExample]:
    """A loss with its options set.

    Raises:
      UserError: there is none of that name, or it has no such option.
    """
    if name not in LOSSES:
        raise UserError(f"no loss {name!r}: there are {', '.join(LOSSES)}")
    known = [*inspect.signature(LOSSES[name]).parameters][2:]
    if surplus := sorted(set(options) - set(known)):
        there = ", ".join(known) or "none"
        raise UserError(f"loss {name!r} has no option {', '.join(surplus)}: there are {there}")
    return functools.partial(LOSSES[name], **options)
