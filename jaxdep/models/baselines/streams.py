"""Modalities of the baseline networks: their names, and the lookup of their inputs."""

from __future__ import annotations

from collections import abc
from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Bool

from jaxdep.errors import ModelError
from jaxdep.models.inputs import require
from jaxdep.nn import masking
from jaxdep.settings.kinds import Pattern
from jaxdep.types import Array, Frames, Inputs, Mask, Sequence

_NAMES = Pattern(r"\w+", "letters, digits and '_'")

Modality = Annotated[str, _NAMES]
"""Name of a modality, which is also the name of its input."""


def check_names(modalities: abc.Sequence[str], reserved: abc.Collection[str] = ()) -> None:
    """Checks the field `modalities` of a model that accepts modalities of any name.

    Args:
      modalities: names of the modalities.
      reserved: names that the model needs for itself.

    Raises:
      ModelError: there are no modalities, one is repeated, or a name is reserved or has other
        characters than letters, digits and '_', such as the dot of a parameter's path.
    """
    if not modalities or len(set(modalities)) < len(modalities):
        raise ModelError(
            f"modalities must be one or more names without repetition; got {modalities}"
        )
    for name in modalities:
        if not _NAMES.matches(name) or name in reserved:
            but = f" other than {', '.join(map(repr, reserved))}" if reserved else ""
            raise ModelError(f"a modality must be a name of {_NAMES.text}{but}; got {name!r}")


def frames(inputs: Inputs, name: str, model: nn.Module) -> tuple[Sequence, Mask | None]:
    """Looks up a modality's frames, zero at padding, and their mask.

    Args:
      inputs: `name`, either a sequence [B, T, D] with an optional mask `<name>_mask` [B, T], or a
        vector [B, D], which is a sequence of one real frame. uint8 values are divided by 255.
      name: name of the modality.
      model: model that requires the input, within its `__call__`.

    Returns:
      Frames [B, T, D], and their mask; None if all frames are real.

    Raises:
      ModelError: the input is missing, or is neither a sequence nor a vector, or has another type
        than uint8 or floating point.
    """
    x, mask = inputs.get(name), inputs.get(f"{name}_mask")
    if x is not None and x.ndim == 2:
        x, mask = x[:, None], None
    elif x is not None and x.ndim != 3:
        raise ModelError(
            f"inputs[{name!r}] must be [batch, time, feature] or [batch, feature]; got shape"
            f" {x.shape}"
        )
    else:
        x = require(inputs, name, model)
    if x.dtype == jnp.uint8:
        x = jnp.asarray(x, _float_type(model)) / 255
    elif not jnp.issubdtype(x.dtype, jnp.floating):
        raise ModelError(f"inputs[{name!r}] must be floating point or uint8; got {x.dtype}")
    return masking.zero_padding(x, mask), mask


def present(x: Frames, mask: Mask | None) -> Bool[Array, " batch"]:
    """Whether a recording has a real frame of a modality, [B]."""
    return jnp.ones(x.shape[0], bool) if mask is None else mask.any(1)


def _float_type(model: nn.Module) -> jnp.dtype:
    """Type of a model's parameters; float32 while they are being initialised."""
    leaves = jax.tree.leaves(model.variables.get("params", {}))
    return jnp.dtype(leaves[0].dtype if leaves else jnp.float32)
