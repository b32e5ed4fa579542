"""Damaged run folders are refused by one message; `make fuzz` damages many more."""

import json
import os
import re
from dataclasses import asdict

import numpy as np
import pytest
from fabricate import run_folder

from jaxdep import overrides
from jaxdep.analysis import attention, group_differences, results
from jaxdep.artifacts import files
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.plain import one_line


@pytest.fixture
def folder(tmp_path):
    return run_folder(tmp_path / "run", items=20)


def damage(path, old, new):
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("predictions.csv", "v003", "x" * 200_000, "field larger than field limit"),
        ("predictions.csv", "emotion", "mood", "config.json has no task mood"),
        (
            "config.json",
            '"weighted"',
            '"median"',
            "depression.average: Input should be 'weighted'",
        ),
        (
            "config.json",
            '"seeds": [',
            '"seeds": ["x", ',
            "seeds.0: Input should be a valid int",
        ),
        ("meta.json", '"bayes_accuracy": 0.9', '"bayes_accuracy": NaN', "NaN is not a JSON value"),
    ],
)
def test_results_of_a_damaged_folder(name, old, new, expected, folder):
    damage(folder / name, old, new)
    with pytest.raises(UserError) as refused:
        results.compute(folder)
    assert expected in str(refused.value)


def test_what_is_not_known_of_a_synthetic_corpus_is_left_out(folder):
    damage(folder / "meta.json", '"chance": 0.5, ', "")
    assert "known" not in results.compute(folder)["tasks"]["depression"]


def test_a_folder_where_a_file_belongs_is_named_and_a_pipe_is_replaced(tmp_path):
    (tmp_path / "predictions.csv").mkdir()
    with pytest.raises(UserError, match=r"predictions\.csv is a folder.*remove it"):
        files.write_text(tmp_path / "predictions.csv", "")
    os.mkfifo(tmp_path / "attention.npz")  # to be opened for writing, it waits for a reader
    files.write_arrays(tmp_path / "attention.npz", SOUND)
    assert files.read_arrays(tmp_path / "attention.npz").keys() == SOUND.keys()
    assert len(list(tmp_path.iterdir())) == 2


SOUND = {
    "ids": np.array(["v1", "v2"]),
    "targets": np.array([0, 1]),
    "predictions": np.array([1, 1]),
    "length": np.array([9, 4]),
    "streams": np.array([["A_A", "voice", "blue"]]),
    "panels": np.zeros((0, 2), str),
    "jaf.0/A_A": np.ones((2, 9)),
}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("targets", np.array([0]), "targets is missing, or is not [2]"),
        ("targets", np.array([0, 7]), "not the index of a class"),
        ("streams", np.array([["A_A", "voice"]]), "streams is missing, or is not [1, 3]"),
        ("streams", np.array([["A_A", "voice", "red"]]), "is not one of blue"),
        ("jaf.0/A_A", np.ones((3, 9)), "jaf.0/A_A is not [2, L]"),
        ("jaf.0/A_A", np.full((2, 9), "a"), "not finite numbers"),
        ("jaf.0/A_A", np.full((2, 9), np.nan), "not finite numbers"),
    ],
)
def test_attention_maps_that_do_not_go_together(name, value, expected):
    assert attention.attention(SOUND, ["no", "yes"])
    with pytest.raises(ValueError, match=re.escape(expected)):
        attention.attention({**SOUND, name: value}, ["no", "yes"])


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({}, "targets is missing"),
        ({"words/visual": np.ones((2, 3, 4))}, r"\[R, 12, L\]"),
        ({"subjects": np.array(["a", "b"])}, r"subjects is not \[12\]"),
        ({"words/visual": np.ones((12, 4))}, r"\[R, 12, L\]"),
        ({"words/visual": np.full((2, 12, 4), np.inf)}, "not finite"),
        ({"words/a": np.ones((2, 12, 4)), "words/b": np.ones((2, 12, 5))}, "numbers of words"),
    ],
)
def test_maps_over_words_that_do_not_go_together(stored, expected):
    targets = {"targets": np.arange(12) % 2} if stored else {}
    with pytest.raises(ValueError, match=expected):
        group_differences.compare(targets | stored, [])


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("model"),
        lambda data: data.update(optimizer=None),
        lambda data: data["training"].update(later=1),
        lambda data: data["tasks"].update(depression=[]),
        lambda data: data["model"].update(hidden="many"),
    ],
)
def test_settings_of_a_damaged_file(change):
    data = json.loads(json.dumps(overrides.to_json(EXPERIMENTS["jamfn-demo"])))
    assert asdict(overrides.from_json(data).optimizer) == data["optimizer"]
    change(data)
    with pytest.raises(UserError):
        overrides.from_json(data)


def test_messages_are_printable_and_short():
    assert one_line("a\x1b[31m\u2028é") == "a\\x1b[31m\\u2028é"
    assert str(UserError("one\n\x00two\n" + "x" * 5000)).startswith("one\n\\x00two\nxxx")
    assert len(str(UserError("x" * 5000))) == 1000
