"""Results without some modalities: what is compared with what, and how it is shown."""

import io
import json
import re

import numpy as np
import pytest
from fabricate import run_folder
from rich.console import Console

from jaxdep.analysis import intervals, missing_modalities, missing_report, results
from jaxdep.analysis.missing_modalities import Row

HOSTILE = '<img src="http://127.0.0.1:9/a.png" onerror=alert(1)> {{7*7}} [bold]'
ROWS = [
    Row(("acoustic", "visual"), {}, 0),
    Row(("acoustic",), {}, 0),
    Row(("visual",), {"emotion": (1,)}, 4),
]
ABOUT: missing_modalities.About = {
    "title": "Toy",
    "modality_dropout": 0.25,
    "structure": {"sentences": "their times"},
}


def folders(path, tasks=("depression", "emotion"), **options):
    """A run folder for each row; less is right without a modality."""
    kept = lambda row: [task for task in tasks if task not in row.not_finite]
    for number, (row, accuracy) in enumerate(zip(ROWS, (0.9, 0.7, 0.3), strict=True)):
        how = {"paper": None, "seed": number, "accuracy": accuracy, "items": 40, **options}
        run_folder(path / row.name, tasks=kept(row), **how)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return folders(tmp_path_factory.mktemp("missing"))


@pytest.fixture(scope="module")
def found(folder):
    return missing_modalities.write(folder, ROWS, ABOUT)


@pytest.fixture(scope="module")
def alone(folder):
    """Results of the folders with all modalities, and with the voice alone."""
    return [results.compute(folder / row.name)["tasks"]["depression"] for row in ROWS[:2]]


def printed(content, width=80):
    text = io.StringIO()
    missing_report.show(content, Console(file=text, width=width))
    return text.getvalue()


class TestContent:
    def test_each_row_is_the_result_of_its_folder(self, folder, found, alone):
        rows = found["tasks"]["depression"]["rows"]
        assert [row["folder"] for row in rows] == ["acoustic+visual", "acoustic", "visual"]
        for row, expected in zip(rows, alone, strict=False):
            assert row["summary"] == expected["summary"]
        assert json.loads((folder / "results.json").read_text()) == json.loads(json.dumps(found))
        assert found["title"] == "Toy"

    def test_differences_are_paired_over_runs(self, found, alone):
        both, one = (
            np.array([run["metrics"]["accuracy"] for run in task["per_run"]]) for task in alone
        )
        pairs = one - both
        voice = found["tasks"]["depression"]["rows"][1]["differences"]["accuracy"]
        assert voice["mean"] == pytest.approx(pairs.mean())
        assert voice["mean"] < 0
        assert voice["interval_runs"] == intervals.over_runs(pairs)
        assert voice["interval_runs"] != intervals.difference_over_runs(one, both)
        low, high = voice["interval_items"]
        assert low < voice["mean"] < high

    def test_the_same_predictions_differ_by_nothing(self, tmp_path):
        same = Row(("acoustic",), {}, 0)
        for row in (ROWS[0], same):
            run_folder(tmp_path / row.name, tasks=("depression",), items=40, paper=None)
        content = missing_modalities.compute(tmp_path, [ROWS[0], same])
        for task in content["tasks"].values():
            for difference in task["rows"][1]["differences"].values():
                assert difference["mean"] == 0
                assert difference["interval_runs"] == difference["interval_items"] == (0, 0)

    def test_calibration_is_left_out(self, folder, found):
        """Runs leave no validation predictions here, and their absence is no fault of the run."""
        assert all("calibration" not in task for task in found["tasks"].values())
        assert "calibration" not in printed(found)
        assert "calibration" not in missing_report.write(folder, found).read_text()

    def test_what_is_not_finite_has_no_values(self, found):
        emotion = found["tasks"]["emotion"]["rows"][2]
        assert emotion["not_finite"] == [1]
        assert emotion["summary"] is emotion["differences"] is emotion["folder"] is None
        assert found["tasks"]["depression"]["rows"][2]["summary"]

    def test_a_row_that_is_finite_in_no_task_has_no_folder(self, tmp_path):
        gone = Row(("acoustic",), {"depression": (0,), "emotion": (0, 2)}, 0)
        run_folder(tmp_path / ROWS[0].name, items=20, paper=None)
        content = missing_modalities.compute(tmp_path, [ROWS[0], gone])
        assert [task["rows"][1]["summary"] for task in content["tasks"].values()] == [None, None]

    def test_diverged_runs_are_left_out_of_every_row(self, tmp_path):
        folders(tmp_path, diverged=(1,), tasks=("depression",))
        content = missing_modalities.compute(tmp_path, ROWS)
        for row in content["tasks"]["depression"]["rows"]:
            assert row["summary"]["accuracy"]["runs"] == 2
        assert content["excluded"] == [1]

    def test_one_run_has_no_interval_over_runs(self, tmp_path):
        content = missing_modalities.compute(folders(tmp_path, ("depression",), seeds=(3,)), ROWS)
        voice = content["tasks"]["depression"]["rows"][1]["differences"]["accuracy"]
        assert voice["interval_runs"] is None
        assert voice["interval_items"]


class TestTerminal:
    def test_fits_into_80_columns_and_says_what_it_is(self, found):
        *lines, _ = printed(found).split("absent: ")
        assert max(map(len, "".join(lines).splitlines())) <= 80
        assert "SYNTHETIC: Toy; modalities absent: depression" in printed(found)

    def test_numbers(self, found):
        voice = found["tasks"]["depression"]["rows"][1]
        [line, *_] = re.findall(r"^  acoustic  .*$", printed(found), re.M)
        mean, difference = (voice[key]["accuracy"]["mean"] for key in ("summary", "differences"))
        assert f"{mean:.3f}".lstrip("0") in line
        assert f"{difference:+.3f}".replace("0.", ".") in line
        assert "best constant" in printed(found)

    def test_not_finite(self, found):
        depression, emotion = printed(found).split(": emotion")
        assert "not finite" not in depression
        assert re.search(r"^  visual +not finite +in 1 runs", emotion, re.M)

    def test_notes(self, found):
        text = printed(found)
        assert "trained with modality_dropout 0.25" in text
        assert "sentences stays in all rows: their times" in text
        assert "4 recordings have no frame of visual" in text
        assert "3 of 3 runs counted" in text
        untaught = {**found, "modality_dropout": 0.0}
        assert "has not learned to do without a modality" in printed(untaught)

    def test_scores(self, tmp_path):
        folders(tmp_path, tasks=("score",))
        content = missing_modalities.write(tmp_path, ROWS, ABOUT)
        assert "MAE (points)" in printed(content)
        assert "MAE (points)" in missing_report.write(tmp_path, content).read_text()


class TestPage:
    def test_every_number_with_both_intervals(self, folder, found):
        page = missing_report.write(folder, found).read_text()
        assert page.count("SYNTHETIC") >= 2
        voice = found["tasks"]["depression"]["rows"][1]
        for metric in ("accuracy", "f1_macro", "roc_auc"):
            low, high = voice["differences"][metric]["interval_items"]
            assert f"items [{low:.3f}, {high:.3f}]" in page
            assert f"minus all {voice['differences'][metric]['mean']:+.3f}" in page
        assert "<strong>not finite</strong> (runs 1)" in page
        assert "best constant" in page

    def test_real_data_are_not_marked(self, tmp_path):
        real = folders(tmp_path, tasks=("score",), synthetic=False)
        content = missing_modalities.write(real, ROWS, ABOUT)
        assert "SYNTHETIC" not in missing_report.write(tmp_path, content).read_text()
        assert "SYNTHETIC" not in printed(content)

    def test_texts_are_text_and_nothing_is_loaded(self, folder, found):
        hostile = {**found, "title": HOSTILE, "structure": {HOSTILE: HOSTILE}}
        page = missing_report.write(folder, hostile).read_text()
        assert "<img" not in page
        assert "{{7*7}}" in page
        assert "&lt;img src=" in page
        assert "default-src 'none'" in page
        assert HOSTILE in " ".join(printed(hostile, width=300).split())
