"""What is decided about a run after it has ended."""

import numpy as np
import pytest
from fabricate import run_folder

from jaxdep.analysis import narrative, report, results
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.errors import UserError
from jaxdep.runner import reporting


def merged(folder, merge):
    reporting.set_merge(RunDir.at(folder), merge)
    return results.write(folder)


@pytest.fixture
def paired(tmp_path):
    """A run whose recordings come in pairs with one target, of two subjects and three sessions."""
    people = ["p1", "p1", "p1", "p1", "p2", "p2"]
    sessions = {f"v{item:03d}": f"s{item // 2}" for item in range(6)}
    folder = run_folder(
        tmp_path / "r", items=6, tasks=("score",), sessions=sessions, subjects=people
    )
    retarget(folder, lambda item: 10.0 * (item // 2))
    return folder


def retarget(folder, target):
    path = folder / "predictions.csv"
    head, *lines = path.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    for row in rows:
        row[5] = str(target(int(row[0][1:])))
    path.write_text("\n".join([head, *map(",".join, rows)]))


def test_recordings_of_a_session_are_merged_if_asked_for(paired):
    each = results.write(paired)
    found = merged(paired, "session")
    assert (each["merge"], found["merge"]) == ("none", "session")
    assert each["tasks"]["score"]["items"] == 6
    assert found["tasks"]["score"]["items"] == 3
    assert found["split"]["items"] == 6
    assert found["split"]["subjects"] == 2
    finite = results.finite_predictions(paired, results.load(paired, "meta.json"))["score"]
    assert finite.subjects.tolist() == ["p1", "p1", "p2"]
    errors = np.abs(finite.prediction - finite.target)
    assert found["tasks"]["score"]["summary"]["mae"]["mean"] == pytest.approx(errors.mean())
    assert "; predictions averaged over the recordings of each session" in " ".join(
        narrative.notes(found)
    )
    assert "over the recordings of each session" in report.write([paired]).read_text()
    assert merged(paired, "none") == each


def test_recordings_of_a_subject_are_merged_if_asked_for(paired):
    retarget(paired, lambda item: 7.0)
    found = merged(paired, "subject")
    assert found["tasks"]["score"]["items"] == 2
    assert "over the recordings of each subject" in " ".join(narrative.notes(found))


def test_classes_are_merged_by_their_probabilities(tmp_path):
    people = [f"p{item // 2}" for item in range(6)]
    folder = run_folder(tmp_path / "r", items=6, subjects=people)
    retarget(folder, lambda item: item // 2 % 2)
    found = merged(folder, "subject")
    assert [found["tasks"][task]["items"] for task in ("depression", "emotion")] == [3, 3]
    report.write([folder])


def test_different_targets_cannot_be_merged(paired):
    before = (paired / "meta.json").read_bytes()
    with pytest.raises(UserError, match=r"--merge subject: score: the recordings of p1 .*targets"):
        merged(paired, "subject")
    assert (paired / "meta.json").read_bytes() == before


def test_a_corpus_without_sessions_has_nothing_to_merge(tmp_path):
    folder = run_folder(tmp_path / "r")
    for merge in ("session", "subject"):
        with pytest.raises(UserError, match=f"no {merge} of test has several recordings"):
            merged(folder, merge)
