"""Optax optimisers from an experiment's settings, which may be traced values."""

from __future__ import annotations

import optax
from jaxtyping import Array

from jaxdep.errors import UserError
from jaxdep.experiment import Optimizer


def build(config: Optimizer, epoch: int | Array = 0) -> optax.GradientTransformation:
    """The optimiser that `config` names, as it is in an epoch counted from 0.

    It is built inside the compiled program from values that may differ from run to run. The
    weight decay of `adam` and `sgd` is coupled, as in PyTorch: it joins the gradient ahead of
    the moments.

    Raises:
      UserError: there is no optimiser of that name.
    """
    if config.name not in _SCALERS:
        names = ", ".join(_SCALERS)
        raise UserError(f"optimizer.name={config.name!r}: there are {names}")
    clip = [] if _is_zero(config.clip_norm) else [optax.clip_by_global_norm(config.clip_norm)]
    decay = optax.add_decayed_weights(config.weight_decay)
    scaler = _SCALERS[config.name](config)
    order = [scaler, decay] if config.name == "adamw" else [decay, scaler]
    return optax.chain(*clip, *order, optax.scale_by_learning_rate(learning_rate(config, epoch)))


def learning_rate(config: Optimizer, epoch: int | Array) -> float | Array:
    """The learning rate in an epoch counted from 0, as PyTorch's `StepLR` has it."""
    if not config.decay_every:
        return config.learning_rate
    return config.learning_rate * config.decay_factor ** (epoch // config.decay_every)


def _adam(config: Optimizer) -> optax.GradientTransformation:
    return optax.scale_by_adam(config.b1, config.b2, config.eps)


def _sgd(config: Optimizer) -> optax.GradientTransformation:
    return optax.identity() if _is_zero(config.momentum) else optax.trace(config.momentum)


def _is_zero(value: float) -> bool:
    """Whether a setting is off; one that is traced is not."""
    return isinstance(value, int | float) and value == 0


_SCALERS = {"adam": _adam, "adamw": _adam, "sgd": _sgd}
