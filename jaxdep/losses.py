"""Per-example losses."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import jax.numpy as jnp
import optax
from annotated_types import Ge, Gt
from jaxtyping import Float, Int, Num

from jaxdep.errors import ModelError, UserError
from jaxdep.scales import bdi
from jaxdep.settings.checking import convert, kinds_of
from jaxdep.types import Array, Number, PerExample

# Of any shape, because the losses themselves report shapes that do not match.
Predictions = Float[Array, "..."]
Targets = Num[Array, "..."]
Distance = Annotated[Number, Gt(0)]
Factor = Annotated[Number, Ge(0)]


def cross_entropy(
    prediction: Predictions, target: Int[Array, "..."], class_weights: tuple[Factor, ...] = ()
) -> PerExample:
    """Negative log-likelihood of the true class, in nats, times the weight of that class.

    Unlike in PyTorch, the batch mean is not divided by the sum of the weights, which would cancel
    them in batches of one example.

    Args:
      prediction: logits, shape [B, C].
      target: class indices, shape [B].
      class_weights: one weight per class; empty: 1 for all.

    Returns:
      Losses, shape [B].

    Raises:
      ModelError: the shapes do not match.
    """
    if prediction.ndim != 2 or target.shape != prediction.shape[:1]:
        raise ModelError(
            "cross_entropy needs a prediction of shape [B, C] and a target of shape [B]; got"
            f" {prediction.shape} and {target.shape}"
        )
    loss = optax.softmax_cross_entropy_with_integer_labels(prediction, target)
    if not len(class_weights):
        return loss
    if len(class_weights) != prediction.shape[1]:
        raise ModelError(
            f"class_weights must have one entry per class; got {len(class_weights)} class weights"
            f" for {prediction.shape[1]} classes"
        )
    return loss * jnp.asarray(class_weights, loss.dtype)[target]


def huber(prediction: Predictions, target: Targets, delta: Distance = 2.0) -> PerExample:
    """`H(d) = d^2 / 2` where `|d| <= delta`, else `delta (|d| - delta / 2)`.

    Args:
      prediction: predicted scores, shape [B]; `d = prediction - target`.
      target: true scores, shape [B].
      delta: threshold between the quadratic and the linear part; may be traced.

    Returns:
      Losses, shape [B].

    Raises:
      ModelError: the shapes do not match.
    """
    distance = jnp.abs(_difference(prediction, target))
    return jnp.where(distance <= delta, distance**2 / 2, delta * (distance - delta / 2))


def dr_loss(
    prediction: Predictions, target: Targets, delta: Distance = 2.0, weight: Factor = 0.1
) -> PerExample:
    """Depression Recognition loss of MDDR (eq. 3), which down-weights small errors in a category.

    `weight H(d)` if prediction and target are in the same severity category *and* `|d| <= delta`,
    else `H(d)`, with `H` as in `huber`. Categories of the BDI-II: minimal 0-13, mild 14-19,
    moderate 20-28, severe 29-63. A real-valued score is rounded to the nearest integer, halves up,
    so the boundaries are 13.5, 19.5 and 28.5. The condition has no gradient.

    Args:
      prediction: predicted BDI-II scores, shape [B].
      target: true BDI-II scores, shape [B].
      delta: largest error that is down-weighted, and threshold of `huber`; may be traced.
      weight: factor of the down-weighted losses; may be traced.

    Returns:
      Losses, shape [B].

    Raises:
      ModelError: the shapes do not match.
    """
    close = jnp.abs(_difference(prediction, target)) <= delta
    same_category = bdi.category(prediction) == bdi.category(target)
    return jnp.where(close & same_category, weight, 1.0) * huber(prediction, target, delta)


def mse(prediction: Predictions, target: Targets) -> PerExample:
    """Squared error of scores [B] against targets [B]."""
    return _difference(prediction, target) ** 2


def mae(prediction: Predictions, target: Targets) -> PerExample:
    """Absolute error of scores [B] against targets [B]."""
    return jnp.abs(_difference(prediction, target))


def _difference(prediction: Predictions, target: Targets) -> PerExample:
    if prediction.ndim != 1 or target.shape != prediction.shape:
        raise ModelError(
            "a regression loss needs a prediction and a target of shape [B]; got"
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
"""Losses by their name in `Task.loss`."""

OF_CLASSES = ("cross_entropy",)
"""Losses of classes; the others are losses of scores."""


def get_loss(name: str, options: Mapping[str, Any]) -> Callable[[Array, Array], PerExample]:
    """Returns the loss of a name with its options bound.

    Raises:
      UserError: the loss or one of its options does not exist, or has a value it may not have.
    """
    if name not in LOSSES:
        raise UserError(f"unknown loss {name!r}; choose one of {', '.join(LOSSES)}")
    known = [*inspect.signature(LOSSES[name]).parameters][2:]
    if unknown := sorted(set(options) - set(known)):
        available = ", ".join(known) or "none"
        raise UserError(
            f"loss {name!r} has no option {', '.join(unknown)}; its options are {available}"
        )
    kinds = kinds_of(LOSSES[name])
    values = {key: convert(value, kinds[key], f"options.{key}") for key, value in options.items()}
    return functools.partial(LOSSES[name], **values)
