"""Who was recorded: read from a run's folder, counted, and refused where it is damaged."""

import json

import numpy as np
import pytest
from fabricate import run_folder, write_recordings

from jaxdep.analysis import (
    calibration,
    compare,
    narrative,
    predictions,
    recordings,
    report,
    results,
)
from jaxdep.errors import UserError

PAIRS = [f"p{item // 2:02d}" for item in range(60)]
"""Each subject has two recordings."""


def test_read(tmp_path):
    folder = run_folder(tmp_path / "r", items=4, subjects=["b", "a", "b", "b"])
    found = recordings.read(folder / "recordings.csv")
    assert found is not None
    assert found.ids.tolist() == ["v000", "v001", "v002", "v003"]
    assert found.subjects.tolist() == ["b", "a", "b", "b"]
    assert found.attributes["gender"].tolist() == ["male", "female", "female", "male"]
    assert found.rows(np.array(["v002", "v000", "v003", "v001"])).tolist() == [2, 0, 3, 1]


def test_subjects_are_counted_and_resampled(tmp_path):
    known = results.write(run_folder(tmp_path / "a", subjects=PAIRS))
    assert known["split"]["subjects"] == 30
    assert known["subjects"] == "known"
    alone = results.write(run_folder(tmp_path / "b"))
    assert alone["split"]["subjects"] == 60
    assert alone["subjects"] == "unknown"
    of = lambda found: found["tasks"]["depression"]["summary"]["f1_weighted"]
    assert of(known)["mean"] == of(alone)["mean"]
    assert of(known)["interval_runs"] == of(alone)["interval_runs"]
    assert of(known)["interval_items"] != of(alone)["interval_items"]
    notes = "\n".join(narrative.notes(known))
    assert "evaluated on test: 60 recordings of 30 subjects, hash" in notes
    assert "subjects: " not in notes
    assert "subjects: the corpus does not say who was recorded" in "\n".join(narrative.notes(alone))
    page = report.write([tmp_path / "a"]).read_text()
    assert "tested on 60 recordings of 30 subjects" in page
    assert "over test recordings, resampled by subject" in page


def test_a_run_of_an_earlier_version(tmp_path):
    """Every recording is of another subject, as it would be if nobody knew."""
    folder = run_folder(tmp_path / "r", subjects=PAIRS)
    (folder / "recordings.csv").unlink()
    found = results.write(folder)
    unknown = results.write(run_folder(tmp_path / "s"))
    assert found["tasks"] == unknown["tasks"]
    assert found["split"]["subjects"] == 60
    assert "an earlier version wrote this run without its subjects" in "\n".join(
        narrative.notes(found)
    )
    assert "an earlier version wrote this run" in report.write([folder]).read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id,subject,gender", "id,person,gender", "expected columns id, subject"),
        ("id,subject,gender", "id,subject,subject", "expected columns id, subject"),
        ("v003,p3,male", "v003,p3", "a line lacks cells"),
        ("v003,p3,male", "v003,p3,male,", "a line lacks cells, or has too many"),
        ("v003,p3,male", "v003,,male", "a line lacks cells"),
        ("v003,p3,male\n", "", "other recordings than the predictions"),
        ("v003,p3", "v009,p3", "other recordings than the predictions"),
        ("v003,p3", "v002,p3", "a recording twice"),
        ("v003,p3", '"v003,p3', "unexpected end of data"),
        ("v003,p3", "v003," + "x" * 200_000, "field larger than field limit"),
    ],
)
def test_damaged(tmp_path, old, new, message):
    folder = run_folder(tmp_path / "r", items=5, subjects=[f"p{item}" for item in range(5)])
    path = folder / "recordings.csv"
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))
    with pytest.raises(UserError, match=r"recordings\.csv cannot be read .*remove it") as refused:
        results.compute(folder)
    assert message in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\xff"])
def test_no_table(tmp_path, content):
    folder = run_folder(tmp_path / "r", items=5)
    (folder / "recordings.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"recordings\.csv cannot be read"):
        results.compute(folder)


class TestCompare:
    def test_differences_are_resampled_by_subject(self, tmp_path):
        first = run_folder(tmp_path / "a", subjects=PAIRS, accuracy=0.9)
        second = run_folder(tmp_path / "b", subjects=PAIRS, accuracy=0.7, seed=1)
        paired = compare.paired(first, second, "depression")["interval_items"]
        # What an earlier version wrote has the subjects of what it is compared with.
        (first / "recordings.csv").unlink()
        assert compare.paired(first, second, "depression")["interval_items"] == paired
        assert compare.paired(second, first, "depression")["interval_items"] != paired  # the sign
        (second / "recordings.csv").unlink()
        assert compare.paired(first, second, "depression")["interval_items"] != paired

    def test_subjects_that_differ(self, tmp_path):
        first = run_folder(tmp_path / "a", subjects=PAIRS)
        second = run_folder(tmp_path / "b", subjects=PAIRS)
        write_recordings(second, [*PAIRS[:-1], "p00"], {})
        with pytest.raises(UserError, match="name different subjects"):
            compare.paired(first, second, "depression")


def set_merge(folder, merge, **corpus):
    meta = json.loads((folder / "meta.json").read_text())
    meta |= {"merge": merge, "corpus": {**meta["corpus"], **corpus}}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def pairs_of_one_class(folder):
    """Subjects with recordings of the same class in `predictions.csv` and `validation.csv`."""
    target = predictions.read(folder / "validation.csv")["depression"].target
    places = [np.flatnonzero(target == label) for label in (0, 1)]
    subjects = np.empty(len(target), "U9")
    for label, rows in enumerate(places):
        subjects[rows] = [f"p{label}{place // 2:02d}" for place in range(len(rows))]
    return subjects


class TestCalibrationOfMergedRecordings:
    @pytest.fixture
    def folder(self, tmp_path):
        return run_folder(tmp_path / "r", tasks=("depression",), subjects=["p"] * 60)

    def calibrate(self, folder, **files):
        for name, subjects in files.items():
            write_recordings(folder, subjects, {}, f"{name}.csv")
        return results.write(folder)["tasks"]["depression"]

    def test_temperatures_are_fitted_on_merged_predictions(self, folder):
        subjects = pairs_of_one_class(folder)
        files = {"recordings": subjects, "validation_recordings": subjects}
        alone = self.calibrate(folder, **files)["calibration"]
        set_merge(folder, "subject")
        found = self.calibrate(folder)
        assert found["uncalibrated"] == ""
        assert found["calibration"]["validation_items"] == len(set(subjects)) < 60
        read = predictions.read(folder / "validation.csv")["depression"]
        assert read.logits is not None
        names, place = np.unique(subjects, return_inverse=True)
        member = np.eye(len(names))[place]
        for logits, temperature, other in zip(
            read.logits,
            found["calibration"]["temperature"]["per_run"],
            alone["temperature"]["per_run"],
            strict=True,
        ):
            mean = (member.T @ calibration.probabilities(logits)) / member.sum(0)[:, None]
            target = (member.T @ read.target) / member.sum(0)
            fitted = calibration.fit_temperature(np.log(mean), target)
            assert temperature == pytest.approx(fitted, rel=1e-4)
            assert temperature != pytest.approx(other, rel=1e-3)
        report.write([folder])
        assert (folder / "figures" / "reliability_depression.png").is_file()

    def test_sessions_need_no_subjects(self, folder):
        subjects = pairs_of_one_class(folder)
        sessions = {f"v{item:03d}": name for item, name in enumerate(subjects.tolist())}
        set_merge(folder, "session", sessions=sessions)
        with_file = self.calibrate(folder, recordings=subjects, validation_recordings=subjects)
        (folder / "validation_recordings.csv").unlink()
        assert self.calibrate(folder)["calibration"] == with_file["calibration"]

    def test_a_run_of_an_earlier_version(self, folder):
        set_merge(folder, "subject")
        (folder / "validation_recordings.csv").unlink()
        found = self.calibrate(folder, recordings=pairs_of_one_class(folder))
        assert found["calibration"] is None
        notes = "\n".join(narrative.notes(results.compute(folder)))
        wanted = "calibration not computed: it needs validation_recordings.csv, which an earlier"
        assert f"depression: {wanted} version did not write" in notes

    def test_validation_recordings_with_different_targets(self, folder):
        set_merge(folder, "subject")
        subjects = pairs_of_one_class(folder)
        found = self.calibrate(folder, recordings=subjects, validation_recordings=["p"] * 60)
        assert found["calibration"] is None
        assert found["uncalibrated"].endswith("the recordings of p have different targets")

    def test_other_recordings(self, folder):
        set_merge(folder, "subject")
        subjects = pairs_of_one_class(folder)
        with pytest.raises(UserError, match=r"validation_recordings\.csv .*other recordings"):
            self.calibrate(folder, recordings=subjects, validation_recordings=subjects[1:])
