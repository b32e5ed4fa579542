"""The six guarantees of a run, on a small model with dropout and batch statistics."""

from typing import Any

import chex
import jax
import numpy as np
import pytest
from toy import Toy, experiment, split, splits
from train_and_test import train_and_test

from jaxdep import random
from jaxdep.data import sampling
from jaxdep.errors import UserError
from jaxdep.train import devices, runs, step
from jaxdep.train.status import Status


def train(exp, seeds, data=None, hyper=(), **options):
    how = {key: options.pop(key) for key in ("devices", "backend", "vectorized") if key in options}
    layout = devices.layout(len(seeds), **how)
    return train_and_test(exp, runs.stack(exp, seeds, hyper), data or splits(), layout, **options)


def of_run(tree, run):
    return jax.tree.map(lambda leaf: leaf[run], tree)


@pytest.fixture(scope="module")
def together():
    """Five runs on as many devices."""
    return train(experiment(), [0, 1, 2, 3, 4])


REST = [
    ("jit", True, [3], 1),
    ("jit", False, [3, 1, 4], 2),
    ("jit", True, [4, 3, 2, 1, 0], 8),
    ("pmap", True, [3], 1),
    ("pmap", False, [3, 1, 4], 2),
    ("pmap", True, [4, 3, 2, 1, 0], 8),
]
"""Further backends, layouts and company of a seed."""


class TestNeighbours:
    """Guarantee 1: a seed's result depends on its seed alone."""

    @pytest.mark.parametrize(
        ("backend", "vectorized", "seeds", "count"),
        [
            ("jit", False, [3], 1),
            ("jit", True, [3, 1, 4], 2),
            ("pmap", False, [4, 3, 2, 1, 0], 8),
            *(pytest.param(*case, marks=pytest.mark.slow) for case in REST),
        ],
    )
    def test_same_result(self, together, backend, vectorized, seeds, count):
        alone = train(experiment(), seeds, devices=count, backend=backend, vectorized=vectorized)
        here = seeds.index(3)
        chex.assert_trees_all_close(
            of_run(alone.state, here), of_run(together.state, 3), atol=1e-5, rtol=1e-5
        )
        np.testing.assert_allclose(
            alone.outputs["depression"][here], together.outputs["depression"][3], atol=1e-5
        )

    def test_seeds_differ(self, together):
        outputs = together.outputs["depression"]
        assert len({run.tobytes() for run in outputs}) == 5

    @pytest.mark.parametrize("vectorized", [False, True])
    def test_initial_weights_exactly(self, vectorized):
        def initial(seeds, count):
            layout = devices.layout(len(seeds), devices=count, vectorized=vectorized)
            exp = experiment()
            return runs.Trainer(exp, splits(), layout).init(runs.stack(exp, seeds)).variables

        many = initial(range(8), 8)
        chex.assert_trees_all_equal(of_run(many, 3), of_run(initial([3], 1), 0))
        chex.assert_trees_all_equal(of_run(many, 5), of_run(initial([3, 5], 2), 1))
        with pytest.raises(AssertionError):
            chex.assert_trees_all_equal(of_run(many, 3), of_run(many, 4))

    def test_initial_weights_as_in_a_program(self):
        exp, data = experiment(), splits()
        trainer = runs.Trainer(exp, data, devices.layout(1))
        program = jax.jit(lambda run: step.init(exp, run, data["train"]))
        chex.assert_trees_all_close(
            of_run(trainer.init(runs.stack(exp, [5])), 0),
            program(of_run(runs.stack(exp, [5]), 0)),
            rtol=1e-6,
        )

    def test_orders_exactly(self):
        order = lambda seed: sampling.shuffled(random.order_key(random.run_key(seed), 2), 101, 16)
        many = jax.jit(jax.vmap(order))(np.arange(8))
        chex.assert_trees_all_equal(of_run(many, 3), order(3))


class TestEarlyStopping:
    """Guarantee 2: a stopped run is frozen, the others go on."""

    def test_stopped_run_is_frozen(self):
        # A learning rate of zero never improves: that run stops after `patience` further epochs.
        exp = experiment(Toy(norm=False), epochs=6, patience=2)
        lines = []
        keep = lambda epoch, status, history: lines.extend(history)
        both = train(
            exp,
            [0, 1],
            hyper=[{"optimizer.learning_rate": 0.0}, {}],
            devices=1,
            report=keep,
        )
        assert list(both.state.status) == [Status.STOPPED, Status.FINISHED]
        assert list(both.state.epoch) == [3, 6]
        assert [line["epoch"] for line in lines if line["run"] == 0] == [1, 2, 3]
        shorter = train(
            experiment(Toy(norm=False), epochs=3),
            [0, 1],
            hyper=[{"optimizer.learning_rate": 0.0}, {}],
            devices=1,
        )
        frozen, expected = (of_run(each.state.variables, 0) for each in (both, shorter))
        chex.assert_trees_all_equal(frozen, expected)

    def test_ends_when_all_have_stopped(self):
        seen = []
        train(
            experiment(Toy(norm=False), epochs=50, patience=1),
            [0, 1, 2],
            hyper=[{"optimizer.learning_rate": 0.0}] * 3,
            report=lambda epoch, status, history: seen.append(epoch),
        )
        assert seen == [1, 2]

    def test_best_epoch_is_kept(self):
        exp = experiment(epochs=12)
        lines = []
        result = train(exp, [0], splits(24), report=lambda e, s, h: lines.extend(h))
        losses = [line["validation"]["loss"] for line in lines]
        assert result.state.best_epoch[0] == 1 + int(np.argmin(losses))
        held = splits(24)["validation"]
        again = step.evaluate(exp, of_run(result.state.best, 0), held)
        np.testing.assert_allclose(again["loss"], min(losses), rtol=1e-5)

    def test_monitors_accuracy(self):
        lines = []
        exp = experiment(epochs=6, monitor="depression.accuracy")
        result = train(exp, [1], report=lambda e, s, h: lines.extend(h))
        accuracies = [line["validation"]["depression.accuracy"] for line in lines]
        assert result.state.best_epoch[0] == 1 + int(np.argmax(accuracies))

    def test_unknown_monitor_is_named(self):
        with pytest.raises(UserError, match=r"training\.monitor=f1: unknown metric"):
            train(experiment(monitor="f1"), [0])


class TestDivergence:
    """Guarantee 3: a run that diverges is frozen at its last good state, without the others."""

    @pytest.mark.parametrize("vectorized", [pytest.param(False, marks=pytest.mark.slow), True])
    def test_frozen_and_named(self, vectorized):
        exp, lines = experiment(), []
        huge = {"optimizer.learning_rate": 1e38}
        mixed = train(
            exp,
            [0, 1],
            hyper=[huge, {}],
            devices=1,
            vectorized=vectorized,
            report=lambda e, s, h: lines.extend(h),
        )
        assert list(mixed.state.status) == [Status.DIVERGED, Status.FINISHED]
        assert [line["status"] for line in lines if line["run"] == 0] == ["diverged"]
        finite = jax.tree.map(lambda leaf: bool(np.isfinite(leaf).all()), mixed.state.variables)
        assert all(jax.tree.leaves(finite))
        alone = train(exp, [1], devices=1, vectorized=vectorized)
        chex.assert_trees_all_close(
            of_run(mixed.state, 1), of_run(alone.state, 0), atol=1e-6, rtol=1e-5
        )


class _Killed(Exception):
    pass


class TestResume:
    """Guarantee 4: an interrupted run continues to bit-identical results."""

    @pytest.mark.parametrize("killed_after", [pytest.param(1, marks=pytest.mark.slow), 3])
    def test_bit_identical(self, tmp_path, killed_after):
        exp, seeds = experiment(epochs=5, patience=4), [0, 1, 2]

        def die(epoch, status, history):
            if epoch == killed_after + 1:
                raise _Killed

        with pytest.raises(_Killed):
            train(exp, seeds, folder=tmp_path / "a", report=die)
        resumed = train(exp, seeds, folder=tmp_path / "a", resume=True)
        whole = train(exp, seeds, folder=tmp_path / "b")
        chex.assert_trees_all_equal(resumed.state, whole.state)
        chex.assert_trees_all_equal(resumed.outputs, whole.outputs)

    def test_finished_run_only_predicts(self, tmp_path):
        exp = experiment(epochs=2)
        first = train(exp, [0], folder=tmp_path)
        epochs = []
        again = train(
            exp, [0], folder=tmp_path, resume=True, report=lambda e, s, h: epochs.append(e)
        )
        assert epochs == []
        chex.assert_trees_all_equal(again.outputs, first.outputs)

    @pytest.mark.slow
    def test_on_other_devices(self, tmp_path):
        exp, seeds = experiment(epochs=4), [0, 1, 2]

        def die(epoch, status, history):
            if epoch == 3:
                raise _Killed

        with pytest.raises(_Killed):
            train(exp, seeds, folder=tmp_path, devices=3, report=die)
        resumed = train(exp, seeds, folder=tmp_path, resume=True, devices=2)
        whole = train(exp, seeds, devices=1)
        chex.assert_trees_all_close(resumed.state, whole.state, atol=1e-5, rtol=1e-5)


class TestBatches:
    """Guarantee 5: the last, smaller batch counts with its true size."""

    def test_epoch_equals_a_plain_loop_over_true_batches(self):
        # Without batch statistics, which see the examples that fill a batch.
        exp = experiment(Toy(dropout=0.0, norm=False), batch_size=16)
        data = split(40)
        run = of_run(runs.stack(exp, [5]), 0)
        state = step.init(exp, run, data)
        ours, loss = step.train_epoch(exp, run, state, data)

        order = jax.random.permutation(random.order_key(random.run_key(5), 0), 40)
        tx, key = step.optimizer.build(exp.optimizer), jax.random.key(0)
        losses = []
        for start in (0, 16, 32):
            batch = sampling.gather(data, order[start : start + 16])
            size = len(batch["targets"]["depression"])
            weights: Any = np.ones(size, np.float32)
            state, value = step.update(exp, tx, state, batch, weights, random.update_keys(key, 0))
            losses.append(float(value) * size)
        assert size == 8
        chex.assert_trees_all_close(ours.variables, state.variables, atol=1e-6)
        np.testing.assert_allclose(loss, sum(losses) / 40, rtol=1e-6)

    def test_evaluation_is_the_mean_over_items(self):
        exp = experiment(batch_size=16)
        data = split(33)
        state = step.init(exp, of_run(runs.stack(exp, [0]), 0), data)
        batched = step.evaluate(exp, state.variables, data)
        whole = step.evaluate(experiment(batch_size=33), state.variables, data)
        chex.assert_trees_all_close(batched, whole, rtol=1e-5)
        outputs = step.predict(exp, state.variables, data["inputs"])["emotion"]
        assert outputs.shape == (33, 3)
        right = float((outputs.argmax(-1) == data["targets"]["emotion"]).mean())
        np.testing.assert_allclose(batched["emotion.accuracy"], right, rtol=1e-6)


def test_test_data_influence_nothing():
    """Guarantee 6."""
    other = splits() | {"test": split(31, seed=9)}
    chex.assert_trees_all_equal(
        train(experiment(), [0, 1]).state, train(experiment(), [0, 1], other).state
    )


def test_no_host_round_trip_inside_an_epoch():
    exp, seeds = experiment(), [0, 1]
    layout = devices.layout(2, devices=2)
    placed = layout.place_runs(runs.stack(exp, seeds))
    data = {name: layout.place_shared(part) for name, part in splits().items()}
    first = layout.compile(lambda run, _, data: step.init(exp, run, data))
    state = first(placed, layout.place_runs(np.zeros(2, np.int32)), data["train"])
    program = layout.compile(lambda run, state, *data: step.epoch(exp, run, state, *data))
    arguments = (data["train"], data["validation"])
    state, _ = program(placed, state, *arguments)
    with jax.transfer_guard("disallow"):
        state, _ = program(placed, state, *arguments)
        jax.block_until_ready(state)
    assert list(layout.fetch(state.epoch)) == [2, 2]


def test_one_trace_for_all_epochs_seeds_and_settings():
    exp = experiment()
    traced = chex.assert_max_traces(
        lambda run, state, *data: step.epoch(exp, run, state, *data), n=1
    )
    layout = devices.layout(3, devices=1)
    data = layout.place_shared(splits()["train"])
    program = layout.compile(traced)
    for seeds, rate in ([0, 1, 2], 1e-3), ([7, 8, 9], 1e-2):
        placed = layout.place_runs(runs.stack(exp, seeds, [{"optimizer.learning_rate": rate}] * 3))
        state = jax.vmap(lambda run: step.init(exp, run, splits()["train"]))(runs.stack(exp, seeds))
        for _ in range(2):
            state, _ = program(placed, layout.place_runs(layout.fetch(state)), data, data)
    chex.clear_trace_counter()
