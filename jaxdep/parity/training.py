"""A twin's training in PyTorch: tasks, targets, losses and optimisers as our side has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np
import torch
from torch.nn import functional

from jaxdep.experiment import Optimizer, Task

OPTIMIZERS = {
    "jamfn": Optimizer("adam", learning_rate=1e-4, weight_decay=5e-4),
    "amm": Optimizer("adam", learning_rate=1e-3, weight_decay=1e-5),
}
"""Model's name to the optimiser of its paper."""

_LOSSES = {"cross_entropy": lambda output, target: functional.cross_entropy(output, target.long())}


def tasks_of(model: nn.Module) -> dict[str, Task]:
    """What a model is trained for."""
    return {task: Task() for task in getattr(model, "tasks", ("depression",))}


def targets_of(model: nn.Module, batch: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Random targets of each task, [B]."""
    rng = np.random.default_rng(seed)
    classes = {"depression": 2, "emotion": getattr(model, "emotion_classes", 0)}
    return {
        task: rng.integers(0, classes[task], batch).astype(np.int32) for task in tasks_of(model)
    }


def loss(
    tasks: Mapping[str, Task],
    outputs: Mapping[str, torch.Tensor],
    targets: Mapping[str, torch.Tensor],
) -> torch.Tensor:
    """The sum over tasks of the mean over examples."""
    parts = [_LOSSES[task.loss](outputs[name], targets[name]) for name, task in tasks.items()]
    return torch.stack(parts).sum()


def optimizer(config: Optimizer, module: torch.nn.Module) -> torch.optim.Optimizer:
    """PyTorch's optimiser of these settings."""
    return torch.optim.Adam(
        module.parameters(), config.learning_rate, eps=config.eps, weight_decay=config.weight_decay
    )


def tensors(arrays: Mapping[str, Any], device: str = "cpu") -> dict[str, torch.Tensor]:
    """Arrays as PyTorch has them, on a device."""
    return {name: torch.as_tensor(x).to(device) for name, x in arrays.items()}
