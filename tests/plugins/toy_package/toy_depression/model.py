"""Averages over time, and one linear layer."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.models.inputs import require
from jaxdep.nn import masking
from jaxdep.nn.linear import Linear
from jaxdep.types import Inputs, Outputs


class Toy(nn.Module):
    """Depression from the average of voice and face; `hidden` features between."""

    hidden: int = 8

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> Outputs:
        """Returns `{"depression": [B, 2]}`, logits."""
        means = []
        for name in ("acoustic", "visual"):
            x, mask = require(inputs, name, self), inputs.get(f"{name}_mask")
            means.append(masking.masked_mean(masking.zero_padding(x, mask), mask))
        hidden = nn.relu(Linear(self.hidden, name="fc")(jnp.concatenate(means, -1)))
        return {"depression": Linear(2, name="head")(hidden)}
