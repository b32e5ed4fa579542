"""Optax optimisers from an experiment's settings, which may be traced values."""

from __future__ import annotations

from typing import Any

import jax
import optax
from jaxtyping import Array, Int

from jaxdep.errors import UserError
from jaxdep.experiment import Optimizer

Count = int | Int[Array, ""]
"""A whole number, or a traced one."""

_FIRST, _LAST = 1e-3, 1e-6  # factors at which a cosine schedule begins and ends


def build(
    config: Optimizer, step: Count = 0, steps: Count = 1, epochs: int = 1
) -> optax.GradientTransformation:
    """The optimiser that `config` names, as it is at some step of training.

    It is built inside the compiled program from values that may differ from run to run. The
    weight decay of `adam` and `sgd` is coupled, as in PyTorch: it joins the gradient ahead of
    the moments.

    Args:
      step: updates made before this one, over the whole run.
      steps: updates in an epoch.
      epochs: of the whole training, for schedules that come to an end.

    Raises:
      UserError: there is no optimiser of that name.
    """
    if config.name not in _SCALERS:
        names = ", ".join(_SCALERS)
        raise UserError(f"optimizer.name={config.name!r}: there are {names}")
    clip = [] if config.clip_norm is None else [optax.clip_by_global_norm(config.clip_norm)]
    mask = _matrices if config.decayed == "matrices" else None
    decay = optax.add_decayed_weights(config.weight_decay, mask)
    scaler = _SCALERS[config.name](config)
    order = [scaler, decay] if config.name == "adamw" else [decay, scaler]
    rate = learning_rate(config, step, steps, epochs)
    return optax.chain(*clip, *order, optax.scale_by_learning_rate(rate))


def learning_rate(
    config: Optimizer, step: Count = 0, steps: Count = 1, epochs: int = 1
) -> float | Array:
    """The learning rate; arguments as of `build`."""
    if config.schedule == "cosine":
        wave = optax.warmup_cosine_decay_schedule(
            _FIRST,
            1.0,
            warmup_steps=config.warmup_epochs,
            decay_steps=max(epochs, config.warmup_epochs + 1),
            end_value=_LAST,
        )
        return config.learning_rate * wave(step / steps)
    if not config.decay_every:
        return config.learning_rate
    # In whole numbers: a quotient in float32 may fall short of the epoch that has begun.
    return config.learning_rate * config.decay_factor ** (step // (config.decay_every * steps))


def _matrices(params: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)


def _adam(config: Optimizer) -> optax.GradientTransformation:
    return optax.scale_by_adam(config.b1, config.b2, config.eps)


def _sgd(config: Optimizer) -> optax.GradientTransformation:
    return optax.trace(config.momentum)


_SCALERS = {"adam": _adam, "adamw": _adam, "sgd": _sgd}
