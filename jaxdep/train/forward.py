"""Applies a model in the experiment's compute precision."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxdep.experiment import Experiment


def forward(experiment: Experiment, variables: Any, inputs: Any, **kwargs: Any) -> Any:
    """Calls `model.apply` with parameters and inputs cast to `training.compute`.

    The parameters themselves, their gradients and the optimizer state keep their dtype, and so do
    batch statistics, whose small updates bfloat16 would lose.

    Args:
      experiment: experiment whose model is applied.
      variables: model variables.
      inputs: model inputs.
      **kwargs: passed on to `model.apply`.

    Returns:
      The result of `model.apply`, with reduced-precision outputs cast back to float32.
    """
    if experiment.training.compute == "float32":
        return experiment.model.apply(variables, inputs, **kwargs)
    rounded = {**variables, "params": _cast(variables["params"], jnp.bfloat16)}
    result = experiment.model.apply(rounded, _cast(inputs, jnp.bfloat16), **kwargs)
    if "mutable" in kwargs:
        outputs, updates = result
        return _cast(outputs, jnp.float32), _cast(updates, jnp.float32)
    return _cast(result, jnp.float32)


def _cast(tree: Any, dtype: Any) -> Any:
    floating = lambda leaf: jnp.issubdtype(leaf.dtype, jnp.floating)
    return jax.tree.map(lambda x: x.astype(dtype) if floating(x) else x, tree)
