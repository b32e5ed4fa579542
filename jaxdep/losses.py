"""Losses: predictions and targets in, one number for each example out."""

from __future__ import annotations

import optax

from jaxdep.types import Labels, Logits, PerExample


def cross_entropy(prediction: Logits, target: Labels) -> PerExample:
    """Negative log-likelihood of the true class, in nats.

    Args:
      prediction: logits, shape [B, C].
      target: class indices, shape [B].

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
    return optax.softmax_cross_entropy_with_integer_labels(prediction, target)


LOSSES = {"cross_entropy": cross_entropy}
"""Name, as `Task.loss` has it, to loss."""
