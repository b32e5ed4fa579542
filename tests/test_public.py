"""The names that a user imports: what they are does not depend on what was asked for before."""

import itertools
import subprocess
import sys

import pytest

import jaxdep

NAMES = [name for name in jaxdep.__all__ if not name.startswith("_")]
CODE = """
import types, jaxdep
for name in {order!r}:
    first, second = getattr(jaxdep, name), getattr(jaxdep, name)
    assert first is second, name
    assert isinstance(first, types.ModuleType) is (name in {modules!r}), name
"""


def test_dir_lists_them():
    assert sorted(jaxdep.__all__) == dir(jaxdep)
    assert {"run", "sweep", "evaluate", "load", "models", "losses", "parity"} <= set(NAMES)


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1]], ids=["forwards", "backwards"])
def test_in_every_order_in_a_fresh_process(order):
    code = CODE.format(order=order, modules={"models", "losses", "parity"})
    subprocess.run([sys.executable, "-c", code], check=True)


def test_in_every_order_here():
    for order in itertools.permutations(["run", "sweep", "evaluate"]):
        assert all(callable(getattr(jaxdep, name)) for name in order)


def test_unknown_names():
    with pytest.raises(AttributeError, match="no attribute 'train_all'"):
        jaxdep.train_all  # noqa: B018
