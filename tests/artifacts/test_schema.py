"""Files of a run directory that are damaged are named, with what is wrong in them."""

import json
import os

import numpy as np
import pytest
from fabricate import run_folder

from jaxdep.artifacts import schema
from jaxdep.artifacts.files import read_arrays, read_json
from jaxdep.artifacts.run_dir import History
from jaxdep.errors import UserError


@pytest.fixture
def folder(tmp_path):
    return run_folder(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda meta: meta.pop("runs"), "runs: Field required"),
        (lambda meta: meta["runs"].append(3), "runs.3: Input should be a valid dictionary"),
        (
            lambda meta: meta["runs"][1].update(seed="1"),
            "runs.1.seed: Input should be a valid integer",
        ),
        (lambda meta: meta["splits"].pop("test"), "splits.test: Field required"),
        (
            lambda meta: meta["corpus"].update(sessions=[]),
            "corpus.sessions: Input should be a valid dictionary",
        ),
        (lambda meta: meta["corpus"].update(skipped=[{}]), "corpus.skipped.0.kind: Field required"),
        (lambda meta: meta.update(classes={"a": "b"}), "classes.a: Input should be a valid list"),
        (lambda meta: meta.update(title=None), "title: Input should be a valid string"),
    ],
)
def test_a_part_that_is_missing_or_of_another_type_is_named(change, expected, folder):
    meta = schema.read(folder / "meta.json")
    change(meta)
    (folder / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(ValueError, match=expected):
        schema.read(folder / "meta.json")


def test_what_the_library_does_not_know_is_permitted(folder):
    meta = schema.read(folder / "meta.json")
    (folder / "meta.json").write_text(json.dumps(meta | {"later": 1}))
    assert schema.read(folder / "meta.json")["later"] == 1
    assert schema.read(folder / "config.json")["paper"]["system"] == "JAMFN"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"NaN", "NaN is not a JSON value"),
        (b"[-Infinity]", "Infinity is not a JSON value"),
        (b"[" * 10**5, "nested too deeply"),
        (b"\xff", "can't decode"),
        (b"", "Expecting value"),
    ],
)
def test_what_is_no_json(content, expected, tmp_path):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ValueError, match=expected):
        read_json(tmp_path / "x.json")


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 10**12)
    for name, expected in (("pipe", "not a file"), (".", "not a file"), ("sparse", "the limit is")):
        with pytest.raises(ValueError, match=expected):
            read_json(tmp_path / name)


def test_a_damaged_line_of_the_history_is_named(folder):
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace('"loss": ', '"los": ')
    path.write_text("\n".join(lines))
    with pytest.raises(UserError, match=r"line 3 \(train.loss: Field required\)"):
        History(path).add(9, [])


def test_the_history_holds_each_run_and_epoch_once(tmp_path):
    path = tmp_path / "metrics.jsonl"
    line = lambda run, epoch, loss: {
        **{"run": run, "seed": run, "epoch": epoch, "status": "running"},
        **{"train": {"loss": loss}, "validation": {"loss": loss}},
    }
    for epoch in (1, 2, 3):
        History(path).add(epoch, [line(0, epoch, 0.5)])
    for epoch in (1, 2):  # another part of the runs
        History(path).add(epoch, [line(1, epoch, 0.5)])
    History(path).add(2, [line(0, 2, 0.25)])  # resumed after the first epoch
    found = [(x["epoch"], x["run"], x["train"]["loss"]) for x in schema.read_history(path)]
    assert found == [(1, 0, 0.5), (1, 1, 0.5), (2, 0, 0.25), (2, 1, 0.5)]


def test_what_is_no_archive_of_arrays(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    content = (tmp_path / "x.npz").read_bytes()
    for damaged in (b"", content[:-9], content[:60] + b"x" * 40 + content[100:]):
        (tmp_path / "x.npz").write_bytes(damaged)
        with pytest.raises(ValueError, match="not an archive of arrays"):
            read_arrays(tmp_path / "x.npz")
