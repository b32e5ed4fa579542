"""A reference's training in PyTorch: tasks, targets, losses and optimisers as ours has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np
import torch
from torch.nn import functional

from jaxdep.experiment import Optimizer, Task
from jaxdep.models import MDDR, SMFL, DEPFormer
from jaxdep.parity.reference.mddr import dr_loss

_COSINE = Optimizer(
    "adamw", learning_rate=1e-3, weight_decay=0.05, schedule="cosine", decayed="matrices"
)

OPTIMIZERS = {
    "jamfn": Optimizer("adam", learning_rate=1e-4, weight_decay=5e-4),
    "amm": Optimizer("adam", learning_rate=1e-3, weight_decay=1e-5),
    "mddr": Optimizer("sgd", learning_rate=1e-3, weight_decay=5e-4, decay_every=2),
    "smfl": Optimizer("adam", learning_rate=1e-3, decay_every=5),
    "smfl_released": Optimizer("adam", learning_rate=2e-3, decay_every=10),
    "depformer": _COSINE,
    "depformer_released": _COSINE,
}
"""Model's name to the optimiser of its paper."""


def _cross_entropy(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(output, target.long())


def _dr(output: torch.Tensor, target: torch.Tensor, delta: float, weight: float) -> torch.Tensor:
    return dr_loss(output, target.to(output.dtype), delta, weight).mean()


def _squared(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.mse_loss(output, target.to(output.dtype))


_LOSSES = {"cross_entropy": _cross_entropy, "dr": _dr, "mse": _squared}


def tasks_of(model: nn.Module) -> dict[str, Task]:
    """What a model is trained for."""
    if isinstance(model, MDDR):
        return {"depression": Task(loss="dr", options={"delta": 2.0, "weight": 0.1})}
    if isinstance(model, DEPFormer):
        return {model.task: Task() if model.classes else Task(loss="mse")}
    if isinstance(model, SMFL) and model.cmjat_head:
        heads = [f"cmjat_{target}" for target in model.cmjat_targets]
        return {task: Task() for task in ("depression", *heads)}
    return {task: Task() for task in getattr(model, "tasks", ("depression",))}


def targets_of(model: nn.Module, batch: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Random targets of each task, [B]: classes, or scores in BDI-II points."""
    rng = np.random.default_rng(seed)
    if isinstance(model, MDDR):
        return {"depression": rng.integers(0, 64, batch).astype(np.float32)}
    if isinstance(model, DEPFormer) and not model.classes:
        return {model.task: rng.normal(size=batch).astype(np.float32)}
    classes = dict(getattr(model, "tasks", {}))
    number = getattr(model, "classes", 2)
    return {
        task: rng.integers(0, classes.get(task, number), batch).astype(np.int32)
        for task in tasks_of(model)
    }


def loss(
    tasks: Mapping[str, Task],
    outputs: Mapping[str, torch.Tensor],
    targets: Mapping[str, torch.Tensor],
) -> torch.Tensor:
    """The sum over tasks of the mean over examples."""
    parts = [
        _LOSSES[task.loss](outputs[name], targets[name], **task.options)
        for name, task in tasks.items()
    ]
    return torch.stack(parts).sum()


def optimizer(config: Optimizer, module: torch.nn.Module) -> torch.optim.Optimizer:
    """PyTorch's optimiser of these settings."""
    if config.decayed == "matrices":
        groups = [
            {"params": [p for p in module.parameters() if p.ndim > 1]},
            {"params": [p for p in module.parameters() if p.ndim == 1], "weight_decay": 0.0},
        ]
        rates = {"lr": config.learning_rate, "eps": config.eps}
        return torch.optim.AdamW(groups, **rates, weight_decay=config.weight_decay)
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
    """PyTorch's schedule of these settings, to be told of every step, `steps` to an epoch."""
    if config.schedule == "step":
        every = config.decay_every * steps or 10**9
        return torch.optim.lr_scheduler.StepLR(optimizer, every, config.decay_factor)

    def factor(x: int) -> float:
        """From a thousandth to 1 along a line, then to a millionth along half a wave."""
        warmup = config.warmup_epochs * steps
        if x <= warmup:
            return 1e-3 * (1 - x / warmup) + x / warmup
        wave = 0.5 * (1 + math.cos(math.pi * (x - warmup) / (epochs * steps - warmup)))
        return wave * (1 - 1e-6) + 1e-6

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def tensors(arrays: Mapping[str, Any], device: str = "cpu") -> dict[str, torch.Tensor]:
    """Arrays as PyTorch has them, on a device."""
    return {name: torch.as_tensor(x).to(device) for name, x in arrays.items()}
