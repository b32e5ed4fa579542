"""Runs at once are limited by what they need, and the limit changes no result."""

import chex
import jax
import pytest
from toy import experiment, splits
from train_and_test import train_and_test

from jaxdep.train import devices, memory, runs


def test_as_many_as_fit(monkeypatch):
    exp, all_runs = experiment(), runs.stack(experiment(), range(4))
    of = lambda **how: memory.trainer(exp, splits(), all_runs, devices=1, **how)
    whole = of()
    assert whole.layout.runs == 4
    need = memory.required_bytes(whole.compile(all_runs))
    half = memory.required_bytes(of(runs_per_device=2).compile(all_runs))
    assert need is not None
    assert half is not None
    assert 0 < half < need
    monkeypatch.setattr(
        memory, "available_bytes", lambda device, sharing_devices: (half + need) // 2
    )
    assert 2 <= of().layout.runs < 4
    monkeypatch.setattr(memory, "available_bytes", lambda device, sharing_devices: 1)
    assert of().layout.runs == 1
    assert of(runs_per_device=3).layout.runs == 3


def test_free_memory_is_plausible():
    device = jax.devices()[0]
    assert 2**27 < memory.available_bytes(device, 1) < 2**45
    assert memory.available_bytes(device, 8) < memory.available_bytes(device, 1)


@pytest.mark.parametrize("backend", ["jit", pytest.param("pmap", marks=pytest.mark.slow)])
def test_fewer_at_once_give_the_same(backend):
    exp, seeds = experiment(), [0, 1, 2, 3, 4]
    together = train_and_test(exp, runs.stack(exp, seeds), splits(), devices.layout(5))
    trainer = memory.trainer(
        exp, splits(), runs.stack(exp, seeds), runs_per_device=1, devices=2, backend=backend
    )
    assert trainer.layout.runs == 2
    for start in (0, 2, 4):  # the last part is smaller
        part = seeds[start : start + 2]
        state = trainer.train(runs.stack(exp, part))
        expected = jax.tree.map(lambda x, at=start: x[at : at + 2], together.state)
        chex.assert_trees_all_close(state, expected, atol=1e-5, rtol=1e-5)
    assert trainer.programs == 1
