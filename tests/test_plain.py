"""Texts that are listed in a message or a title."""

from jaxdep.plain import listed


def test_long_lists_are_cut_with_a_count():
    assert listed(["a=1"]) == "a=1"
    assert listed(["a=1", "b=2"]) == "a=1, b=2"
    assert listed(["a=1", "b=2", "c=3", "d=4"], longest=8) == "a=1, b=2 and 2 more"
    assert listed(["a" * 90, "b"]) == "a" * 90 + " and 1 more"
