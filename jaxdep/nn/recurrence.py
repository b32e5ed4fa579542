"""The recurrences of LSTM and GRU over time, with a backward pass of their own.

Reverse-mode differentiation of a scan adds the weight gradient up step by step, L small outer
products. Here the backward scan only finds the gradients of the gates; the weight gradient is one
matrix product after it. Both directions of a layer advance in one scan, each by its own product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

Steps = Float[Array, "time batch G"]
Hidden = Float[Array, "batch H"]


class Direction(NamedTuple):
    """What one direction of a layer reads; G is 4H in an LSTM, 3H in a GRU.

    Attributes:
      projected: input projections without their bias, in the order of time of this direction.
      weight: [H, G], from hidden state to gates.
      input_bias: [G], of the projections.
      bias: [G], of the product of hidden state and weight; in a GRU the reset gate acts after it.
      real: [L, B, 1], false where the state is carried on unchanged; None: all frames are real.
    """

    projected: Steps
    weight: Float[Array, "H G"]
    input_bias: Float[Array, " G"]
    bias: Float[Array, " G"]
    real: Bool[Array, "time batch 1"] | None


class Cell(NamedTuple):
    """One step forward and one step back; `memory` is an LSTM's cell state, and None in a GRU.

    Attributes:
      forward: `(h, memory), projected, pre -> (h, memory), saved`, with `pre = h W + b`.
      backward: `dh, dmemory, saved, memory, h_before, memory_before -> dprojected, dpre, dh,
        dmemory`; the last two are what reaches the step before, beside `dpre W^T`.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]


def _lstm_forward(h: Hidden, c: Hidden, x: Hidden, pre: Hidden) -> Any:
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


def _gru_forward(h: Hidden, unused: None, x: Hidden, pre: Hidden) -> Any:
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


def recurrence(kind: str, directions: tuple[Direction, ...]) -> list[Steps]:
    """Runs all directions of a layer from zero states.

    Args:
      kind: `lstm` or `gru`.
      directions: one or two.

    Returns:
      For each the hidden states [L, B, H] after every step, zero where a frame is not real.
    """
    arrays = tuple(direction[:4] for direction in directions)
    reals = tuple(direction.real for direction in directions)
    states = _run(kind, arrays, reals)
    return [
        h if real is None else jnp.where(real, h, 0) for h, real in zip(states, reals, strict=True)
    ]


def plain(kind: str, directions: tuple[Direction, ...]) -> list[Steps]:
    """`recurrence` as JAX itself differentiates it: the reference of the tests."""
    # Input biases join ahead of the scan: inside it, XLA 0.10.2 compiles the float64 derivative of
    # a GRU to wrong numbers on a CPU (right ones with --xla_backend_optimization_level=0).
    arrays = tuple(
        (d.projected + d.input_bias[None, None], d.weight, jnp.zeros_like(d.bias), d.bias)
        for d in directions
    )
    reals = tuple(direction.real for direction in directions)
    states, _ = _scan_forward(kind, arrays, reals)
    return [
        h if real is None else jnp.where(real, h, 0) for h, real in zip(states, reals, strict=True)
    ]


def _scan_forward(kind: str, arrays: Any, reals: Any) -> tuple[list[Steps], Any]:
    """Hidden states after every step, and what the backward scan needs."""
    forward = _CELLS[kind].forward

    def step(carry: Any, inputs: Any) -> tuple[Any, Any]:
        news, kept = [], []
        for (h, memory), (x, real), own in zip(carry, inputs, arrays, strict=True):
            _, weight, input_bias, bias = own
            # Added here and not to all frames at once: that would be one more pass over them.
            x, pre = x + input_bias[None], h @ weight + bias[None]
            h_new, memory_new, saved = forward(h, memory, x, pre)
            if real is not None:
                h_new, memory_new = _where(real, (h_new, memory_new), (h, memory))
            news.append((h_new, memory_new))
            kept.append((h_new, memory_new, saved))
        return news, kept

    carry = []
    for projected, weight, *_ in arrays:
        dtype = jnp.result_type(projected, weight)
        h = jnp.zeros((projected.shape[1], weight.shape[0]), dtype)
        carry.append((h, h if kind == "lstm" else None))
    inputs = [(array[0], real) for array, real in zip(arrays, reals, strict=True)]
    _, kept = jax.lax.scan(step, carry, inputs)
    return [h for h, _, _ in kept], kept


def _forward(kind: str, arrays: Any, reals: Any) -> tuple[list[Steps], Any]:
    states, kept = _scan_forward(kind, arrays, reals)
    return states, (arrays, reals, kept)


def _backward(kind: str, residuals: Any, gradients: list[Steps]) -> tuple[Any, Any]:
    arrays, reals, kept = residuals
    backward = _CELLS[kind].backward
    before = [jax.tree.map(_before, (h, memory)) for h, memory, _ in kept]
    weights = [own[1] for own in arrays]

    def step(carry: Any, inputs: Any) -> tuple[Any, Any]:
        news, found = [], []
        zipped = zip(carry, inputs, weights, strict=True)
        for (dh, dmemory), (dout, earlier, memory, saved, real), weight in zipped:
            dh = dh + dout
            dx, dpre, dh_new, dmemory_new = backward(dh, dmemory, saved, memory, *earlier)
            if real is not None:
                dx, dpre = jnp.where(real, dx, 0), jnp.where(real, dpre, 0)
                dh_new, dmemory_new = _where(real, (dh_new, dmemory_new), (dh, dmemory))
            news.append((dh_new + dpre @ weight.T, dmemory_new))
            found.append((dx,) if kind == "lstm" else (dx, dpre))
        return news, found

    carry = [jax.tree.map(lambda s: jnp.zeros_like(s[0]), (h, memory)) for h, memory, _ in kept]
    inputs = [
        (dout, earlier, memory, saved, real)
        for dout, earlier, (_, memory, saved), real in zip(
            gradients, before, kept, reals, strict=True
        )
    ]
    _, found = jax.lax.scan(step, carry, inputs, reverse=True)
    results = []
    for gates, (h, _) in zip(found, before, strict=True):
        dx, dpre = gates[0], gates[-1]
        results.append((dx, jnp.einsum("lbh,lbg->hg", h, dpre), dx.sum((0, 1)), dpre.sum((0, 1))))
    return tuple(results), tuple(None for _ in reals)


def turn(steps: Array, backward: bool) -> Array:
    """Frames [L, ...] in the order of a direction, and back."""
    return jnp.flip(steps, 0) if backward else steps


def _where(real: Array, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda n, o: jnp.where(real, n, o), new, old)


def _before(states: Array) -> Array:
    """The state ahead of each step: zero, then all but the last."""
    return jnp.concatenate([jnp.zeros_like(states[:1]), states[:-1]])


_run = jax.custom_vjp(lambda kind, arrays, reals: _scan_forward(kind, arrays, reals)[0], (0,))
_run.defvjp(_forward, _backward)
