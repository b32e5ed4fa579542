"""Runs at once are limited by what they need, and the limit changes no result."""

from types import SimpleNamespace
from typing import Any

import chex
import jax
import pytest
from toy import Toy, experiment, splits
from train_and_test import train_and_test

from jaxdep.train import devices, host_memory, memory, runs


def plan(exp, all_runs, **how) -> memory.Plan:
    return memory.plan_in_memory(exp, splits(), all_runs, **how)


def test_as_many_as_fit(monkeypatch):
    exp, all_runs = experiment(), runs.stack(experiment(), range(4))
    whole, half = (plan(exp, all_runs, devices=1, **how) for how in ({}, {"runs_per_device": 2}))
    assert whole.trainer.layout.runs == 4
    assert whole.required is not None
    assert half.required is not None
    assert 0 < half.required < whole.required
    enough = (half.required + whole.required) // 2
    monkeypatch.setattr(memory, "available_bytes", lambda layout: enough)
    found = plan(exp, all_runs, devices=1)
    assert 2 <= found.trainer.layout.runs < 4
    assert found.fits
    assert found.describe(4).startswith(
        f"memory: 4 runs, {found.trainer.layout.runs} at a time, 1 device, about "
    )


def test_what_fits_nowhere_is_said(monkeypatch):
    exp, all_runs = experiment(), runs.stack(experiment(), range(4))
    monkeypatch.setattr(memory, "available_bytes", lambda layout: 1)
    found = plan(exp, all_runs)  # on eight devices of one machine
    assert found.trainer.layout.runs == 1
    assert found.describe(4).startswith("warning: memory: 4 runs, 1 at a time")
    assert "reduce training.batch_size" in found.describe(4)
    assert plan(exp, all_runs, devices=1, runs_per_device=3).trainer.layout.runs == 3
    assert plan(exp, all_runs, at_once=2).trainer.layout.runs == 2


def test_devices_that_share_memory_are_reduced(monkeypatch):
    exp, all_runs = experiment(), runs.stack(experiment(), range(4))
    each = plan(exp, all_runs, devices=4).required
    assert each is not None
    monkeypatch.setattr(host_memory, "available", lambda: int(2.5 * each / 0.8))
    found = plan(exp, all_runs, devices=4)
    assert found.trainer.layout.runs < 4
    assert found.fits


def test_devices_with_memory_of_their_own(monkeypatch):
    stats = {"bytes_limit": 1000, "peak_bytes_in_use": 700}
    gpu: Any = SimpleNamespace(platform="gpu", process_index=0, memory_stats=lambda: stats)
    assert memory.available_bytes(SimpleNamespace(devices=(gpu, gpu))) == 800  # type: ignore
    assert memory.device_peak(gpu) == 700
    assert memory.device_peak(jax.devices()[0]) == 0


def test_free_memory_is_plausible():
    one, eight = devices.layout(1, devices=1), devices.layout(8)
    assert 2**27 < memory.available_bytes(one) < 2**45
    assert memory.available_bytes(eight) < memory.available_bytes(one) / 4


@pytest.mark.parametrize("backend", ["jit", pytest.param("pmap", marks=pytest.mark.slow)])
def test_fewer_at_once_give_the_same(backend):
    exp, seeds = experiment(), [0, 1, 2, 3, 4]
    together = train_and_test(exp, runs.stack(exp, seeds), splits(), devices.layout(5))
    all_runs = runs.stack(exp, seeds)
    trainer = plan(exp, all_runs, runs_per_device=1, devices=2, backend=backend).trainer
    assert trainer.layout.runs == 2
    for start in (0, 2, 4):  # the last part is smaller
        part = seeds[start : start + 2]
        state = trainer.train(runs.stack(exp, part))
        expected = jax.tree.map(lambda x, at=start: x[at : at + 2], together.state)
        chex.assert_trees_all_close(state, expected, atol=1e-5, rtol=1e-5)
    assert trainer.programs == 1
    outputs = trainer.predict(together.state.best, splits()["test"])
    chex.assert_trees_all_close(outputs, together.outputs, atol=1e-5, rtol=1e-5)


def test_states_are_updated_in_place():
    """A program holds the runs' states once, and beside them what one run's update takes."""
    exp = experiment(Toy(hidden=100_000, norm=False, dropout=0.0), batch_size=1)
    four = runs.stack(exp, range(4))
    trainer = plan(exp, four, devices=1, runs_per_device=4).trainer
    one = sum(x.nbytes for x in jax.tree.leaves(trainer.init(four))) / 4
    analysis = trainer.memory_analysis(four)
    assert analysis.alias_size_in_bytes == pytest.approx(4 * one, rel=0.01)
    assert analysis.temp_size_in_bytes < 1.8 * one
