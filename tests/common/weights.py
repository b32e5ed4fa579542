"""Weights of a model without compiling its `init`, and its forward compiled once."""

from functools import cache

import jax
import numpy as np


def draw(model, inputs, seed=0):
    """Variables with the shapes of `model.init`, drawn as PyTorch draws its own."""
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), inputs))
    shapes = {name: tree for name, tree in shapes.items() if name != "intermediates"}
    rng = np.random.default_rng(seed)
    return {
        name: jax.tree_util.tree_map_with_path(lambda path, leaf: _leaf(path, leaf, rng), tree)
        for name, tree in shapes.items()
    }


@cache
def program(model):
    """`model.apply`, compiled for each shape that it meets."""
    return jax.jit(model.apply)


def _leaf(path, leaf, rng):
    name = path[-1].key
    if name in ("scale", "var"):
        return np.ones(leaf.shape, leaf.dtype)
    if name == "mean":
        return np.zeros(leaf.shape, leaf.dtype)
    if name == "weight_g":  # about the norm of its drawn direction
        return np.full(leaf.shape, 3**-0.5, leaf.dtype)
    bound = np.prod(leaf.shape[:-1]) ** -0.5 if leaf.ndim > 1 else 0.3
    return rng.uniform(-bound, bound, leaf.shape).astype(leaf.dtype)
