"""Predictions that are missing or malformed are refused with a way out."""

import re
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


def made_up(tmp_path, task):
    """Four recordings: the second is of group a, the third of c, the others of b."""
    found = read(run_folder(tmp_path / "s", items=4, tasks=(task,)) / "predictions.csv")[task]
    found = replace(found, target=np.array([0.0, 0.0, 1.0, 0.0]))
    return found, np.array(["b", "a", "c", "b"])


def test_scores_of_a_group_are_averaged(tmp_path):
    found, groups = made_up(tmp_path, "score")
    merged = found.merge(groups, 0)
    assert merged.ids.tolist() == ["a", "b", "c"]
    assert merged.target.tolist() == [0.0, 0.0, 1.0]
    np.testing.assert_allclose(merged.prediction[:, 0], found.prediction[:, 1])
    np.testing.assert_allclose(merged.prediction[:, 1], found.prediction[:, [0, 3]].mean(1))
    assert np.isnan(merged.probability).all()
    assert merged.runs.tolist() == [0, 1, 2]


def test_probabilities_of_two_classes_are_averaged(tmp_path):
    found, groups = made_up(tmp_path, "depression")
    probability = np.array([[0.9, 0.3, 0.8, 0.2], [0.6, 0.5, 0.1, 0.2]])
    found = replace(found, probability=probability, prediction=(probability > 0.5) * 1.0)
    merged = found.merge(groups, 2)
    # b: (0.9 + 0.2) / 2 and (0.6 + 0.2) / 2; 0.5 is the first class, as for a single recording.
    np.testing.assert_allclose(merged.probability, [[0.3, 0.55, 0.8], [0.5, 0.4, 0.1]])
    assert merged.prediction.tolist() == [[0, 1, 1], [0, 0, 0]]


def test_probabilities_of_three_classes_are_averaged(tmp_path):
    found, groups = made_up(tmp_path, "emotion")
    # Said of the recordings of b: class 1, then class 2; their mean says class 0.
    rows = [[0.45, 0.55, 0.0], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.45, 0.0, 0.55]]
    probabilities = np.array([rows] * 3)
    with np.errstate(divide="ignore"):
        merged = replace(found, logits=np.log(probabilities)).merge(groups, 3)
    assert merged.prediction.tolist() == [[2, 0, 2]] * 3
    np.testing.assert_allclose(merged.probability, [[0.7, 0.45, 0.4]] * 3)
    assert merged.logits is not None
    np.testing.assert_allclose(np.exp(merged.logits[0, 1]), [0.45, 0.275, 0.275])


def test_groups_of_one_recording_change_nothing(tmp_path):
    for task, classes in (("score", 0), ("depression", 2), ("emotion", 3)):
        found = read(run_folder(tmp_path / task, items=9, tasks=(task,)) / "predictions.csv")[task]
        merged = found.merge(found.ids, classes)
        np.testing.assert_array_equal(merged.prediction, found.prediction)
        np.testing.assert_allclose(merged.probability, found.probability)
        assert merged.subjects.tolist() == found.subjects.tolist()


def test_what_cannot_be_merged(tmp_path):
    found, groups = made_up(tmp_path, "emotion")
    assert found.merge(groups, 3).subjects.tolist() == ["a", "b", "c"]
    found = replace(found, subjects=np.array(["q", "p", "p", "q"]))
    assert found.merge(groups, 3).subjects.tolist() == ["p", "q", "p"]
    with pytest.raises(ValueError, match="the recordings of a have different targets"):
        found.merge(np.full(4, "a"), 3)
    with pytest.raises(ValueError, match="the recordings of a have different subjects"):
        replace(found, target=np.zeros(4)).merge(np.full(4, "a"), 3)
    with pytest.raises(ValueError, match="stored the probability of one class only"):
        replace(found, logits=None).merge(groups, 3)


def test_select_runs_keeps_their_numbers(path):
    found = read(path)["emotion"]
    assert found.prediction.shape == (3, 5)
    kept = found.select_runs([0, 2])
    assert kept.runs.tolist() == [0, 2]
    assert (kept.prediction == found.prediction[[0, 2]]).all()
    assert found.logits is not None
    assert (kept.logits == found.logits[[0, 2]]).all()


class TestLogits:
    def test_are_those_of_all_classes(self, path):
        found = read(path)["emotion"]
        assert found.logits is not None
        assert found.logits.shape == (3, 5, 3)
        assert (found.logits.argmax(2) == found.prediction).all()
        assert np.exp(found.logits.max(2)) == pytest.approx(found.probability)

    def test_files_of_earlier_versions_have_none(self, path):
        lines = [line.rpartition(",")[0] for line in path.read_text().splitlines()]
        path.write_text("\n".join(lines) + "\n")
        found = read(path)
        assert found["emotion"].logits is None
        found["emotion"].check("emotion", 3)
        assert found["emotion"].select_runs([1]).logits is None

    @pytest.mark.parametrize(
        ("cell", "message"),
        [
            ("0.5", "differ in their numbers of logits"),
            ("", "differ in their numbers of logits"),
            ("0.5 a", "could not convert"),
        ],
    )
    def test_malformed(self, path, cell, message):
        path.write_text(
            re.sub(r"(v003,test,depression,1,.*,).*", rf"\g<1>{cell}", path.read_text())
        )
        with pytest.raises(UserError, match=message):
            read(path)

    def test_impossible(self, path):
        found = read(path)["depression"]
        assert found.logits is not None
        with pytest.raises(ValueError, match="2 logits in a line, for 0 classes"):
            found.check("depression", 0)
        excluded = np.where(found.logits == found.logits.min(2, keepdims=True), -np.inf, 0.0)
        replace(found, logits=excluded).check("depression", 2)
        for wrong in (np.nan, np.inf, 1e300, -1e300):
            with pytest.raises(ValueError, match="a logit is not a finite number"):
                replace(found, logits=found.logits * 0 + wrong).check("depression", 2)
        with pytest.raises(ValueError, match="a logit is not a finite number"):
            replace(found, logits=np.full_like(found.logits, -np.inf)).check("depression", 2)
