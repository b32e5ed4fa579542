"""Lookup and validation of a model's inputs."""

from __future__ import annotations

from collections import abc

import flax.linen as nn

from jaxdep.errors import ModelError
from jaxdep.types import Frames, Inputs, SentenceMask, Windows

MODALITIES = ("acoustic", "visual", "text")
"""Modalities of a dialogue in the order of their columns in `sentences`."""


def check_modalities(named: abc.Sequence[str], known: abc.Sequence[str]) -> None:
    """Checks the field `modalities` of a model.

    Args:
      named: modalities of the model.
      known: modalities that the model supports.

    Raises:
      ModelError: there are no modalities, or one is unknown or repeated.
    """
    if not named or set(named) - set(known) or len(set(named)) < len(named):
        raise ModelError(
            f"modalities must be one or more of {', '.join(known)} without repetition; got {named}"
        )


def require(inputs: Inputs, name: str, model: nn.Module) -> Frames:
    """Returns the input sequence `name` of a model.

    Raises:
      ModelError: the input is missing or not of shape [B, L, D].
    """
    if name not in inputs:
        hint = f", or remove {name} from model.modalities" if hasattr(model, "modalities") else ""
        raise ModelError(
            f"{type(model).__name__} requires inputs[{name!r}]; got {', '.join(sorted(inputs))}:"
            f" prepare the corpus with {name} features{hint}"
        )
    if inputs[name].ndim != 3:
        raise ModelError(
            f"inputs[{name!r}] must be [batch, time, feature]; got shape {inputs[name].shape}"
        )
    return inputs[name]


def windows_of(
    inputs: Inputs, modality: str, max_sentences: int, model: nn.Module
) -> tuple[Windows, SentenceMask | None]:
    """Returns the frame windows of a dialogue's first sentences.

    Args:
      inputs: inputs with `sentences` [B, S, 6], two columns for each of `MODALITIES`.
      modality: modality of the frames.
      max_sentences: maximum number of sentences.
      model: model that requires the input, for error messages.

    Returns:
      First frame of each sentence and frame after its last, [B, S', 2], unmasked, and the mask of
      the sentences.
    """
    table, mask = require(inputs, "sentences", model), inputs.get("sentences_mask")
    column = 2 * MODALITIES.index(modality)
    return table[:, :max_sentences, column : column + 2], None if mask is None else mask[
        :, :max_sentences
    ]
