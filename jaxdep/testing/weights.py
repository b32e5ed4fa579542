"""Weights of a model without compiling its `init`, and its forward compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import flax.linen as nn
import jax
import numpy as np


def draw(model: nn.Module, inputs: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
    """Variables with the shapes of `model.init`, drawn by NumPy much as PyTorch initialises.

    Compiling an `init` takes longer than compiling the forward. Matrices are uniform within
    `1 / sqrt(fan_in)`, biases within 0.3; scales are 1.
    """
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), inputs))
    rng = np.random.default_rng(seed)
    return {
        name: jax.tree_util.tree_map_with_path(lambda path, leaf: _leaf(path, leaf, rng), tree)
        for name, tree in shapes.items()
        if name != "intermediates"
    }


@cache
def program(model: nn.Module) -> Any:
    """`model.apply`, compiled for each shape that it meets; the model's fields must be hashable."""
    return jax.jit(model.apply)


def _leaf(path: Any, leaf: Any, rng: np.random.Generator) -> np.ndarray:
    name = path[-1].key
    if name in ("scale", "var"):
        return np.ones(leaf.shape, leaf.dtype)
    if name == "mean":
        return np.zeros(leaf.shape, leaf.dtype)
    if name == "weight_g":  # about the norm of its drawn direction
        return np.full(leaf.shape, 3**-0.5, leaf.dtype)
    bound = np.prod(leaf.shape[:-1]) ** -0.5 if leaf.ndim > 1 else 0.3
    return rng.uniform(-bound, bound, leaf.shape).astype(leaf.dtype)
