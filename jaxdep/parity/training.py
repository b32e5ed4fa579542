"""Training of the PyTorch references: tasks, targets, losses, optimisers and schedules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np
import torch

from jaxdep.experiment import Optimizer, Task
from jaxdep.models import spec_of
from jaxdep.parity.losses import LOSSES


def optimizer_of(model: nn.Module) -> Optimizer:
    """Optimiser settings of a model's paper."""
    return Optimizer(**spec_of(model).optimizer)


def tasks_of(model: nn.Module) -> dict[str, Task]:
    """Tasks on which a model is compared."""
    return {name: Task(**fields) for name, fields in spec_of(model).tasks(model).items()}


def targets_of(model: nn.Module, batch: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Random targets of each task, [B]."""
    return spec_of(model).targets(model, batch, np.random.default_rng(seed))


def loss(
    tasks: Mapping[str, Task],
    outputs: Mapping[str, torch.Tensor],
    targets: Mapping[str, torch.Tensor],
) -> torch.Tensor:
    """Sum over tasks of the mean loss over examples."""
    parts = [
        LOSSES[task.loss](outputs[name], targets[name], **task.options)
        for name, task in tasks.items()
    ]
    return torch.stack(parts).sum()


def optimizer(config: Optimizer, module: torch.nn.Module) -> torch.optim.Optimizer:
    """PyTorch optimiser with the given settings."""
    if config.decayed == "matrices":
        groups = [
            {"params": [p for p in module.parameters() if p.ndim > 1]},
            {"params": [p for p in module.parameters() if p.ndim == 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(
            groups, config.learning_rate, eps=config.eps, weight_decay=config.weight_decay
        )
    if config.name == "sgd":
        return torch.optim.SGD(
            module.parameters(),
            config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
    return torch.optim.Adam(
        module.parameters(), config.learning_rate, eps=config.eps, weight_decay=config.weight_decay
    )


def schedule(
    config: Optimizer, optimizer: torch.optim.Optimizer, steps: int, epochs: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """PyTorch learning rate schedule, to be stepped after every update, `steps` times per epoch."""
    if config.schedule == "step":
        every = config.decay_every * steps or 10**9
        return torch.optim.lr_scheduler.StepLR(optimizer, every, float(config.decay_factor))

    def factor(x: int) -> float:
        """Linear warm-up from 1e-3 to 1, then cosine decay to 1e-6."""
        warmup = config.warmup_epochs * steps
        if x <= warmup:
            return 1e-3 * (1 - x / warmup) + x / warmup
        cosine = 0.5 * (1 + math.cos(math.pi * (x - warmup) / (epochs * steps - warmup)))
        return cosine * (1 - 1e-6) + 1e-6

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def tensors(arrays: Mapping[str, Any], device: str = "cpu") -> dict[str, torch.Tensor]:
    """Converts arrays to PyTorch tensors on a device."""
    return {name: torch.as_tensor(x).to(device) for name, x in arrays.items()}
