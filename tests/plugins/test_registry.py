"""Registries: built-in values first, then entry points; each fault is one message."""

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from jaxdep import plugins
from jaxdep.errors import UserError
from jaxdep.plugins import Registry

GROUP = "jaxdep.things"
THREE, NAMED, TEXT = 3, SimpleNamespace(name="other"), "text"


@pytest.fixture
def registry(monkeypatch):
    """Makes a registry of the built-in `one` and of entry points, given as name and attribute."""

    def make(*points, kind=int):
        found = [EntryPoint(name, f"{__name__}:{attribute}", GROUP) for name, attribute in points]
        monkeypatch.setattr(plugins, "entry_points", lambda group: found)
        return Registry(GROUP, {"one": 1}, kind)

    return make


def test_names_of_other_packages_come_last(registry, monkeypatch):
    monkeypatch.setattr(EntryPoint, "load", lambda point: THREE)
    things = registry(("three", "THREE"), ("a", "THREE"))
    assert list(things) == ["one", "a", "three"]
    assert things["three"] == 3
    assert len(things) == 3
    assert "four" not in things


@pytest.mark.parametrize(
    ("name", "value", "kind", "message"),
    [
        ("one", THREE, int, "already has 'one'"),
        ("text", TEXT, int, "must be of type int"),
        ("thing", NAMED, SimpleNamespace, "'thing' is named 'other'"),
    ],
)
def test_a_wrong_entry_point_is_named(registry, monkeypatch, name, value, kind, message):
    monkeypatch.setattr(EntryPoint, "load", lambda point: value)
    things = registry((name, "VALUE"), kind=kind)
    with pytest.raises(UserError, match=message):
        things[name] if name != "one" else list(things)


def test_a_package_that_fails_to_import_is_named(registry):
    things = registry(("broken", "no_such_attribute"))
    with pytest.raises(UserError, match=r"cannot load .* 'broken'"):
        things["broken"]
