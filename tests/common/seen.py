"""A model of two modalities that counts, in training, which of them each example has."""

from contextlib import contextmanager
from dataclasses import replace

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest
from toy import experiment as toy_experiment

from jaxdep.experiment import Task
from jaxdep.models import SPECS
from jaxdep.overrides import override

NAMES = ("acoustic", "visual")


class Seen(nn.Module):
    """Logits from sums over all frames, padding too, so that what is not removed would show.

    The state `seen` counts training examples by what they have: nothing, voice, face, both.
    """

    modalities: tuple[str, ...] = NAMES

    @nn.compact
    def __call__(self, inputs, train=False):
        real = jnp.stack([inputs[f"{name}_mask"].any(1) for name in NAMES], 1)
        content = jnp.stack([(inputs[name] != 0).any((1, 2)) for name in NAMES], 1)
        # Inputs without a mask, or masks without inputs, count as neither.
        codes = jnp.where((real == content).all(1), real @ jnp.array([1, 2]), -1)
        seen = self.variable("batch_stats", "seen", jnp.zeros, (4,))
        if train and not self.is_initializing():
            seen.value += (codes[:, None] == jnp.arange(4)[None]).sum(0)
        features = jnp.concatenate([inputs[name].sum(1) for name in NAMES], -1)
        return {"depression": nn.Dense(2)(nn.tanh(nn.Dense(4)(features)))}


class Fragile(Seen):
    """As `Seen`, but in evaluation its logits are not finite without a frame of the face."""

    @nn.compact
    def __call__(self, inputs, train=False):
        outputs = Seen(self.modalities, name="seen")(inputs, train)
        # In training, examples that fill a batch have no frame.
        divisor = inputs["visual_mask"].any(1) | train
        return {"depression": outputs["depression"] / divisor[:, None]}


@contextmanager
def registered():
    """Registers the models in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, model in (("seen", Seen), ("fragile", Fragile)):
            # Its modalities are those in the model's field; nothing else of the spec is used.
            spec = replace(SPECS["mddr"], name=name, model=model)
            patch.setitem(vars(SPECS)["_values"], name, spec)
        yield


def experiment(probability: float = 0.0, **training):
    """An experiment that trains `Seen`."""
    base = override(toy_experiment(Seen(), **training), {"optimizer.learning_rate": 1e-3})
    only = type(base)(**{**vars(base), "tasks": {"depression": Task()}})
    return override(only, {"training.modality_dropout": probability})


def split(items: int, seed: int = 0) -> dict:
    """Recordings with frames of both modalities; the lengths differ."""
    rng = np.random.default_rng(seed)
    inputs = {}
    for name, length, width in (("acoustic", 7, 5), ("visual", 5, 3)):
        mask = np.arange(length) < rng.integers(1, length + 1, items)[:, None]
        inputs[name] = rng.normal(size=(items, length, width)).astype(np.float32) * mask[..., None]
        inputs[f"{name}_mask"] = mask
    return {
        "inputs": inputs,
        "targets": {"depression": rng.integers(0, 2, items).astype(np.int32)},
    }


def splits(items: int = 96) -> dict:
    """Splits of recordings; a whole number of batches of 16 by default."""
    return {"train": split(items), "validation": split(20, 1), "test": split(20, 2)}
