"""What a model finds among its inputs."""

from __future__ import annotations

from collections.abc import Sequence as Several

import flax.linen as nn

from jaxdep.errors import ModelError
from jaxdep.types import Inputs, Mask, Sequence, Windows

MODALITIES = ("acoustic", "visual", "text")
"""Of a dialogue, in the order of their columns in `sentences`."""


def check_modalities(named: Several[str], known: Several[str]) -> None:
    """Checks a model's `modalities`.

    Raises:
      ModelError: there are none, or one is unknown or named twice.
    """
    if not named or set(named) - set(known) or len(set(named)) < len(named):
        raise ModelError(f"modalities are some of {', '.join(known)}, each once; got {named}")


def require(inputs: Inputs, name: str, model: nn.Module) -> Sequence:
    """The sequence of that name, which a model reads.

    Raises:
      ModelError: it is not there, or is not [B, L, D].
    """
    if name not in inputs:
        leave = f", or leave {name} out of model.modalities" if hasattr(model, "modalities") else ""
        raise ModelError(
            f"{type(model).__name__} reads inputs[{name!r}]; got only {', '.join(sorted(inputs))}:"
            f" prepare the corpus with {name} features{leave}"
        )
    if inputs[name].ndim != 3:
        raise ModelError(
            f"inputs[{name!r}] must be [batch, time, feature]; got {inputs[name].shape}"
        )
    return inputs[name]


def windows_of(
    inputs: Inputs, modality: str, most: int, model: nn.Module
) -> tuple[Windows, Mask | None]:
    """The first frame and the one after the last of a dialogue's first sentences.

    Args:
      inputs: with `sentences` [B, S, 6], two columns for each of `MODALITIES`.
      most: sentences that are read at most.
      model: that reads them.

    Returns:
      [B, S', 2], whatever padding holds, and which sentences are real.
    """
    table, mask = require(inputs, "sentences", model), inputs.get("sentences_mask")
    column = 2 * MODALITIES.index(modality)
    return table[:, :most, column : column + 2], None if mask is None else mask[:, :most]
