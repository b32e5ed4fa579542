"""A small model with dropout and batch statistics, and data that it can learn, for the trainer."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from jaxdep.experiment import Corpus, Experiment, Optimizer, Task, Training
from jaxdep.nn.dropout import Dropout
from jaxdep.types import traceable


class Toy(nn.Module):
    """Means over time, batch normalisation, dropout, two layers; two tasks."""

    hidden: int = 8
    dropout: float = traceable(0.2)
    norm: bool = True

    @nn.compact
    def __call__(self, inputs, train=False):
        mask = inputs["acoustic_mask"][..., None]
        x = (inputs["acoustic"] * mask).sum(1) / jnp.maximum(mask.sum(1), 1)
        if self.norm:
            x = nn.BatchNorm(use_running_average=not train, use_fast_variance=False)(x)
        x = nn.tanh(nn.Dense(self.hidden)(x))
        x = Dropout(self.dropout)(x, train)
        return {"depression": nn.Dense(2)(x), "emotion": nn.Dense(3)(x)}


def experiment(model=None, **training) -> Experiment:
    return Experiment(
        name="toy",
        title="a toy",
        corpus=Corpus("dvlog"),
        model=model or Toy(),
        tasks={"depression": Task(), "emotion": Task(weight=0.5)},
        optimizer=Optimizer(learning_rate=1e-2, weight_decay=1e-3),
        training=Training(**{"batch_size": 16, "epochs": 4, **training}),
    )


def split(items: int, seed: int = 0, strength: float = 0.5) -> dict:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, items).astype(np.int32)
    emotion = rng.integers(0, 3, items).astype(np.int32)
    acoustic = rng.normal(size=(items, 7, 5)).astype(np.float32)
    acoustic[..., 0] += strength * label[:, None]
    mask = np.arange(7) < rng.integers(1, 8, items)[:, None]
    return {
        "inputs": {"acoustic": acoustic * mask[..., None], "acoustic_mask": mask},
        "targets": {"depression": label, "emotion": emotion},
    }


def splits(items: int = 101) -> dict:
    return {"train": split(items), "validation": split(33, 1), "test": split(20, 2)}
