"""Results of a run: what is counted, and what cannot be is refused."""

import json
import re
import shutil

import numpy as np
import pytest
from fabricate import run_folder
from terminal import printed

from jaxdep.analysis import report, results
from jaxdep.errors import UserError


def test_summary_is_that_of_the_runs(tmp_path):
    found = results.write(run_folder(tmp_path / "r"))
    task = found["tasks"]["depression"]
    values = [run["metrics"]["accuracy"] for run in task["per_run"]]
    assert task["summary"]["accuracy"]["mean"] == pytest.approx(np.mean(values))
    assert task["summary"]["accuracy"]["std"] == pytest.approx(np.std(values, ddof=1))
    assert task["summary"]["accuracy"]["ddof"] == 1
    low, high = task["summary"]["accuracy"]["interval_items"]
    assert low < np.mean(values) < high
    way = (np.mean(values) - 0.5) / 0.4
    assert task["share_of_the_way"] == pytest.approx(way)


def test_bytes_do_not_depend_on_place_or_time(tmp_path):
    first = run_folder(tmp_path / "a")
    shutil.copytree(first, tmp_path / "b")
    results.write(first)
    results.write(tmp_path / "b")
    content = lambda name: (tmp_path / name / "results.json").read_bytes()
    assert content("a") == content("b")
    assert json.loads(content("a"))["split"]["hash"]


def test_a_diverged_run_is_named_and_not_counted(tmp_path):
    whole = results.write(run_folder(tmp_path / "a"))
    found = results.write(run_folder(tmp_path / "b", diverged=(1,)))
    assert found["excluded"] == [1]
    task = found["tasks"]["depression"]
    assert [run["run"] for run in task["per_run"]] == [0, 2]
    assert task["summary"]["accuracy"]["runs"] == 2
    kept = [whole["tasks"]["depression"]["per_run"][run] for run in (0, 2)]
    assert task["per_run"] == kept
    assert "DIVERGED and not counted: run 1 (seed 1)" in printed(found)
    assert "2 of 3 runs counted" in printed(found)


def test_all_runs_diverged(tmp_path):
    found = results.write(run_folder(tmp_path / "a", seeds=(5,), diverged=(0,)))
    assert found["tasks"]["depression"]["summary"] == {}
    assert "DIVERGED" in printed(found)
    assert "there is no result" in report.write([tmp_path / "a"]).read_text()


def test_scores_of_the_bdi(tmp_path):
    """Categories of severity are counted, and what is attainable is said."""
    folder = run_folder(tmp_path / "r", tasks=("score",), bounds=(0.0, 63.0))
    found = results.write(folder)["tasks"]["score"]
    assert found["summary"]["severity_outliers"]["mean"] > 0
    assert found["constant"]["severity_outliers"] > found["summary"]["severity_outliers"]["mean"]
    assert found["known"] == "mae"
    reached = (8.0 - found["summary"]["mae"]["mean"]) / (8.0 - 0.5)
    assert found["share_of_the_way"] == pytest.approx(reached)
    page = report.write([folder]).read_text()
    assert "severity outliers" in page
    assert "another category than the true score" in page


def test_regression(tmp_path):
    found = results.write(run_folder(tmp_path / "a", tasks=("score",)))
    assert 0 < found["tasks"]["score"]["summary"]["mae"]["mean"] < 2
    assert "MAE (points)" in printed(found)
    page = report.write([tmp_path / "a"]).read_text()
    assert "Predicted against true score" in page


def test_not_a_run(tmp_path):
    with pytest.raises(UserError, match="not the directory of a finished run"):
        results.write(tmp_path)


def test_one_run(tmp_path):
    found = results.write(run_folder(tmp_path / "a", seeds=(7,)))
    of = found["tasks"]["depression"]["summary"]["accuracy"]
    assert of["interval_runs"] is None
    assert of["std"] is None
    assert "says nothing about other seeds" in report.write([tmp_path / "a"]).read_text()
    exact = run_folder(tmp_path / "b", seeds=(0,), deterministic=True)
    assert "fit is deterministic" in report.write([exact]).read_text()


def test_a_split_that_was_trained_on_is_not_called_unseen(tmp_path):
    folder = run_folder(tmp_path / "a")
    meta = json.loads((folder / "meta.json").read_text())
    meta["splits"]["test"] = meta["splits"]["train"]
    (folder / "meta.json").write_text(json.dumps(meta))
    text = printed(results.write(folder))
    assert "THE SAME data as used for training" in text
    page = report.write([folder]).read_text()
    assert "not used for training" not in page


@pytest.mark.parametrize(
    ("pattern", "new", "message"),
    [
        (r"(v003,test,depression,.,.),.", r"\1,inf", "a target is not a finite number"),
        (
            r"(v003,test,depression,1,1,.),.",
            r"\1,7",
            "a prediction is not a class index from 0 to 1",
        ),
        (r"(v003,test,depression,1,1,.,.),[^,]*", r"\1,", "a probability is not between"),
        (r"depression,2,2,", "depression,9,2,", "no lines for run 2"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, pattern, new, message):
    folder = run_folder(tmp_path / "a", items=9)
    path = folder / "predictions.csv"
    path.write_text(re.sub(pattern, new, path.read_text()))
    with pytest.raises(UserError, match=message):
        results.write(folder)
