"""Array types, and the dataclass field of settings that compiled programs take as data."""

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import Bool, Float, Int, Key, Num

# As in `jax.numpy`, a NumPy array may stand for an array of JAX, whose methods it lacks in part.
if TYPE_CHECKING:
    from jax import Array
else:
    Array = jax.Array | np.ndarray

Number = float | np.floating | Array
"""A number, possibly traced."""

Sequence = Float[Array, "batch time feature"]
"""Sequence of one modality; the time axis holds frames or tokens."""

Frames = Num[Array, "batch time feature"]
"""As `Sequence`, of any numeric type: images are stored as bytes, tables as integers."""

Encoding = Float[Array, "batch time hidden"]
"""As `Sequence`; its number of features may differ from that of the sequence it is made of."""

Resampled = Float[Array, "batch step feature"]
"""As `Sequence`; its number of steps may differ from that of the sequence it is made of."""

Vector = Float[Array, "batch feature"]
"""One vector per example."""

Mask = Bool[Array, "batch time"]
"""True where a frame is real, false where it is padding; real frames come first."""

Windows = Int[Array, "batch sentence 2"]
"""First frame of each sentence and the frame after its last one."""

SentenceMask = Bool[Array, "batch sentence"]
"""True where a sentence is real."""

Scores = Float[Array, "batch time"]
"""One number per frame, such as attention scores or weights."""

PerExample = Float[Array, "batch"]
"""One number per example, such as a loss or a predicted score."""

Logits = Float[Array, "batch class"]

PRNGKey = Key[Array, ""]

Inputs = Mapping[str, Array]
"""Inputs of a model: `{"acoustic": Sequence, "acoustic_mask": Mask, "color": Vector, ...}`."""

Outputs = Mapping[str, Array]
"""Outputs of a model by task: `Logits`, or `PerExample` scores of a regression."""


def traceable(default: Any) -> Any:
    """A dataclass field whose numeric value a compiled program may take as data.

    Runs that differ only in such fields are trained by one program. Use it for values that only
    enter arithmetic, not for values that determine a shape or a Python branch. To switch a feature
    off, set the field to `None`, which compiles another program; 0 is treated as any other number.
    """
    return field(default=default, metadata={"traceable": True})
