"""Modality dropout: what is drawn, what a model then sees, and that seeds stay what they are."""

from dataclasses import replace
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import seen
from small import SMALL
from train_and_test import train_and_test

from jaxdep import random
from jaxdep.data.opening import open_corpus
from jaxdep.data.preparation import prepare_or_synthesize
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment, Task
from jaxdep.models import SPECS, LogisticRegression
from jaxdep.models.spec import without_dropout
from jaxdep.overrides import is_traceable, override
from jaxdep.runner import search_space
from jaxdep.runner.run import find
from jaxdep.train import devices, modality_dropout, runs, step
from jaxdep.train.streaming import StreamTrainer

NOTHING, VOICE, FACE, BOTH = range(4)


@pytest.fixture(scope="module", autouse=True)
def models():
    with seen.registered():
        yield


def drawn(probability, recorded, seed=0):
    key = jax.random.key(seed)
    return np.asarray(modality_dropout.staying(key, jnp.asarray(recorded), probability))


class TestDraws:
    @pytest.mark.parametrize("count", [2, 3])
    @pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
    def test_frequencies(self, probability, count):
        """Each is absent with p, but for 1 of the M equal chances to be the one that stays."""
        stays = drawn(probability, np.ones((40_000, count), bool))
        expected = probability - probability**count / count
        np.testing.assert_allclose((~stays).mean(0), expected, atol=0.01)
        every = (1 - probability) ** count
        np.testing.assert_allclose(stays.all(1).mean(), every, atol=0.01)

    def test_modalities_are_drawn_independently(self):
        stays = drawn(0.4, np.ones((40_000, 3), bool))
        both = (~stays[:, 0] & ~stays[:, 1]).mean()
        np.testing.assert_allclose(both, 0.4**2 - 2 / 3 * 0.4**3, atol=0.01)

    def test_one_stays_even_if_all_are_dropped(self):
        stays = drawn(1.0, np.ones((9_000, 3), bool))
        assert (stays.sum(1) == 1).all()
        np.testing.assert_allclose(stays.mean(0), 1 / 3, atol=0.02)

    def test_the_one_that_stays_is_recorded(self):
        recorded = np.tile([[False, True, True], [False, True, False]], (500, 1))
        for probability in (0.5, 1.0):
            stays = drawn(probability, recorded)
            assert (stays & recorded).any(1).all()
        assert drawn(1.0, np.zeros((5, 2), bool)).any(1).all()

    def test_none_is_dropped_with_probability_0(self):
        assert drawn(0.0, np.ones((10_000, 2), bool)).all()
        traced = jax.jit(modality_dropout.staying)
        assert traced(jax.random.key(0), jnp.ones((10_000, 2), bool), 0.0).all()

    def test_draws_follow_seed_and_step(self):
        steps = [(seed, number) for seed in (0, 1) for number in (0, 1)]
        keys = [random.modality_key(random.run_key(seed), number) for seed, number in steps]
        recorded = jnp.ones((200, 2), bool)
        found = {np.asarray(modality_dropout.staying(k, recorded, 0.5)).tobytes() for k in keys}
        assert len(found) == 4


class TestInputs:
    def test_absent_inputs_are_zero_and_the_others_untouched(self):
        rng = np.random.default_rng(0)
        base = replace(
            seen.experiment(0.5), model=SPECS["amm"].model(), tasks={"depression": Task()}
        )
        rows = 64
        inputs = {
            "text": rng.normal(size=(rows, 4, 3)).astype(np.float32) + 9,
            "text_mask": np.ones((rows, 4), bool),
            "gender": np.ones((rows, 2), np.float32),
            "visual": rng.integers(1, 256, (rows, 5, 2), np.uint8),
            "visual_mask": np.ones((rows, 5), bool),
            "visual_functionals": np.ones((rows, 10), np.float32),
            "color": np.ones((rows, 3), np.float32),
            "age": np.ones((rows, 1), np.float32),
        }
        found = modality_dropout.drop(base, inputs, random.run_key(3), 5)
        chex.assert_trees_all_equal_shapes_and_dtypes(found, inputs)
        stays = {
            "text": np.asarray(found["text_mask"]).all(1),
            "visual": np.asarray(found["visual_mask"]).all(1),
        }
        belongs = {
            "text": ["text", "text_mask", "gender"],
            "visual": ["visual", "visual_mask", "visual_functionals", "color"],
        }
        for modality, names in belongs.items():
            assert 0 < stays[modality].sum() < rows
            for name in names:
                x = np.asarray(found[name])
                np.testing.assert_array_equal(x[stays[modality]], inputs[name][stays[modality]])
                assert not x[~stays[modality]].any(), name
        assert (stays["text"] | stays["visual"]).all()
        np.testing.assert_array_equal(found["age"], inputs["age"])

    def test_a_constant_0_changes_nothing(self):
        inputs = seen.split(4)["inputs"]
        assert modality_dropout.drop(seen.experiment(0.0), inputs, random.run_key(0), 0) is inputs


def train(base, seeds, hyper=(), layout=None, **options):
    layout = layout or devices.layout(len(seeds), devices=1)
    return train_and_test(base, runs.stack(base, seeds, hyper), seen.splits(), layout, **options)


def counts(trained):
    """Training examples of each run by what they had, [R, 4]."""
    return np.asarray(trained.state.variables["batch_stats"]["seen"])


@pytest.fixture(scope="module")
def together():
    """Three seeds, on as many devices."""
    return train(seen.experiment(0.4), [0, 1, 2], layout=devices.layout(3))


class TestTraining:
    def test_a_model_sees_what_was_drawn(self, together):
        found = counts(together)
        assert (found.sum(1) == 4 * 96).all()
        assert not found[:, NOTHING].any()
        shares = found.sum(0) / found.sum()
        expected = [0, 0.4 * 0.6 + 0.08, 0.4 * 0.6 + 0.08, 0.36]
        np.testing.assert_allclose(shares, expected, atol=0.05)

    def test_all_is_seen_without_it(self):
        for base, hyper in (
            (seen.experiment(0.0), ()),
            (seen.experiment(0.0), [{"training.modality_dropout": 0.0}]),
        ):
            assert counts(train(base, [0], hyper)).tolist() == [[0, 0, 0, 4 * 96]]

    def test_examples_that_fill_a_batch_do_not_count(self):
        """They are masked for the statistics, as without modality dropout."""
        base = override(seen.experiment(1.0), {"training.batch_size": 20})
        found = counts(train(base, [0]))[0]
        assert found[[NOTHING, BOTH]].tolist() == [0, 0]
        assert found[[VOICE, FACE]].sum() == 4 * 96

    @pytest.mark.parametrize(
        ("seeds", "how"),
        [
            pytest.param([2, 1], {"devices": 8, "batch_size": 16}, id="batches over devices"),
            pytest.param([2, 1], {"devices": 2, "backend": "pmap"}, id="pmap"),
            pytest.param([1], {"devices": 1}, id="alone", marks=pytest.mark.slow),
            pytest.param(
                [1, 0], {"devices": 1, "vectorized": True}, id="vectorized", marks=pytest.mark.slow
            ),
        ],
    )
    def test_a_seed_draws_the_same_in_any_company(self, together, seeds, how):
        other = train(seen.experiment(0.4), seeds, layout=devices.layout(len(seeds), **how))
        here = seeds.index(1)
        np.testing.assert_array_equal(counts(other)[here], counts(together)[1])
        np.testing.assert_allclose(
            other.outputs["depression"][here], together.outputs["depression"][1], atol=1e-5
        )

    def test_seeds_differ(self, together):
        assert len({row.tobytes() for row in counts(together)}) == 3

    def test_traced_equals_constant(self):
        """Also where 0 is traced: one program for all probabilities of a sweep."""
        base, probabilities = seen.experiment(0.0), [0.0, 0.3, 1.0]
        hyper = [{"training.modality_dropout": p} for p in probabilities]
        traced = train(base, [5, 5, 5], hyper)
        for row, probability in enumerate(probabilities):
            constant = train(seen.experiment(probability), [5])
            np.testing.assert_array_equal(counts(traced)[row], counts(constant)[0])
            np.testing.assert_allclose(
                traced.outputs["depression"][row], constant.outputs["depression"][0], atol=1e-5
            )
        assert len({row.tobytes() for row in counts(traced)}) == 3

    @pytest.mark.parametrize("killed_after", [1, pytest.param(3, marks=pytest.mark.slow)])
    def test_resumes_bit_for_bit(self, tmp_path, killed_after):
        class Killed(Exception):
            pass

        def die(epoch, status, history):
            if epoch == killed_after + 1:
                raise Killed

        base = seen.experiment(0.4)
        with pytest.raises(Killed):
            train(base, [0, 1], folder=tmp_path / "a", report=die)
        resumed = train(base, [0, 1], folder=tmp_path / "a", resume=True)
        whole = train(base, [0, 1], folder=tmp_path / "b")
        chex.assert_trees_all_equal(resumed.state, whole.state)
        chex.assert_trees_all_equal(resumed.outputs, whole.outputs)


def test_streamed_equals_resident(tmp_path):
    demo = find("jamfn-demo", SMALL | {"training.batch_size": 8, "training.epochs": 2})
    probability = {"training.modality_dropout": 0.4}
    base = override(replace(demo, model=seen.Seen()), probability)
    folder = prepare_or_synthesize(base.corpus, data_dir=tmp_path, log=lambda line: None)
    opened = lambda stream: open_corpus(folder, base.corpus, base.labels, stream=stream).splits
    layout, all_runs = devices.layout(2, devices=2), runs.stack(base, [0, 1])
    resident = {name: split.arrays for name, split in opened(False).items()}
    expected = runs.Trainer(base, resident, layout).train(all_runs)
    found = StreamTrainer(base, opened(True), layout).train(all_runs)
    stats = lambda state: state.variables["batch_stats"]
    chex.assert_trees_all_equal(stats(found), stats(expected))
    assert (stats(found)["seen"][:, [VOICE, FACE, BOTH]] > 0).all()
    chex.assert_trees_all_close(found.best, expected.best, atol=1e-5)


class TestRefusals:
    @pytest.mark.parametrize(
        ("model", "reads"),
        [
            (SPECS["amm"].model(modalities=("text",)), "AMM reads text alone"),
            (LogisticRegression(), "LogisticRegression has no modalities to drop"),
        ],
    )
    def test_models_without_a_second_modality(self, model, reads):
        base = replace(seen.experiment(0.0), model=model)
        with pytest.raises(UserError, match=rf"modality_dropout=0\.2: {reads}; set"):
            override(base, {"training.modality_dropout": 0.2})
        axes = {"training.modality_dropout": (0, 0.2)}
        with pytest.raises(UserError, match=reads):
            search_space.group(base, search_space.grid(axes))

    @pytest.mark.parametrize("value", [-0.1, 1.1, "nan", "often"])
    def test_what_is_no_probability(self, value):
        with pytest.raises(UserError, match="a number of at least 0 and at most 1"):
            override(seen.experiment(), {"training.modality_dropout": value})

    def test_a_sweep_over_it_is_one_program(self):
        base = seen.experiment()
        assert is_traceable(base, "training.modality_dropout")
        axes = {"training.modality_dropout": (0, 0.2, 0.5), "optimizer.learning_rate": (1e-3, 1e-2)}
        [group] = search_space.group(base, search_space.grid(axes))
        assert len(group.members) == 6


def of_system(name) -> Experiment:
    """An experiment that trains the small first variant of a system."""
    spec = SPECS[name]
    model = without_dropout(next(iter(spec.small().values())))
    tasks = {task: Task(**fields) for task, fields in spec.tasks(model).items()}
    base = replace(seen.experiment(batch_size=4), model=model, tasks=tasks)
    return override(base, {"training.modality_dropout": 0.5})


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in SPECS if n not in ("seen", "fragile")])
def test_every_system_trains_without_some_modalities(name):
    """Batch statistics included, which are those of what stays."""
    base, spec = of_system(name), SPECS[name]
    inputs = spec.inputs(base.model, 4, 6)
    targets = spec.targets(base.model, 4, np.random.default_rng(0))
    data: Any = {"inputs": inputs, "targets": targets}
    run = jax.tree.map(lambda x: x[0], runs.stack(base, [0]))
    state = jax.jit(lambda run: step.init(base, run, data))(run)
    update = jax.jit(
        lambda state, number: step.one_step(base, run, state, data, jnp.ones(4), number, 1)
    )
    for number in range(3):
        state, loss = update(state, number)
        assert np.isfinite(loss)
    chex.assert_tree_all_finite(state.variables)
    assert state.status == 0
