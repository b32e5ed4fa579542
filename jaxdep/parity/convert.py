"""Conversion of weights between PyTorch and Flax.

Flax modules have the names of the PyTorch checkpoint, dots included, so that only leaves differ:
linear and convolution kernels are transposed, `scale` is `weight`, and `mean` is `running_mean`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from jaxdep.models import SPECS, ModelSpec, name_of

_IGNORED = ("num_batches_tracked", "position_embedding.pe")

_RENAMED = {
    "kernel": "weight",
    "scale": "weight",
    "mean": "running_mean",
    "var": "running_var",
}


def to_torch(model: nn.Module, variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Converts Flax variables to the state of the corresponding PyTorch module.

    Args:
      model: Flax model whose modules have the names of the PyTorch module.
      variables: Flax variables, `{"params": ..., "batch_stats": ...}`.

    Returns:
      Arrays by PyTorch name; apply `torch.as_tensor` to each for a `state_dict`.
    """
    del model  # the variables contain all names; the argument mirrors `from_torch`
    return {name: _converted(leaf, np.asarray(value)) for name, leaf, value in _leaves(variables)}


def from_torch(model: nn.Module, state: Mapping[str, Any], inputs: Any = None) -> dict[str, Any]:
    """Converts the state of a PyTorch module to Flax variables.

    Args:
      model: Flax model with the module names and the configuration of the PyTorch module. It need
        not be registered.
      state: `state_dict()` with tensors or arrays. Weights that a published network stores but
        never uses are left out, with one warning that lists them.
      inputs: example inputs of `model.init`, which determine the input widths and lengths; None:
        inferred from the state, which only registered models support.

    Returns:
      `{"params": ...}`, with `"batch_stats"` if the model has any.

    Raises:
      ValueError: the state does not match the model; the message lists every entry that is missing
        (-), unexpected (+) or of another shape (!). Also if the model is not registered and
        `inputs` is None.
    """
    state = {name: _array(value) for name, value in state.items() if not name.endswith(_IGNORED)}
    state = _used_entries(model, state)
    inputs = inputs if inputs is not None else _inputs_of_state(model, state)
    expected = jax.eval_shape(lambda key: model.init(key, inputs), jax.random.key(0))
    expected = {name: tree for name, tree in expected.items() if name != "intermediates"}
    leaves = list(_leaves(expected))
    problems = [f"- {name} is missing" for name, _, _ in leaves if name not in state]
    known = {name for name, _, _ in leaves}
    problems += [f"+ {name} is unexpected" for name in state if name not in known]
    for name, leaf, value in leaves:
        shape = value.shape[::-1] if _is_transposed(leaf, value.ndim) else value.shape
        if name in state and state[name].shape != shape:
            problems.append(f"! {name} has shape {state[name].shape}, expected {shape}")
    if problems:
        raise ValueError(
            f"the state does not match {type(model).__name__}; check the model's fields:\n"
            + "\n".join(problems)
        )
    converted = [_converted(leaf, state[name]) for name, leaf, _ in leaves]
    return jax.tree.unflatten(jax.tree.structure(expected), converted)


def _spec(model: nn.Module) -> ModelSpec | None:
    """Spec of a registered model; None for any other model."""
    name = name_of(model)
    return SPECS[name] if name else None


def _inputs_of_state(model: nn.Module, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Zero inputs with the widths and lengths that the state implies.

    Raises:
      ValueError: an entry that determines a width or length is missing or not a matrix, or the
        model is not registered.
    """
    spec = _spec(model)
    if spec is None:
        raise ValueError(
            f"{type(model).__name__} is not registered, so its input widths cannot be inferred:"
            " pass inputs= for this model"
        )
    try:
        return spec.inputs_of_state(model, state)
    except KeyError as missing:
        raise ValueError(
            f"the state does not match {type(model).__name__}; check the model's fields:\n"
            f"- {missing.args[0]} is missing"
        ) from None


def _used_entries(model: nn.Module, state: Mapping[str, Any]) -> dict[str, Any]:
    """The state without the weights that the published network never uses."""
    spec = _spec(model)
    unused = [name for name in state if spec and re.fullmatch(spec.unused_weights, name)]
    if unused:
        warnings.warn(
            f"{len(unused)} entries of the state are unused by the network and were left out:"
            f" {', '.join(unused)}",
            stacklevel=3,
        )
    return {name: value for name, value in state.items() if name not in unused}


def _leaves(variables: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """PyTorch name, Flax leaf name and value of each variable, in the tree's order."""
    leaves = []
    for path, value in jax.tree_util.tree_leaves_with_path(dict(variables)):
        *modules, leaf = (str(key.key) for key in path[1:])
        leaves.append((".".join([*modules, _RENAMED.get(leaf, leaf)]), leaf, value))
    return leaves


def _array(value: Any) -> np.ndarray:
    """Converts an array, or a tensor on any device and with or without gradient, to NumPy."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _converted(leaf: str, value: np.ndarray) -> np.ndarray:
    """Copies and, if needed, transposes a value; a copy, so that the two sides share no memory."""
    return np.array(value.T if _is_transposed(leaf, value.ndim) else value, order="C")


def _is_transposed(leaf: str, ndim: int) -> bool:
    """Whether PyTorch stores a leaf transposed: [O, I] and [O, I, K] for [I, O] and [K, I, O]."""
    return ndim > 1 and (leaf == "kernel" or leaf.startswith(("weight_", "in_proj_weight")))
