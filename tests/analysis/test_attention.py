"""Figures of attention maps, and what is said of them."""

from typing import Any

import numpy as np
import pytest
from fabricate import run_folder

from jaxdep.analysis import attention, report


def test_maps_are_drawn_for_the_report(tmp_path):
    folder = run_folder(tmp_path / "a")
    maps: Any = {
        f"jaf.{k}/{symbol}": np.random.default_rng(k).random((2, 9))
        for k in range(3)
        for symbol in ("A_A", "A_V", "T_A")
    }
    np.savez(
        folder / "attention.npz",
        ids=np.array(["v1", "v2"]),
        targets=[0, 1],
        predictions=[1, 1],
        length=[9, 4],
        streams=[["A_A", "voice", "blue"], ["A_V", "face", "orange"]],
        panels=np.zeros((0, 2), str),
        **maps,
    )
    report.write([folder])
    assert (folder / "figures" / "attention.png").stat().st_size > 10_000


@pytest.mark.parametrize("individual", [0.0, 1.0])
def test_attention_that_follows_the_position_is_called_so(individual):
    rng = np.random.default_rng(0)
    weights = rng.random(9) + individual * rng.random((3, 9)) * 3
    stored = {"A_A": weights, "ids": np.array(list("abc")), "length": np.array([9, 5, 7])}
    stored |= {"targets": np.array([0, 1, 1]), "predictions": np.array([0, 1, 0])}
    stored |= {"streams": np.array([["A_A", "voice", "blue"]]), "panels": np.zeros((0, 2), str)}
    drawn = attention.attention(stored, ["no", "yes"])
    assert drawn is not None
    _, caption = drawn
    assert ("between recordings is 1.00: they follow the position" in caption) == (individual == 0)
