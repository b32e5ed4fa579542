"""LSTM and GRU recurrences over time with a custom backward pass.

Reverse-mode differentiation of a scan accumulates the weight gradient step by step, as L small
outer products. Here, the backward scan only computes the gradients of the gates, and the weight
gradient is one matrix product after it. Both directions of a layer run in one scan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from jaxdep.types import Array

States = Float[Array, "time batch H"]
Hidden = Float[Array, "*batch H"]
Gates = Float[Array, "*batch G"]


class Direction(NamedTuple):
    """Inputs of one direction of a layer; G is 4H in an LSTM and 3H in a GRU.

    Attributes:
      projected: input projections [L, B, G] without bias, in this direction's order of time.
      weight: hidden-to-gates weight [H, G].
      input_bias: bias [G] of the input projections.
      bias: bias [G] of the product of hidden state and weight; the reset gate of a GRU applies
        after it.
      real: [L, B, 1], false where the state is carried over unchanged; None: all frames are real.
    """

    projected: Float[Array, "time batch G"]
    weight: Float[Array, "H G"]
    input_bias: Float[Array, " G"]
    bias: Float[Array, " G"]
    real: Bool[Array, "time batch 1"] | None


class Cell(NamedTuple):
    """Forward and backward step of a cell; `memory` is an LSTM's cell state, None in a GRU.

    Attributes:
      forward: `h, memory, projected, pre -> h, memory, saved`, with `pre = h W + b`.
      backward: `dh, dmemory, saved, memory, h_before, memory_before -> dprojected, dpre, dh,
        dmemory`; the last two are gradients of the previous step's state, to which `dpre W^T` is
        added.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]


def _lstm_forward(h: Hidden, c: Hidden, x: Gates, pre: Gates) -> Any:
    del h
    i, f, g, o = jnp.split(x + pre, 4, axis=-1)
    i, f, o, g = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jax.nn.sigmoid(o), jnp.tanh(g)
    c = f * c + i * g
    return o * jnp.tanh(c), c, (i, f, g, o)


def _lstm_backward(dh: Hidden, dc: Hidden, saved: Any, c: Hidden, h: Hidden, before: Hidden) -> Any:
    del h
    i, f, g, o = saved
    t = jnp.tanh(c)
    dc = dc + dh * o * (1 - t * t)
    gates = (
        dc * g * i * (1 - i),
        dc * before * f * (1 - f),
        dc * i * (1 - g * g),
        dh * t * o * (1 - o),
    )
    dpre = jnp.concatenate(gates, axis=-1)
    return dpre, dpre, jnp.zeros_like(dh), dc * f


def _gru_forward(h: Hidden, unused: None, x: Gates, pre: Gates) -> Any:
    r_x, z_x, n_x = jnp.split(x, 3, axis=-1)
    r_h, z_h, n_h = jnp.split(pre, 3, axis=-1)
    r, z = jax.nn.sigmoid(r_x + r_h), jax.nn.sigmoid(z_x + z_h)
    n = jnp.tanh(n_x + r * n_h)
    return n + z * (h - n), unused, (r, z, n, n_h)


def _gru_backward(
    dh: Hidden, unused: None, saved: Any, memory: None, h: Hidden, before: None
) -> Any:
    del memory, before
    r, z, n, n_h = saved
    dn = dh * (1 - z) * (1 - n * n)
    dr = dn * n_h * r * (1 - r)
    dz = dh * (h - n) * z * (1 - z)
    dx = jnp.concatenate([dr, dz, dn], axis=-1)
    return dx, jnp.concatenate([dr, dz, dn * r], axis=-1), dh * z, unused


LSTM_CELL = Cell(_lstm_forward, _lstm_backward)
GRU_CELL = Cell(_gru_forward, _gru_backward)
_CELLS = {"lstm": LSTM_CELL, "gru": GRU_CELL}


def recurrence(kind: str, directions: tuple[Direction, ...]) -> list[States]:
    """Runs all directions of a layer from zero states.

    Args:
      kind: `lstm` or `gru`.
      directions: inputs of one or two directions.

    Returns:
      The hidden states [L, B, H] of each direction after every step, zero at padding.
    """
    arrays = tuple(direction[:4] for direction in directions)
    reals = tuple(direction.real for direction in directions)
    states = _run(kind, arrays, reals)
    return [
        h if real is None else jnp.where(real, h, 0) for h, real in zip(states, reals, strict=True)
    ]


def reference_recurrence(kind: str, directions: tuple[Direction, ...]) -> list[States]:
    """`recurrence` with JAX's own differentiation; a reference for tests."""
    # Input biases are added before the scan: if they are added inside it, XLA of jaxlib 0.10.2
    # compiles the float64 gradient of a GRU to wrong numbers on a CPU (correct with
    # --xla_backend_optimization_level=0).
    arrays = tuple(
        (d.projected + d.input_bias[None, None], d.weight, jnp.zeros_like(d.bias), d.bias)
        for d in directions
    )
    reals = tuple(direction.real for direction in directions)
    states, _ = _scan_forward(kind, arrays, reals)
    return [
        h if real is None else jnp.where(real, h, 0) for h, real in zip(states, reals, strict=True)
    ]


def _scan_forward(kind: str, arrays: Any, reals: Any) -> tuple[list[States], Any]:
    """Returns the hidden states after every step, and the residuals for the backward scan."""
    forward = _CELLS[kind].forward

    def step(carry: Any, inputs: Any) -> tuple[Any, Any]:
        states, kept = [], []
        for (h, memory), (x, real), array in zip(carry, inputs, arrays, strict=True):
            _, weight, input_bias, bias = array
            # Added here rather than to all frames at once, which would take another pass over them.
            x, pre = x + input_bias[None], h @ weight + bias[None]
            h_new, memory_new, saved = forward(h, memory, x, pre)
            if real is not None:
                h_new, memory_new = _where(real, (h_new, memory_new), (h, memory))
            states.append((h_new, memory_new))
            kept.append((h_new, memory_new, saved))
        return states, kept

    carry = []
    for projected, weight, *_ in arrays:
        dtype = jnp.result_type(projected, weight)
        h = jnp.zeros((projected.shape[1], weight.shape[0]), dtype)
        carry.append((h, h if kind == "lstm" else None))
    inputs = [(array[0], real) for array, real in zip(arrays, reals, strict=True)]
    _, kept = jax.lax.scan(step, carry, inputs)
    return [h for h, _, _ in kept], kept


def _forward(kind: str, arrays: Any, reals: Any) -> tuple[list[States], Any]:
    states, kept = _scan_forward(kind, arrays, reals)
    return states, (arrays, reals, kept)


def _backward(kind: str, residuals: Any, gradients: list[States]) -> tuple[Any, Any]:
    arrays, reals, kept = residuals
    backward = _CELLS[kind].backward
    before = [jax.tree.map(_before, (h, memory)) for h, memory, _ in kept]
    weights = [array[1] for array in arrays]

    def step(carry: Any, inputs: Any) -> tuple[Any, Any]:
        carries, gate_grads = [], []
        zipped = zip(carry, inputs, weights, strict=True)
        for (dh, dmemory), (dout, state_before, memory, saved, real), weight in zipped:
            dh = dh + dout
            dx, dpre, dh_new, dmemory_new = backward(dh, dmemory, saved, memory, *state_before)
            if real is not None:
                dx, dpre = jnp.where(real, dx, 0), jnp.where(real, dpre, 0)
                dh_new, dmemory_new = _where(real, (dh_new, dmemory_new), (dh, dmemory))
            carries.append((dh_new + dpre @ weight.T, dmemory_new))
            gate_grads.append((dx,) if kind == "lstm" else (dx, dpre))
        return carries, gate_grads

    carry = [jax.tree.map(lambda s: jnp.zeros_like(s[0]), (h, memory)) for h, memory, _ in kept]
    inputs = [
        (dout, state_before, memory, saved, real)
        for dout, state_before, (_, memory, saved), real in zip(
            gradients, before, kept, reals, strict=True
        )
    ]
    _, gate_grads = jax.lax.scan(step, carry, inputs, reverse=True)
    results = []
    for gates, (h, _) in zip(gate_grads, before, strict=True):
        dx, dpre = gates[0], gates[-1]
        results.append((dx, jnp.einsum("lbh,lbg->hg", h, dpre), dx.sum((0, 1)), dpre.sum((0, 1))))
    return tuple(results), tuple(None for _ in reals)


def reverse(steps: Array, backward: bool) -> Array:
    """Reverses time, [L, ...], if the direction is `backward`; its own inverse."""
    return jnp.flip(steps, 0) if backward else steps


def _where(real: Array, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda n, o: jnp.where(real, n, o), new, old)


def _before(states: Array) -> Array:
    """States before each step: zero, then all but the last."""
    return jnp.concatenate([jnp.zeros_like(states[:1]), states[:-1]])


_run = jax.custom_vjp(lambda kind, arrays, reals: _scan_forward(kind, arrays, reals)[0], (0,))
_run.defvjp(_forward, _backward)
