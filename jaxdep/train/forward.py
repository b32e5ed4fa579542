"""A model applied in the number format that the experiment computes in."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxdep.experiment import Experiment


def forward(experiment: Experiment, variables: Any, inputs: Any, **how: Any) -> Any:
    """`model.apply`, with parameters and inputs rounded to `training.compute`.

    The parameters themselves, their gradients and the optimiser's moments stay as they are; so do
    batch statistics, whose small updates bfloat16 would lose.

    Args:
      how: as the rest of `model.apply`.

    Returns:
      As `model.apply`; outputs of reduced precision come back as float32.
    """
    if experiment.training.compute == "float32":
        return experiment.model.apply(variables, inputs, **how)
    rounded = {**variables, "params": _cast(variables["params"], jnp.bfloat16)}
    result = experiment.model.apply(rounded, _cast(inputs, jnp.bfloat16), **how)
    if "mutable" in how:
        outputs, changed = result
        return _cast(outputs, jnp.float32), _cast(changed, jnp.float32)
    return _cast(result, jnp.float32)


def _cast(tree: Any, dtype: Any) -> Any:
    floating = lambda leaf: jnp.issubdtype(leaf.dtype, jnp.floating)
    return jax.tree.map(lambda x: x.astype(dtype) if floating(x) else x, tree)
