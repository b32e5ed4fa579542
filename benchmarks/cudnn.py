"""Compares our LSTM with cuDNN's: forward and backward pass of one bidirectional stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import rnn

from jaxdep.benchmarks import timing
from jaxdep.benchmarks.worker import OURS
from jaxdep.errors import UserError
from jaxdep.models import name_of
from jaxdep.models.spec import Case
from jaxdep.nn.rnn import LSTM

_FACTORS = ((1, 1), (0.125, 1), (8, 1), (1, 0.25), (0.125, 0.25), (1, 4))
"""Factors of batch size and length of the shapes that are timed."""


def compare(case: Case, repeats: int) -> Iterator[tuple[dict[str, int], dict[str, float]]]:
    """Times both sides at several multiples of the batch size and the length of the case.

    Args:
      case: model and input sizes.
      repeats: number of timed repetitions.

    Yields:
      The shape (`batch`, `length`), and the median seconds of each side.

    Raises:
      UserError: there is no GPU, or the model has no such LSTM.
    """
    if jax.default_backend() != "gpu":
        raise UserError(
            "bench cudnn needs a CUDA GPU; on a machine with one, run: pip install 'jaxdep[gpu]'"
        )
    hidden, layers = (getattr(case.model, name, None) for name in ("hidden", "layers"))
    if hidden is None or layers is None:
        raise UserError(
            f"bench cudnn: {name_of(case.model)} has no stack of LSTM layers; set --model jamfn"
        )
    for of_batch, of_length in _FACTORS:
        batch, length = max(int(case.batch * of_batch), 1), max(int(case.length * of_length), 1)
        x = jax.random.normal(jax.random.key(0), (batch, length, hidden))
        sides = {OURS: _ours(x, hidden, layers), "cudnn": _cudnn(x, hidden, layers)}
        yield {"batch": batch, "length": length}, timing.medians(sides, repeats)


def _ours(x: jax.Array, hidden: int, layers: int) -> Callable[[], Any]:
    stack = LSTM(hidden, layers, bidirectional=True)
    params = stack.init(jax.random.key(1), x)
    return _gradient_call(lambda params: stack.apply(params, x), params)


def _cudnn(x: jax.Array, hidden: int, layers: int) -> Callable[[], Any]:
    batch, length, width = x.shape
    weights = rnn.init_lstm_weight(jax.random.key(1), width, hidden, layers, True)
    lengths = jnp.full((batch,), length, jnp.int32)
    zero = jnp.zeros((2 * layers, batch, hidden))
    settings = (lengths, width, hidden, layers, 0.0, True)

    def outputs(weights: Any) -> Any:
        results: Any = rnn.lstm(x, zero, zero, weights, *settings)
        return results[0]

    return _gradient_call(outputs, weights)


def _gradient_call(outputs: Callable[[Any], Any], params: Any) -> Callable[[], Any]:
    gradient = jax.jit(jax.grad(lambda params: jnp.square(outputs(params)).mean()))
    return lambda: jax.block_until_ready(gradient(params))
