"""One run over several devices: its batches are spread, its result is that of one device."""

import chex
import numpy as np
import pytest
from toy import experiment, splits
from train_and_test import train_and_test

from jaxdep.models import JAMFN
from jaxdep.train import devices, runs
from jaxdep.train.layout import spread_batch

DROPOUT_AND_STATISTICS = experiment(epochs=2)


def frames(items, seed):
    rng = np.random.default_rng(seed)
    inputs = {"acoustic": rng.normal(size=(items, 9, 5)), "visual": rng.normal(size=(items, 9, 7))}
    inputs = {name: x.astype(np.float32) for name, x in inputs.items()}
    return {"inputs": inputs, "targets": {"depression": rng.integers(0, 2, items).astype(np.int32)}}


def recurrent():
    base = experiment(JAMFN(hidden=4, layers=1, scales=(3,), channels=6), epochs=2)
    task = {"depression": base.tasks["depression"]}
    return base.__class__(**{**vars(base), "tasks": task})


@pytest.mark.parametrize(
    ("vectorized", "seeds", "count", "shards"),
    [
        (False, [0, 1], 8, 4),
        pytest.param(True, [0], 3, 2, marks=pytest.mark.slow),
        pytest.param(False, [0], 8, 8, marks=pytest.mark.slow),
        pytest.param(True, [0, 1], 8, 4, marks=pytest.mark.slow),
    ],
)
def test_equals_one_device(vectorized, seeds, count, shards):
    exp = DROPOUT_AND_STATISTICS
    layout = devices.layout(len(seeds), devices=count, vectorized=vectorized, batch_size=16)
    assert layout.shards == shards
    many = train_and_test(exp, runs.stack(exp, seeds), splits(), layout)
    one = train_and_test(
        exp, runs.stack(exp, seeds), splits(), devices.layout(len(seeds), devices=1)
    )
    chex.assert_trees_all_close(many.state, one.state, atol=1e-5, rtol=1e-5)
    chex.assert_trees_all_close(many.outputs, one.outputs, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_recurrences_are_spread_and_gradients_added():
    exp = recurrent()
    data = {"train": frames(37, 0), "validation": frames(9, 1), "test": frames(9, 2)}
    layout = devices.layout(1, devices=4, batch_size=16)
    stacked = runs.stack(exp, [0])
    trainer = runs.Trainer(exp, data, layout)
    program = trainer.compile(stacked).as_text()
    assert "all-reduce" in program
    assert "all-gather" not in program  # no device sees the whole batch
    many = trainer.train(stacked)
    one = train_and_test(exp, stacked, data, devices.layout(1, devices=1)).state
    chex.assert_trees_all_close(many, one, atol=1e-5, rtol=1e-5)


def test_shards_divide_the_batch():
    sizes = {16: 8, 12: 6, 7: 7, 11: 1, 9: 3}
    found = {size: devices.layout(1, batch_size=size).shards for size in sizes}
    assert found == sizes
    assert devices.layout(1, batch_size=16, backend="pmap").shards == 1
    assert devices.layout(1, batch_size=16, shard_batch=False).shards == 1


def test_outside_of_a_program_nothing_is_spread():
    batch = frames(4, 0)
    assert spread_batch(batch) is batch
