"""Weights from PyTorch and back, by rules on the last part of a name.

Flax modules bear the names that a PyTorch checkpoint has, dots included, so that only leaves
differ: dense and convolution kernels are transposed, `scale` is `weight`, `mean` is
`running_mean`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from jaxdep.models import DEPFormer, DEPFormerReleased
from jaxdep.parity.shapes import inputs_of_state

_IGNORED = ("num_batches_tracked", "position_embedding.pe")
_INFORMER = r"projection\..+|.+\.time_embedding\..+|encoder\.en_fv\..+|.+\.stacks\..+\.alpha\..+"
_DEAD = {DEPFormer: _INFORMER, DEPFormerReleased: _INFORMER}
"""Names of weights that a published network holds and never reads, as patterns."""

_RENAMED = {
    "kernel": "weight",
    "scale": "weight",
    "mean": "running_mean",
    "var": "running_var",
}


def to_torch(model: nn.Module, variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The state of a PyTorch module with the same weights.

    Args:
      model: a model of `jaxdep.models`.
      variables: `{"params": ..., "batch_stats": ...}`.

    Returns:
      Arrays by PyTorch's names; `torch.as_tensor` makes them a `state_dict`.
    """
    del model  # names are in the variables; the argument mirrors `from_torch`
    return {name: _turned(leaf, np.asarray(value)) for name, leaf, value in _named(variables)}


def from_torch(
    model: nn.Module, state: Mapping[str, Any], inputs: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The Flax variables of a PyTorch module's state.

    Args:
      model: of the same configuration.
      state: `state_dict()`, tensors or arrays. Weights of a published network that it never reads
        are left out, and one warning names them.
      inputs: example inputs, for the widths and lengths that the model takes from them; None: they
        are read off the state.

    Returns:
      `{"params": ...}`, and `"batch_stats"` where there are any.

    Raises:
      ValueError: names every entry that is missing (-), surplus (+) or of another shape (!).
    """
    state = {name: _array(value) for name, value in state.items() if not name.endswith(_IGNORED)}
    state = _living(model, state)
    inputs = inputs if inputs is not None else inputs_of_state(model, state)
    expected = jax.eval_shape(lambda key: model.init(key, inputs), jax.random.key(0))
    expected = {name: tree for name, tree in expected.items() if name != "intermediates"}
    leaves = list(_named(expected))
    problems = [f"- {name} is missing" for name, _, _ in leaves if name not in state]
    wanted = {name for name, _, _ in leaves}
    problems += [f"+ {name} is not of this model" for name in state if name not in wanted]
    for name, leaf, value in leaves:
        shape = value.shape[::-1] if _is_turned(leaf, value.ndim) else value.shape
        if name in state and state[name].shape != shape:
            problems.append(f"! {name} has shape {state[name].shape}, expected {shape}")
    if problems:
        raise ValueError(f"the state does not fit {type(model).__name__}:\n" + "\n".join(problems))
    turned = [_turned(leaf, state[name]) for name, leaf, _ in leaves]
    return jax.tree.unflatten(jax.tree.structure(expected), turned)


def _living(model: nn.Module, state: Mapping[str, Any]) -> dict[str, Any]:
    """The state without what the published network never reads."""
    dead = [name for name in state if re.fullmatch(_DEAD.get(type(model), "(?!)"), name)]
    if dead:
        warnings.warn(
            f"{len(dead)} entries of the state take part in nothing and were left out:"
            f" {', '.join(dead)}",
            stacklevel=3,
        )
    return {name: value for name, value in state.items() if name not in dead}


def _named(variables: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """PyTorch's name, the Flax leaf's name, and the value, in the order of the tree's leaves."""
    found = []
    for path, value in jax.tree_util.tree_leaves_with_path(dict(variables)):
        *modules, leaf = (key.key for key in path[1:])
        found.append((".".join([*modules, _RENAMED.get(leaf, leaf)]), leaf, value))
    return found


def _array(value: Any) -> np.ndarray:
    """Of an array or a tensor, on whatever device and with or without a gradient."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _turned(leaf: str, value: np.ndarray) -> np.ndarray:
    """A copy, so that later steps of the one side do not move the other's weights."""
    return np.array(value.T if _is_turned(leaf, value.ndim) else value, order="C")


def _is_turned(leaf: str, ndim: int) -> bool:
    """PyTorch has outputs first: [O, I] and [O, I, K] where Flax has [I, O] and [K, I, O]."""
    return ndim > 1 and (leaf == "kernel" or leaf.startswith(("weight_", "in_proj_weight")))
