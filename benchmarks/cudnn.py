"""Our LSTM beside cuDNN's at a model's size: one bidirectional stack, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import rnn

from jaxdep.benchmarks import timing
from jaxdep.benchmarks.worker import OURS
from jaxdep.errors import UserError
from jaxdep.nn.recurrent import LSTM
from jaxdep.parity.cases import Case


def compare(case: Case, repeats: int) -> Iterator[tuple[int, dict[str, float]]]:
    """The case's batch, then an eighth and eight times of it, with the seconds of each side.

    Raises:
      UserError: there is no GPU, or the model has no LSTM of that form.
    """
    if jax.default_backend() != "gpu":
        raise UserError(
            "bench cudnn needs a CUDA GPU: pip install 'jaxdep[gpu]' on a machine with one"
        )
    fields = {name: getattr(case.model, name, None) for name in ("hidden", "layers")}
    if None in fields.values():
        raise UserError(f"bench cudnn: {case.name} has no stack of LSTM layers; take jamfn")
    for batch in (case.batch, max(case.batch // 8, 1), 8 * case.batch):
        x = jax.random.normal(jax.random.key(0), (batch, case.length, fields["hidden"]))
        sides = {OURS: _ours(x, **fields), "cudnn": _cudnn(x, **fields)}
        yield batch, timing.medians(sides, repeats)


def _ours(x: jax.Array, hidden: int, layers: int) -> Callable[[], Any]:
    stack = LSTM(hidden, layers, bidirectional=True)
    params = stack.init(jax.random.key(1), x)
    return _timed(lambda params: stack.apply(params, x), params)


def _cudnn(x: jax.Array, hidden: int, layers: int) -> Callable[[], Any]:
    batch, length, width = x.shape
    weights = rnn.init_lstm_weight(jax.random.key(1), width, hidden, layers, True)
    lengths = jnp.full((batch,), length, jnp.int32)
    zero = jnp.zeros((2 * layers, batch, hidden))
    settings = (lengths, width, hidden, layers, 0.0, True)
    return _timed(lambda weights: rnn.lstm(x, zero, zero, weights, *settings)[0], weights)


def _timed(outputs: Callable[[Any], jax.Array], params: Any) -> Callable[[], Any]:
    gradient = jax.jit(jax.grad(lambda params: jnp.square(outputs(params)).mean()))
    return lambda: jax.block_until_ready(gradient(params))
