"""Settings as plain data: flattened, compared, and named as shortly as they can be."""

import pytest

from jaxdep.settings.paths import assignments, differences, flat, short_names


def test_flat():
    data = {"a": {"b": 1, "c": {"d": [1, 2], "e": {}}}, "f": None}
    assert flat(data) == {"a.b": 1, "a.c.d": [1, 2], "f": None}


def test_differences_have_both_values():
    before, after = {"a": 1, "b": 2, "c": 3}, {"b": 2, "a": 4, "d": 5}
    assert differences(before, after) == {"a": (1, 4), "d": (None, 5), "c": (3, None)}
    assert differences(before, dict(before)) == {}


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("model.hidden", "hidden"),
        ("optimizer.name", "optimizer.name"),
        ("tasks.a.weight", "a.weight"),
        ("tasks.a.options.weight", "options.weight"),
        ("name", "name"),  # no shorter one, though others end with it
    ],
)
def test_short_names_are_no_ending_of_another_setting(path, short):
    known = ["model.hidden", "name", "optimizer.name", "corpus.name"]
    known += ["tasks.a.weight", "tasks.b.weight", "tasks.a.options.weight"]
    assert short_names([path], known) == {path: short}


def test_assignments_are_short_and_on_one_line():
    values = {"model.scales": [1, 3], "a.b\nc": "x\x1b\n", "encoder": "/far/" + "x" * 90 + "/mini"}
    found = assignments(values, values)
    assert found[:2] == ["scales=(1, 3)", r"b\nc=x\x1b\n"]
    assert found[2].startswith("encoder=...xxx")
    assert found[2].endswith("/mini")
    assert all(len(text) < 60 and "\n" not in text for text in found)
