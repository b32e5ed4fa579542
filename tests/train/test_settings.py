"""Formats, schedules and regressions as an experiment sets them, on a toy."""

from dataclasses import replace
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from toy import Toy, experiment, splits
from train_and_test import train_and_test
from variants import example_inputs, small

from jaxdep import random
from jaxdep.data.arrays import Split
from jaxdep.errors import UserError
from jaxdep.experiment import Optimizer, Task
from jaxdep.overrides import override
from jaxdep.runner import input_pipeline
from jaxdep.train import devices, hosts, objective, optimizer, runs, step


def trained(base):
    return train_and_test(base, runs.stack(base, [3]), splits(), devices.layout(1, devices=1))


@pytest.mark.slow
def test_bfloat16_keeps_float32_weights():
    base = experiment(Toy(dropout=0.0), epochs=2)
    full = trained(base)
    half = trained(override(base, {"training.compute": "bfloat16"}))
    assert all(
        leaf.dtype == np.float32
        for leaf in jax.tree.leaves((half.state.variables, half.state.optimizer))
        if np.issubdtype(leaf.dtype, np.floating)
    )
    assert half.outputs["depression"].dtype == np.float32
    difference = np.abs(half.outputs["depression"] - full.outputs["depression"]).max()
    assert 0 < difference < 0.05


def test_format_that_does_not_exist():
    with pytest.raises(UserError, match="expected float32 or bfloat16"):
        override(experiment(), {"training.compute": "float8"})


def test_learning_rate_by_epoch():
    config = Optimizer(learning_rate=0.5, decay_every=3, decay_factor=0.1)
    found = [float(optimizer.learning_rate(config, jnp.asarray(epoch))) for epoch in range(8)]
    np.testing.assert_allclose(found, [0.5] * 3 + [0.05] * 3 + [0.005] * 2, rtol=1e-6)
    assert optimizer.learning_rate(Optimizer(learning_rate=0.5), 99) == 0.5


@pytest.mark.parametrize("steps", [41, 61, 109])
def test_the_rate_falls_with_the_first_step_of_its_epoch(steps):
    """Inside a compiled program too, where a quotient may fall short of a whole number."""
    config = Optimizer(learning_rate=1.0, decay_every=5, decay_factor=0.5)
    rate = jax.jit(lambda step: optimizer.learning_rate(config, step, steps))
    for epoch in range(5, 60, 5):
        first = epoch * steps
        expected = 0.5 ** (epoch // 5 - 1), 0.5 ** (epoch // 5)
        assert (float(rate(first - 1)), float(rate(first))) == expected


def test_a_rate_of_zero_after_the_first_epoch_freezes_the_weights():
    base = experiment(Toy(norm=False), epochs=3)
    decayed = {"optimizer.decay_every": 1, "optimizer.decay_factor": 0.0}
    frozen = trained(override(base, decayed))
    once = trained(override(base, {**decayed, "training.epochs": 1}))
    chex.assert_trees_all_equal(frozen.state.variables["params"], once.state.variables["params"])


def test_sgd_with_momentum_and_coupled_decay_by_hand():
    config = Optimizer("sgd", learning_rate=0.1, weight_decay=0.5, momentum=0.9)
    tx = optimizer.build(config)
    weight: Any = jnp.array(2.0)
    moments = tx.init(weight)
    velocity, expected = 0.0, 2.0
    for gradient in (1.0, -3.0):
        updates, moments = tx.update(jnp.array(gradient), moments, weight)
        weight = optax.apply_updates(weight, updates)
        velocity = 0.9 * velocity + gradient + 0.5 * expected
        expected -= 0.1 * velocity
    np.testing.assert_allclose(weight, expected, rtol=1e-6)


def test_learning_rate_rises_and_falls_along_a_wave():
    """As DEP-Former's authors have it, with 10 steps to an epoch and 300 epochs."""
    config = Optimizer(schedule="cosine", learning_rate=2.0)
    for number, factor in ((0, 1e-3), (5, 0.5005), (10, 1.0), (1505, 0.5), (3000, 1e-6)):
        rate = float(optimizer.learning_rate(config, jnp.asarray(number), 10, 300))
        assert rate == pytest.approx(2 * factor, rel=1e-4), number


def test_matrices_alone_decay():
    config = Optimizer("adamw", learning_rate=0.1, weight_decay=0.5, decayed="matrices")
    tx = optimizer.build(config)
    params = {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)}
    still = jax.tree.map(jnp.zeros_like, params)
    updates, _ = tx.update(still, tx.init(params), params)
    chex.assert_trees_all_close(updates, {"kernel": jnp.full((2, 3), -0.05), "bias": jnp.zeros(3)})


@pytest.mark.parametrize("wrong", [{"schedule": "linear"}, {"decayed": "biases"}])
def test_unknown_schedules_and_groups_are_refused(wrong):
    with pytest.raises(UserError, match=f"Optimizer.{next(iter(wrong))}="):
        Optimizer(**wrong)


def test_regression_is_scored_within_its_scale():
    tasks = {"depression": Task(loss="mse", bounds=(0.0, 63.0))}
    outputs = {"depression": jnp.array([-4.0, 70.0, 10.0])}
    targets = {"depression": jnp.array([0.0, 60.0, 12.0])}
    weights = jnp.array([1.0, 1.0, 0.0])
    means = objective.summarize(tasks, objective.sums(tasks, outputs, targets, weights))
    np.testing.assert_allclose(means["depression.mae"], 1.5)  # of 0 and 63
    np.testing.assert_allclose(means["loss"], (16 + 100) / 2)  # of the raw scores
    reported = objective.predicted(tasks, outputs)["depression"]
    assert reported.tolist() == [0, 63, 10]


@pytest.mark.parametrize(("process", "processes"), [(2, 2), (-1, 2), (0, 0)])
def test_processes_that_cannot_be(process, processes):
    with pytest.raises(UserError, match="numbered from 0"):
        hosts.join("localhost:1", processes, process)


def test_pmap_is_for_one_process(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(UserError, match="pmap supports a single process"):
        devices.layout(8, backend="pmap")
    with pytest.raises(UserError, match="1 of 2 processes would be idle"):
        devices.layout(8)


@pytest.mark.slow
def test_an_example_that_fills_a_batch_does_not_move_batch_statistics():
    """Seen where statistics are of one example at a time: SMFL as its authors published it."""
    model = small("smfl_released")["published"]
    inputs = example_inputs(model, 3, 4)
    data: Any = {"inputs": inputs, "targets": {"depression": np.array([0, 1, 1])}}
    base = override(experiment(model), {"training.batch_size": 3})
    base = replace(base, tasks={"depression": Task()})
    run = jax.tree.map(lambda x: x[0], runs.stack(base, [0]))
    state = jax.jit(lambda run: step.init(base, run, data))(run)
    rows = jnp.array([0, 1, 2, 0])
    filled = jax.tree.map(lambda x: jnp.asarray(x)[rows], data)
    tx, keys = optimizer.build(base.optimizer), random.update_keys(jax.random.key(0), 0)
    update = jax.jit(lambda batch, weights: step.update(base, tx, state, batch, weights, keys)[0])
    ours = update(data, jnp.ones(3))
    theirs = update(filled, jnp.array([1.0, 1, 1, 0]))
    stats = lambda state: state.variables["batch_stats"]
    chex.assert_trees_all_close(stats(ours), stats(theirs), atol=1e-6)
    assert any(
        (a != b).any()
        for a, b in zip(*map(jax.tree.leaves, (stats(ours), stats(state))), strict=True)
    )


def test_classes_weigh_by_the_inverse_of_their_share():
    targets, classes = {"depression": np.array([0, 0, 0, 1])}, {"depression": ("no", "yes")}
    ids = np.array(list("abcd"))
    split = Split("train", ids, {}, targets, classes, ids, {})
    base = replace(experiment(), tasks={"depression": Task(balanced=True), "emotion": Task()})
    weighted = input_pipeline.with_class_weights(base, {"train": split})
    assert weighted.tasks["depression"].options == {"class_weights": (4 / 3, 4.0)}
    assert weighted.tasks["emotion"].options == {}
