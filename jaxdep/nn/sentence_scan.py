"""LSTM over windows of recordings, which takes as many steps as the longest window has frames.

All windows run at once, in chunks of steps. Only the states at the beginnings of the chunks are
kept for the backward pass, which computes each chunk again. So neither time nor memory grows with
windows times length of the recording.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from jaxdep.nn.rnn_scan import LSTM_CELL
from jaxdep.types import Array, Windows

CHUNK = 256
"""Number of steps whose intermediate results are held at once."""

Projected = Float[Array, "batch time G"]
Offsets = Int[Array, "batch sentence"]
States = Float[Array, "batch sentence H"]
Rows = Float[Array, "batch sentence chunk G"]


class Recurrent(NamedTuple):
    """Weights of an LSTM without those of its inputs; G is 4H.

    Attributes:
      weight: hidden-to-gates weight [H, G].
      bias: sum of both biases [G].
    """

    weight: Float[Array, "H G"]
    bias: Float[Array, " G"]


class Encoded(NamedTuple):
    """States of the LSTM in each window.

    Attributes:
      h: hidden state [B, S, H] after the last frame; zero for empty windows.
      c: cell state [B, S, H] after the last frame.
      total: sum of the hidden states over the frames [B, S, H].
    """

    h: States
    c: States
    total: States


@jax.custom_vjp
def encode(weights: Recurrent, projected: Projected, windows: Windows) -> Encoded:
    """Runs an LSTM over each window from a zero state.

    Args:
      weights: weights of the recurrence.
      projected: input projections of the frames [B, L, G], without bias.
      windows: first frame and frame after the last, [B, S, 2], within the recording; they may
        overlap or be empty.
    """
    return _forward(weights, projected, windows)[0]


def _forward(weights: Recurrent, projected: Projected, windows: Windows) -> tuple[Encoded, Any]:
    size, padded = _padded(projected)
    zeros = jnp.zeros((*windows.shape[:2], weights.weight.shape[0]), projected.dtype)
    start = Encoded(zeros, zeros, zeros)
    kept = jax.tree.map(lambda x: jnp.zeros((padded.shape[1] // size, *x.shape), x.dtype), start)

    def one(number: Array, carry: tuple[Encoded, Encoded]) -> tuple[Encoded, Encoded]:
        states, kept = carry
        kept = jax.tree.map(lambda x, now: x.at[number].set(now), kept, states)
        rows = _rows(padded, windows, number, size)
        return _run(states, weights, rows, windows, number)[0], kept

    states, kept = jax.lax.fori_loop(0, _chunks(windows, size), one, (start, kept))
    return states, (weights, projected, windows, kept)


def _backward(residuals: Any, gradient: Encoded) -> tuple[Recurrent, Array, None]:
    weights, projected, windows, kept = residuals
    size, padded = _padded(projected)
    chunks = _chunks(windows, size)

    def one(done: Array, carry: Any) -> Any:
        gradient, of_weights, of_frames = carry
        number = chunks - 1 - done
        before = jax.tree.map(lambda x: x[number], kept)
        rows = _rows(padded, windows, number, size)
        gradient, more, of_rows = _pull(gradient, before, weights, rows, windows, number)
        of_frames = jax.vmap(_add_rows)(of_frames, _offsets(windows, number, size), of_rows)
        return gradient, jax.tree.map(jnp.add, of_weights, more), of_frames

    zeros = jax.tree.map(jnp.zeros_like, (weights, padded))
    _, of_weights, of_frames = jax.lax.fori_loop(0, chunks, one, (gradient, *zeros))
    return of_weights, of_frames[:, : projected.shape[1]], None


encode.defvjp(_forward, _backward)


def _padded(projected: Projected) -> tuple[int, Float[Array, "batch padded G"]]:
    """Number of steps of a chunk, and the frames, padded so that no chunk ends beyond them."""
    length = projected.shape[1]
    size = max(min(CHUNK, length), 1)
    beyond = size + -length % size
    return size, jnp.pad(projected, ((0, 0), (0, beyond), (0, 0)))


def _offsets(windows: Windows, number: Array, size: int) -> Offsets:
    """First frame of a chunk of each window."""
    return windows[..., 0] + number * size


def _rows(
    padded: Float[Array, "batch padded G"], windows: Windows, number: Array, size: int
) -> Rows:
    """Frames of a chunk of each window."""
    cut = lambda frames, offset: jax.lax.dynamic_slice_in_dim(frames, offset, size)
    each = jax.vmap(jax.vmap(cut, (None, 0)))
    return each(padded, _offsets(windows, number, size))


def _add_rows(
    frames: Float[Array, "time G"],
    offsets: Int[Array, " sentence"],
    rows: Float[Array, "sentence chunk G"],
) -> Float[Array, "time G"]:
    """Adds chunks to the frames of a recording that they were cut from."""

    def add(frames: Array, offset_and_rows: tuple[Array, Array]) -> tuple[Array, None]:
        offset, rows = offset_and_rows
        now = jax.lax.dynamic_slice_in_dim(frames, offset, len(rows))
        return jax.lax.dynamic_update_slice_in_dim(frames, now + rows, offset, 0), None

    return jax.lax.scan(add, frames, (offsets, rows))[0]


def _run(
    states: Encoded, weights: Recurrent, rows: Rows, windows: Windows, number: Array
) -> tuple[Encoded, Any]:
    """Runs a chunk of steps, numbered from 0, in all windows.

    Returns:
      The states after it, and what the backward pass needs of each step.
    """

    def step(states: Encoded, inputs: tuple[Array, Array]) -> tuple[Encoded, Any]:
        x, real = inputs
        pre = states.h @ weights.weight + weights.bias[None, None]
        h, c, gates = LSTM_CELL.forward(states.h, states.c, x, pre)
        new = _where(real, Encoded(h, c, states.total + h), states)
        return new, (states.h, states.c, c, gates, real)

    real = _real(windows, number, rows.shape[2])
    return jax.lax.scan(step, states, (jnp.moveaxis(rows, 2, 0), real))


def _pull(
    gradient: Encoded,
    before: Encoded,
    weights: Recurrent,
    rows: Rows,
    windows: Windows,
    number: Array,
) -> tuple[Encoded, Recurrent, Rows]:
    """Gradients of the states before a chunk, of the weights and of the chunk's frames."""
    _, saved = _run(before, weights, rows, windows, number)

    def step(gradient: Encoded, saved: Any) -> tuple[Encoded, Array]:
        h_before, c_before, c, gates, real = saved
        dh = gradient.h + gradient.total
        _, dpre, _, dc = LSTM_CELL.backward(dh, gradient.c, gates, c, h_before, c_before)
        new = gradient._replace(h=dpre @ weights.weight.T, c=dc)
        return _where(real, new, gradient), jnp.where(real[..., None], dpre, 0)

    gradient, dpre = jax.lax.scan(step, gradient, saved, reverse=True)
    of_weight = jnp.einsum("lbsh,lbsg->hg", saved[0], dpre)
    return gradient, Recurrent(of_weight, dpre.sum((0, 1, 2))), jnp.moveaxis(dpre, 0, 2)


def _real(windows: Windows, number: Array, size: int) -> Bool[Array, "chunk batch sentence"]:
    """Which steps of a chunk are within their windows."""
    left = windows[..., 1] - _offsets(windows, number, size)
    return jnp.arange(size)[:, None, None] < left[None]


def _where(real: Bool[Array, "batch sentence"], new: Encoded, old: Encoded) -> Encoded:
    return jax.tree.map(lambda new, old: jnp.where(real[..., None], new, old), new, old)


def _chunks(windows: Windows, size: int) -> Int[Array, ""]:
    """Number of chunks of the longest window."""
    return -(-_longest(windows) // size)


@jax.custom_batching.custom_vmap
def _longest(windows: Int[Array, "*all 2"]) -> Int[Array, ""]:
    return (windows[..., 1] - windows[..., 0]).max(initial=0)


@_longest.def_vmap
def _longest_of_all(size: int, batched: Any, windows: Any) -> tuple[Array, bool]:
    """Vectorised runs take equally many steps.

    With a number of its own each, every step would choose between whole arrays.
    """
    del size, batched
    return _longest(windows), False
