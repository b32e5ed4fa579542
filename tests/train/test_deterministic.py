"""With `deterministic`, the bits of a run depend neither on devices nor on other runs."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from toy import experiment, splits
from train_and_test import train_and_test
from variants import example_inputs

from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.models import JAMFN
from jaxdep.train import devices, memory, runs

LAYOUTS = [([3], 2), ([3, 5], 1), ([5, 3, 0], 2), ([8, 1, 3, 0, 2, 4, 6, 7, 5], 8), ([3], 8)]
"""Seeds that are trained together, and numbers of devices."""


def bits(exp, data, seeds, count, hyper=()):
    """Final state and test outputs of seed 3, as bytes."""
    layout = devices.layout(len(seeds), devices=count, deterministic=True)
    trained = train_and_test(exp, runs.stack(exp, seeds, hyper), data, layout)
    here = seeds.index(3)
    return [np.asarray(leaf[here]).tobytes() for leaf in jax.tree.leaves(trained)]


@pytest.mark.parametrize(("seeds", "count"), LAYOUTS[2:4])
def test_bits_of_a_run_depend_on_it_alone(seeds, count):
    exp, data = experiment(), splits()
    assert bits(exp, data, seeds, count) == bits(exp, data, [3], 1)


def test_bits_do_not_depend_on_the_settings_of_other_runs():
    exp, data = experiment(), splits()
    rates = [{"optimizer.learning_rate": rate} for rate in (1e-2, 1.0)]
    assert bits(exp, data, [3, 3], 2, rates) == bits(exp, data, [3], 1, rates[:1])


@pytest.fixture(scope="module")
def jamfn():
    """A small JAMFN that trains for 80 epochs, and its data."""
    model = JAMFN(hidden=16, layers=1, channels=24, scales=(3, 5), dropout=0.2)
    paper = EXPERIMENTS["jamfn"]
    training = replace(paper.training, epochs=80, batch_size=16, patience=0)

    def split(items, seed):
        labels = np.random.default_rng(seed).integers(0, 2, items).astype(np.int32)
        inputs = example_inputs(model, items, 20, seed)
        return {"inputs": inputs, "targets": {"depression": labels}}

    data = {"train": split(64, 0), "validation": split(16, 1), "test": split(16, 2)}
    return replace(paper, model=model, training=training), data


@pytest.fixture(scope="module")
def alone(jamfn):
    exp, data = jamfn
    return bits(exp, data, [3], 1)


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "count"), LAYOUTS)
def test_bits_after_80_epochs(seeds, count, jamfn, alone):
    exp, data = jamfn
    assert bits(exp, data, seeds, count) == alone


def test_batches_stay_on_one_device():
    layout = devices.layout(1, batch_size=16, deterministic=True)
    assert len(layout.devices) == 1
    assert layout.shards == 1


def test_states_that_wait_on_a_device_need_memory():
    exp, data = experiment(), splits()
    layout = devices.layout(1, deterministic=True)
    program = runs.Trainer(exp, data, layout).compile(runs.stack(exp, [0]))
    analysis = program.memory_analysis()
    need = lambda waiting: memory.required_bytes(analysis, waiting=waiting) or 0
    assert need(3) - need(2) == need(1) - need(0) > 0


def test_is_refused_with_pmap():
    with pytest.raises(UserError, match="requires --backend jit"):
        devices.layout(2, backend="pmap", deterministic=True)
