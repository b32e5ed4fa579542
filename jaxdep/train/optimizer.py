"""Optax optimisers from an experiment's settings, which may be traced values."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

from jaxdep.errors import UserError
from jaxdep.experiment import Optimizer

_FIRST, _LAST = 1e-3, 1e-6  # factors at which a cosine schedule begins and ends


def build(
    config: Optimizer, epoch: float | Array = 0, epochs: int = 1
) -> optax.GradientTransformation:
    """The optimiser that `config` names, as it is at some time of training.

    It is built inside the compiled program from values that may differ from run to run. The
    weight decay of `adam` and `sgd` is coupled, as in PyTorch: it joins the gradient ahead of
    the moments.

    Args:
      epoch: counted from 0; within an epoch a fraction.
      epochs: of the whole training, for schedules that come to an end.

    Raises:
      UserError: there is no optimiser of that name.
    """
    if config.name not in _SCALERS:
        names = ", ".join(_SCALERS)
        raise UserError(f"optimizer.name={config.name!r}: there are {names}")
    clip = [] if _is_zero(config.clip_norm) else [optax.clip_by_global_norm(config.clip_norm)]
    mask = _matrices if config.decayed == "matrices" else None
    decay = optax.add_decayed_weights(config.weight_decay, mask)
    scaler = _SCALERS[config.name](config)
    order = [scaler, decay] if config.name == "adamw" else [decay, scaler]
    rate = learning_rate(config, epoch, epochs)
    return optax.chain(*clip, *order, optax.scale_by_learning_rate(rate))


def learning_rate(config: Optimizer, epoch: float | Array, epochs: int = 1) -> float | Array:
    """The learning rate; arguments as of `build`."""
    if config.schedule == "cosine":
        return config.learning_rate * _cosine(epoch, config.warmup_epochs, epochs)
    if not config.decay_every:
        return config.learning_rate
    return config.learning_rate * config.decay_factor ** (epoch // config.decay_every)


def _cosine(epoch: float | Array, warmup: int, epochs: int) -> Array:
    """The factor of the learning rate (DEP-Former, A11)."""
    risen = epoch / max(warmup, 1)
    rising = _FIRST * (1 - risen) + risen
    falling = 0.5 * (1 + jnp.cos(jnp.pi * (epoch - warmup) / max(epochs - warmup, 1)))
    return jnp.where(jnp.asarray(epoch) <= warmup, rising, falling * (1 - _LAST) + _LAST)


def _matrices(params: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)


def _adam(config: Optimizer) -> optax.GradientTransformation:
    return optax.scale_by_adam(config.b1, config.b2, config.eps)


def _sgd(config: Optimizer) -> optax.GradientTransformation:
    return optax.identity() if _is_zero(config.momentum) else optax.trace(config.momentum)


def _is_zero(value: float) -> bool:
    """Whether a setting is off; one that is traced is not."""
    return isinstance(value, int | float) and value == 0


_SCALERS = {"adam": _adam, "adamw": _adam, "sgd": _sgd}
