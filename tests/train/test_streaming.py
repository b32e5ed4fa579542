"""Streamed runs are the resident runs, and go on where they were killed."""

import chex
import jax
import numpy as np
import pytest
from small import SMALL

from jaxdep import launch, material
from jaxdep.errors import UserError
from jaxdep.train import checkpoint, devices, runs
from jaxdep.train.status import Status
from jaxdep.train.streaming import StreamTrainer

EXPERIMENT = launch.find("jamfn-demo", SMALL | {"training.batch_size": 8, "training.epochs": 2})
SEEDS = [0, 1, 2]
LONGER = {"corpus.lengths.acoustic": 80, "corpus.lengths.visual": 80}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    return material.prepare(EXPERIMENT, None, data_dir=data, log=lambda line: None)


@pytest.fixture(scope="module")
def stored(prepared):
    return material.load(EXPERIMENT, prepared, streamed=True)


@pytest.fixture(scope="module")
def resident(prepared):
    """State, history and test outputs of the same runs with their data in memory."""
    splits = material.load(EXPERIMENT, prepared)
    trainer = runs.Trainer(
        EXPERIMENT, {n: s.arrays for n, s in splits.items()}, devices.layout(3, devices=1)
    )
    return outcome(trainer, splits["test"].arrays)


def outcome(trainer, test, **how):
    history = []
    note = lambda epoch, status, lines: history.extend(lines)
    state = trainer.train(runs.stack(trainer.experiment, SEEDS), report=note, **how)
    return state, history, trainer.predict(state.best, test)


def assert_same(found, expected):
    state, history, outputs = found
    # Adam divides by the size of a gradient: where that is small, rounding shows in the state.
    chex.assert_trees_all_close(state, expected[0], atol=3e-5)
    chex.assert_trees_all_close(outputs, expected[2], atol=1e-5)
    assert [line.pop("status") for line in history] == [line["status"] for line in expected[1]]
    numbers = [{k: v for k, v in line.items() if k != "status"} for line in expected[1]]
    chex.assert_trees_all_close(history, numbers, atol=1e-5)


@pytest.mark.parametrize(
    "how",
    [{"devices": 1}, {"devices": 2}, {"devices": 2, "backend": "pmap"}, {"devices": 8}],
    ids=["one device", "a padded axis", "pmap", "batches over devices"],
)
def test_equals_resident(stored, resident, how):
    layout = devices.layout(3, batch_size=EXPERIMENT.training.batch_size, **how)
    assert_same(outcome(StreamTrainer(EXPERIMENT, stored, layout), stored["test"]), resident)


def both(prepared, changes, layout):
    """The streamed trainer and its training split, once its outcome was that of the resident."""
    experiment = launch.find(EXPERIMENT, changes)
    splits = material.load(experiment, prepared)
    trainer = runs.Trainer(experiment, {n: s.arrays for n, s in splits.items()}, layout)
    stored = material.load(experiment, prepared, streamed=True)
    streamed = StreamTrainer(experiment, stored, layout)
    assert_same(outcome(streamed, stored["test"]), outcome(trainer, splits["test"].arrays))
    return streamed, stored["train"]


@pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_buckets_equal_resident_and_pad_less(prepared, count):
    """Both paths meet the same batches; what is read from disk is padded to its group alone."""
    changes = {"training.buckets": 3, "model.fusion": "add", "model.masked": True} | LONGER
    streamed, train = both(prepared, changes, devices.layout(3, devices=count))
    padded = {lengths["acoustic"] for lengths in streamed._lengths(train)}
    assert len(padded) == 3
    assert max(padded) == train.lengths["acoustic"]


def test_balanced_batches_equal_resident(prepared):
    both(prepared, {"training.sampler": "balanced"}, devices.layout(3, devices=1))


def test_buckets_of_a_model_that_has_one_length(prepared):
    experiment = launch.find(EXPERIMENT, {"training.buckets": 3} | LONGER)
    stored = material.load(experiment, prepared, streamed=True)
    trainer = StreamTrainer(experiment, stored, devices.layout(3, devices=1))
    with pytest.raises(UserError, match=r"cannot read recordings of .* set training.buckets=1"):
        trainer.train(runs.stack(experiment, SEEDS))


def test_a_stopped_run_stays_as_it_was(stored):
    trainer = StreamTrainer(EXPERIMENT, stored, devices.layout(3, devices=1))
    all_runs = runs.stack(EXPERIMENT, SEEDS)
    state = trainer.init(all_runs)
    state = state.replace(status=np.array([0, Status.STOPPED, 0], np.int32))
    after = trainer.train(all_runs, state=state)
    one = lambda tree, run: jax.tree.map(lambda x: x[run], tree)
    chex.assert_trees_all_equal(one(after, 1), one(state, 1))
    assert after.epoch.tolist() == [2, 0, 2]


class Killed(Exception):
    pass


@pytest.mark.parametrize("epoch", [0, 1])
def test_killed_inside_an_epoch(stored, tmp_path, monkeypatch, epoch):
    """What follows a checkpoint inside an epoch is bit for bit what would have followed."""
    made = lambda: StreamTrainer(EXPERIMENT, stored, devices.layout(3, devices=2), save_every=2)
    whole = outcome(made(), stored["test"])

    steps, save = 5, checkpoint.save

    def save_then_die(checkpoints, number, state):
        save(checkpoints, number, state)
        if number == epoch * steps + 4:
            checkpoints.wait_until_finished()
            raise Killed

    monkeypatch.setattr(checkpoint, "save", save_then_die)
    folder = tmp_path / "checkpoints"
    with pytest.raises(Killed):
        outcome(made(), stored["test"], folder=folder)
    monkeypatch.setattr(checkpoint, "save", save)
    assert (tmp_path / "checkpoints-within").is_dir()
    read = []
    trainer = made()
    batches = stored["train"].__class__.read
    monkeypatch.setattr(
        stored["train"].__class__, "read", lambda s, *what: read.append(s) or batches(s, *what)
    )
    state, history, outputs = outcome(trainer, stored["test"], folder=folder, resume=True)
    chex.assert_trees_all_equal((state, outputs), (whole[0], whole[2]))
    assert history == [line for line in whole[1] if line["epoch"] > epoch]
    met = sum(s is stored["train"] for s in read)
    assert met == (1 - epoch) * steps + 1  # the last step of one epoch, and what comes after it
    assert not (tmp_path / "checkpoints-within").exists()


def test_from_the_command(prepared, tmp_path):
    data = prepared.parent
    of = lambda name, **how: launch.run(
        EXPERIMENT, out=tmp_path / name, seeds=2, data_dir=data, log=lambda line: None, **how
    )
    streamed, resident = of("s", stream=True), of("r")
    for ours, theirs in zip(streamed.results["runs"], resident.results["runs"], strict=True):
        assert ours == theirs
    assert (streamed.folder / "attention.npz").is_file()
    again = launch.evaluate(streamed.folder, log=lambda line: None)
    assert again.results["tasks"] == streamed.results["tasks"]


def test_a_baseline_does_not_stream(tmp_path):
    with pytest.raises(UserError, match="leave out --stream"):
        launch.run("lr-mgid-text", stream=True, out=tmp_path / "r")
    assert not (tmp_path / "r").exists()
