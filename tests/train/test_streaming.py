"""Streamed runs are the resident runs, and go on where they were killed."""

from dataclasses import replace

import chex
import jax
import numpy as np
import pytest
from small import SMALL
from toy import Toy

import jaxdep
from jaxdep.artifacts.files import read_arrays
from jaxdep.data.opening import open_corpus
from jaxdep.data.preparation import prepare_or_synthesize
from jaxdep.errors import UserError
from jaxdep.runner.run import find
from jaxdep.train import checkpoint, devices, runs
from jaxdep.train.status import Status
from jaxdep.train.streaming import StreamTrainer

JAMFN = find("jamfn-demo", SMALL | {"training.batch_size": 8, "training.epochs": 2})
EXPERIMENT = replace(JAMFN, model=Toy())
SEEDS = [0, 1, 2]
LONGER = {"corpus.lengths.acoustic": 80, "corpus.lengths.visual": 80}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    return prepare_or_synthesize(EXPERIMENT.corpus, data_dir=data, log=lambda line: None)


def splits_of(experiment, prepared, stream=False):
    return open_corpus(prepared, experiment.corpus, experiment.labels, stream=stream).splits


@pytest.fixture(scope="module")
def stored(prepared):
    return splits_of(EXPERIMENT, prepared, stream=True)


@pytest.fixture(scope="module")
def resident(prepared):
    """State, history and test outputs of the same runs with their data in memory."""
    splits = splits_of(EXPERIMENT, prepared)
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
    [
        pytest.param({"devices": 2}, id="a padded axis"),
        pytest.param({"devices": 8}, id="batches over devices"),
        pytest.param({"devices": 1}, id="one device", marks=pytest.mark.slow),
        pytest.param({"devices": 2, "backend": "pmap"}, id="pmap", marks=pytest.mark.slow),
    ],
)
def test_equals_resident(stored, resident, how):
    layout = devices.layout(3, batch_size=EXPERIMENT.training.batch_size, **how)
    assert_same(outcome(StreamTrainer(EXPERIMENT, stored, layout), stored["test"]), resident)


def both(prepared, changes, layout):
    """The streamed trainer and its training split, once its outcome was that of the resident."""
    experiment = find(EXPERIMENT, changes)
    splits = splits_of(experiment, prepared)
    trainer = runs.Trainer(experiment, {n: s.arrays for n, s in splits.items()}, layout)
    stored = splits_of(experiment, prepared, stream=True)
    streamed = StreamTrainer(experiment, stored, layout)
    assert_same(outcome(streamed, stored["test"]), outcome(trainer, splits["test"].arrays))
    return streamed, stored["train"]


@pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_buckets_equal_resident_and_pad_less(prepared, count):
    """Both paths meet the same batches; what is read from disk is padded to its group alone."""
    changes = {"training.buckets": 3} | LONGER
    streamed, train = both(prepared, changes, devices.layout(3, devices=count))
    padded = {lengths["acoustic"] for lengths in streamed._lengths(train)}
    assert len(padded) == 3
    assert max(padded) == train.lengths["acoustic"]


def test_balanced_batches_equal_resident(prepared):
    both(prepared, {"training.sampler": "balanced"}, devices.layout(3, devices=1))


def test_buckets_of_a_model_that_has_one_length(prepared):
    experiment = find(JAMFN, {"training.buckets": 3} | LONGER)
    stored = splits_of(experiment, prepared, stream=True)
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


@pytest.mark.parametrize("epoch", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_killed_inside_an_epoch(stored, tmp_path, monkeypatch, epoch):
    """What follows a checkpoint inside an epoch is bit for bit what would have followed."""
    new_trainer = lambda: StreamTrainer(
        EXPERIMENT, stored, devices.layout(3, devices=2), save_every=2
    )
    whole = outcome(new_trainer(), stored["test"])

    steps, save = 5, checkpoint.save

    def save_then_die(checkpoints, number, state):
        save(checkpoints, number, state)
        if number == epoch * steps + 4:
            checkpoints.wait_until_finished()
            raise Killed

    monkeypatch.setattr(checkpoint, "save", save_then_die)
    folder = tmp_path / "checkpoints"
    with pytest.raises(Killed):
        outcome(new_trainer(), stored["test"], folder=folder)
    monkeypatch.setattr(checkpoint, "save", save)
    assert (tmp_path / "checkpoints-within").is_dir()
    read = []
    trainer = new_trainer()
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


@pytest.mark.slow
def test_from_the_command(prepared, tmp_path):
    data = prepared.parent
    of = lambda name, **how: jaxdep.run(
        JAMFN, out=tmp_path / name, seeds=2, data_dir=data, log=lambda line: None, **how
    )
    streamed, resident = of("s", stream=True), of("r")
    for ours, theirs in zip(streamed.results["runs"], resident.results["runs"], strict=True):
        assert ours == theirs
    assert (streamed.folder / "attention.npz").is_file()
    ours, theirs = (read_arrays(run.folder / "inputs.npz") for run in (streamed, resident))
    assert ours["digest"] == theirs["digest"]
    again = jaxdep.evaluate(streamed.folder, log=lambda line: None)
    for name, task in streamed.results["tasks"].items():
        same = again.results["tasks"][name]
        assert same["summary"] == task["summary"]
        # Temperatures depend on the outputs themselves, which other programs round differently.
        temperature = task["calibration"]["temperature"]["per_run"]
        assert same["calibration"]["temperature"]["per_run"] == pytest.approx(temperature, rel=1e-3)


def test_a_baseline_does_not_stream(tmp_path):
    with pytest.raises(UserError, match="omit --stream"):
        jaxdep.run("lr-mgid-text", stream=True, out=tmp_path / "r")
    assert not (tmp_path / "r").exists()
