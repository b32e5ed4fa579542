"""Recordings of a session or subject evaluated as one, from the command's option to the report."""

from dataclasses import replace

import pytest
from sessions import BINARY

import jaxdep
from jaxdep.analysis import recordings
from jaxdep.errors import UserError
from jaxdep.experiment import Task


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


def run(out, data_dir, experiment=BINARY, **options):
    return jaxdep.run(experiment, out=out, data_dir=data_dir, log=lambda line: None, **options)


def test_sessions_of_a_run(data_dir, tmp_path):
    found = run(tmp_path / "r", data_dir, merge="session")
    assert found.results["merge"] == "session"
    assert found.results["split"]["items"] == 16
    assert found.results["tasks"]["depressed"]["items"] == 8
    assert found.results["subjects"] == "known"
    stored = recordings.read(found.folder / "recordings.csv")
    assert stored is not None
    assert stored.attributes.keys() == {"gender", "task"}
    assert set(stored.attributes["task"]) == {"Northwind", "Freeform"}
    subjects = [name.split("_")[0] for name in stored.ids]
    assert stored.subjects.tolist() == subjects
    assert found.results["split"]["subjects"] == len(set(subjects)) < 8
    calibrated = found.results["tasks"]["depressed"]["calibration"]
    validation = recordings.read(found.folder / "validation_recordings.csv")
    assert validation is not None
    assert not set(validation.ids) & set(stored.ids)
    assert calibrated["validation_items"] == len(validation.ids) / 2


@pytest.mark.parametrize(
    ("experiment", "merge", "message"),
    [
        ("jamfn-demo", "subject", "--merge subject: no subject of test has several recordings"),
        ("jamfn-demo", "session", "--merge session: no session of test has several recordings"),
        ("jamfn-demo", "person", "merge=person: expected none, session or subject"),
        (
            replace(BINARY, tasks={"depression": Task(loss="huber")}),
            "subject",
            r"--merge subject: depression: the recordings of \d+ have different targets",
        ),
    ],
)
def test_mistakes_are_found_before_training(data_dir, tmp_path, experiment, merge, message):
    with pytest.raises(UserError, match=message):
        run(tmp_path / "r", data_dir, experiment, merge=merge)
    assert not (tmp_path / "r").exists()
