"""What a model finds among its inputs."""

from __future__ import annotations

from jaxdep.errors import ModelError
from jaxdep.types import Inputs, Mask, Sequence, Windows

MODALITIES = ("acoustic", "visual", "text")
"""Of a dialogue, in the order of their columns in `sentences`."""


def require(inputs: Inputs, name: str, model: str) -> Sequence:
    """The sequence of that name.

    Raises:
      ModelError: it is not there, or is not [B, L, D].
    """
    if name not in inputs:
        raise ModelError(f"{model} reads inputs[{name!r}]; got only {', '.join(sorted(inputs))}")
    if inputs[name].ndim != 3:
        raise ModelError(
            f"inputs[{name!r}] must be [batch, time, feature]; got {inputs[name].shape}"
        )
    return inputs[name]


def windows_of(inputs: Inputs, modality: str, most: int) -> tuple[Windows, Mask | None]:
    """The first frame and the one after the last of a dialogue's first sentences.

    Args:
      inputs: with `sentences` [B, S, 6], two columns for each of `MODALITIES`.
      most: sentences that are read at most.

    Returns:
      [B, S', 2], whatever padding holds, and which sentences are real.
    """
    table, mask = require(inputs, "sentences", "SMFL"), inputs.get("sentences_mask")
    column = 2 * MODALITIES.index(modality)
    return table[:, :most, column : column + 2], None if mask is None else mask[:, :most]
