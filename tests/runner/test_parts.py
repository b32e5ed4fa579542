"""Runs that do not fit in memory together: trained in parts, interrupted, streamed, the same."""

import csv
import json

import pytest

import jaxdep
from jaxdep.errors import UserError
from jaxdep.runner import input_pipeline
from jaxdep.train import host_memory, memory
from jaxdep.train.runs import Trainer

WRITTEN = ("results.json", "predictions.csv", "validation.csv", "metrics.jsonl")
SMALL = {"training.epochs": 3, "corpus.synthetic.items": 60}


@pytest.fixture(scope="module")
def trained(toy_demo, tmp_path_factory):
    """Trains three seeds of the toy system on one device, with what is said meanwhile."""
    data_dir = tmp_path_factory.mktemp("data")

    def train(out, **options):
        said = []
        options = {"seeds": 3, "devices": 1, "overrides": SMALL, **options}
        result = jaxdep.run(toy_demo, out=out, data_dir=data_dir, log=said.append, **options)
        return result.folder, said

    return train


@pytest.fixture(scope="module")
def whole(trained, tmp_path_factory):
    return trained(tmp_path_factory.mktemp("runs") / "whole")[0]


@pytest.fixture(scope="module")
def parts(trained, tmp_path_factory):
    return trained(tmp_path_factory.mktemp("runs") / "parts", runs_per_device=2)


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def probabilities(folder):
    with (folder / "predictions.csv").open() as file:
        return [float(row["probability"]) for row in csv.DictReader(file)]


def test_parts_are_runs_like_any(whole, parts):
    folder, said = parts
    assert any(line.startswith("memory: 3 runs, 2 at a time, 1 device, about ") for line in said)
    assert any(line.startswith("memory: at most ") for line in said)
    assert sum(line.startswith("an epoch of all runs takes ") for line in said) == 1
    ours, theirs = lines(folder), lines(whole)
    keys = [(line["epoch"], line["run"], line["seed"]) for line in theirs]
    assert [(line["epoch"], line["run"], line["seed"]) for line in ours] == keys
    losses = lambda read: [line["train"]["loss"] for line in read]
    assert losses(ours) == pytest.approx(losses(theirs), abs=1e-5)
    assert probabilities(folder) == pytest.approx(probabilities(whole), abs=1e-5)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        path.name for path in whole.iterdir()
    )
    again = jaxdep.evaluate(folder, log=lambda line: None)
    assert (again.folder / "predictions.csv").read_bytes() == (
        folder / "predictions.csv"
    ).read_bytes()
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["memory"]["at_once"] == 2
    assert meta["memory"]["peak_bytes"] > meta["memory"]["planned_bytes"] > 0
    assert "Runs at once: 2. Memory: planned " in (folder / "report.html").read_text()


class Interrupted(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("place", ["in the first part", "in the second part", "between files"])
def test_interrupted(parts, trained, tmp_path, monkeypatch, place):
    out = tmp_path / "run"
    epochs = {"in the first part": 2, "in the second part": 5, "between files": 99}[place]
    train, keep, seen = Trainer._advance, memory.hosts.wait, []

    def advance(self, *args):
        seen.append(args)
        if len(seen) == epochs:
            raise Interrupted
        return train(self, *args)

    def wait(name):
        if name == "parts" and place == "between files":
            raise Interrupted
        keep(name)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_advance", advance)
        patch.setattr(memory.hosts, "wait", wait)
        with pytest.raises(Interrupted):
            trained(out, runs_per_device=2)
    # The division stays, even if there is more memory now.
    folder, said = trained(out, resume=True)
    assert any("2 at a time" in line for line in said)
    for name in WRITTEN:
        assert (folder / name).read_bytes() == (parts[0] / name).read_bytes(), name
    assert not (folder / "parts").exists()


def test_divided_by_the_memory_that_is_left(trained, whole, tmp_path, monkeypatch):
    planned = json.loads((whole / "meta.json").read_text())["memory"]["planned_bytes"]
    monkeypatch.setattr(memory, "available_bytes", lambda layout: int(0.8 * planned))
    folder, said = trained(tmp_path / "run")
    assert any("3 runs, 2 at a time" in line or "1 at a time" in line for line in said)
    assert probabilities(folder) == pytest.approx(probabilities(whole), abs=1e-5)


def test_recordings_that_do_not_fit_are_streamed(trained, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(input_pipeline, "_SURELY_FITS", 0)
    _, said = trained(tmp_path / "fits")
    assert not any("recordings take" in line for line in said)
    with monkeypatch.context() as patch:
        patch.setattr(host_memory, "available", lambda: 100_000)
        patch.setattr(memory, "available_bytes", lambda layout: 2**30)
        folder, said = trained(tmp_path / "run")
    assert any("they are read from disk during training" in line for line in said)
    assert probabilities(folder) == pytest.approx(probabilities(whole), abs=1e-5)


@pytest.mark.parametrize("option", [{"stream": True}, {"runs_per_device": 2}])
def test_what_means_nothing_is_refused(tmp_path, option):
    with pytest.raises(UserError, match="is fitted in memory, seed by seed; omit --"):
        jaxdep.run("lr-dvlog", out=tmp_path / "run", **option)
    assert not (tmp_path / "run").exists()


def test_streamed_in_parts(trained, whole, tmp_path):
    folder, said = trained(tmp_path / "run", stream=True, runs_per_device=1)
    assert any("3 runs, 1 at a time, 1 device, about " in line for line in said)
    assert probabilities(folder) == pytest.approx(probabilities(whole), abs=1e-5)
