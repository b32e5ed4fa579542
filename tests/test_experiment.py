"""Experiments as values: overrides, messages, JSON there and back, hashes."""

import json
from dataclasses import replace

import pytest

from jaxdep import overrides as ex
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.runner.run import find

JAMFN = EXPERIMENTS["jamfn"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_goes_there_and_back(name):
    original = EXPERIMENTS[name]
    again = ex.from_json(json.loads(json.dumps(ex.to_json(original))))
    assert again == original
    assert ex.digest_of(again) == ex.digest_of(original)
    assert original.name == name


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_overriding_leaves_the_original(name):
    before = ex.digest_of(EXPERIMENTS[name])
    changed = ex.override(EXPERIMENTS[name], {"training.batch_size": 7})
    assert changed.training.batch_size == 7
    assert ex.digest_of(EXPERIMENTS[name]) == before != ex.digest_of(changed)


def test_the_hash_is_stable_and_blind_to_words():
    assert ex.digest_of(replace(JAMFN, title="x")) == ex.digest_of(JAMFN)
    assert ex.digest_of(replace(JAMFN, model=JAMFN.model.clone(hidden=3))) != ex.digest_of(JAMFN)


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("optimizer.learning_rate", "3e-4", 3e-4),
        ("optimizer.learning_rate", "1", 1.0),
        ("training.epochs", "5", 5),
        ("training.monitor", "depression.accuracy", "depression.accuracy"),
        ("model.scales", "1,5", (1, 5)),
        ("model.scales", "3", (3,)),
        ("model.masked", "True", True),
        ("model.fusion", "add", "add"),
        ("corpus.lengths.acoustic", "90", 90),
        ("corpus.options.text_encoder", "folder/model", "folder/model"),
        ("tasks.depression.weight", "0.5", 0.5),
    ],
)
def test_text_becomes_the_type_of_the_field(path, text, value):
    changed = ex.override(JAMFN, {path: text})
    *parts, last = path.split(".")
    part = changed
    for name in parts:
        part = part[name] if isinstance(part, dict) else getattr(part, name)
    found = part[last] if isinstance(part, dict) else getattr(part, last)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer.lerning_rate": 1}, "did you mean 'learning_rate'"),
        ({"optimiser.learning_rate": 1}, "did you mean 'optimizer'"),
        ({"model.hiden": 1}, "did you mean 'hidden'"),
        ({"training.epochs": "many"}, r"training\.epochs=many: expected an integer"),
        ({"training.epochs": "2.5"}, r"training\.epochs=2\.5: expected an integer"),
        ({"model.masked": "1"}, "expected True or False"),
        ({"model": "x"}, "'model' is a group"),
        ({"training.epochs.first": 1}, "'epochs' has no fields"),
        ({"tasks.emotion.weight": 1}, "no field 'emotion'"),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(UserError, match=message):
        ex.override(JAMFN, changes)


def test_assignments():
    assert ex.parse_assignments(["a.b=1", "c=x=y"]) == {"a.b": "1", "c": "x=y"}
    for wrong in ("a.b", "=1"):
        with pytest.raises(UserError, match="KEY=VALUE"):
            ex.parse_assignments([wrong])


def test_finding_by_name():
    assert find("jamfn-demo").name == "jamfn-demo"
    with pytest.raises(UserError, match="did you mean 'jamfn-demo'"):
        find("jamfn-demos")
    with pytest.raises(UserError, match="jaxdep list"):
        find("xyz")
