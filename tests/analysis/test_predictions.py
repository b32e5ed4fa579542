"""Predictions that are missing or malformed are refused with a way out."""

from dataclasses import replace

import numpy as np
import pytest
from fabricate import run_folder

from jaxdep.analysis.predictions import read
from jaxdep.errors import UserError


@pytest.fixture
def path(tmp_path):
    return run_folder(tmp_path / "r", items=5) / "predictions.csv"


def test_missing(tmp_path):
    with pytest.raises(UserError, match="--resume"):
        read(tmp_path / "predictions.csv")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id,split", "name,split"),
        ("v003,test,depression,1", "v009,test,depression,1"),
        ("v003,test,depression,1", "v003,test,depression,x"),
        ("v003,test,depression,0,0", "v002,test,depression,0,0"),
    ],
)
def test_malformed(path, old, new):
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError, match=r"predictions\.csv cannot be read"):
        read(path)


def test_empty(path):
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(UserError, match="no lines"):
        read(path)


def test_merge_sessions_averages_scores(tmp_path):
    path = run_folder(tmp_path / "s", items=4, tasks=("score",)) / "predictions.csv"
    found = read(path)["score"]
    target = np.array([3.0, 3.0, 7.0, 3.0])
    found = replace(found, target=target)
    sessions = dict(zip(found.ids, ("b", "a", "c", "b"), strict=True))
    merged = found.merge_sessions(sessions)
    assert merged.ids.tolist() == ["a", "b", "c"]
    assert merged.target.tolist() == [3.0, 3.0, 7.0]
    np.testing.assert_allclose(merged.prediction[:, 0], found.prediction[:, 1])
    np.testing.assert_allclose(merged.prediction[:, 1], found.prediction[:, [0, 3]].mean(1))
    with pytest.raises(ValueError, match="different targets"):
        found.merge_sessions(dict.fromkeys(found.ids, "a"))


def test_select_runs_keeps_their_numbers(path):
    found = read(path)["emotion"]
    assert found.prediction.shape == (3, 5)
    kept = found.select_runs([0, 2])
    assert kept.runs.tolist() == [0, 2]
    assert (kept.prediction == found.prediction[[0, 2]]).all()
