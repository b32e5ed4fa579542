"""Output layers that the baseline networks share."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Float

from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.types import Array, Logits, Number, PerExample, Vector

Prediction = Logits | PerExample
"""Logits [B, classes], or scores [B] of a regression."""

Summary = Float[Array, "batch _"]
"""Vector of a modality, of a width of its own."""


def classify(
    z: Vector, hidden: int, classes: int | None, dropout: Number, train: bool
) -> Prediction:
    """Two layers, `fc.0` and `fc.3`, with a ReLU and dropout between them.

    Args:
      z: [B, W].
      hidden: width between the layers.
      classes: number of classes; None: one score per recording.
      dropout: dropout rate.
      train: whether to drop.
    """
    hiddens = nn.relu(Linear(hidden, name="fc.0")(z))
    hiddens = Dropout(dropout, name="fc.2")(hiddens, train)
    return prediction(Linear(classes or 1, name="fc.3")(hiddens), classes)


def prediction(y: Float[Array, "batch output"], classes: int | None) -> Prediction:
    """Logits [B, classes] as they are; without classes, [B, 1] as scores [B]."""
    return y[:, 0] if classes is None else y


def join(vectors: list[Summary], classes: int | None, dropout: Number, train: bool) -> Prediction:
    """Concatenates one vector per modality, and applies dropout and one linear layer.

    Args:
      vectors: of each modality, [B, *].
      classes: number of classes; None: one score per recording.
      dropout: dropout rate.
      train: whether to drop.
    """
    joint = Dropout(dropout, name="drop")(jnp.concatenate(vectors, axis=-1), train)
    return prediction(Linear(classes or 1, name="classifier")(joint), classes)
