"""Calibration in the results of a run and in its report."""

import json
import shutil

import numpy as np
import pytest
from fabricate import run_folder
from terminal import printed

from jaxdep.analysis import calibration, predictions, report, results
from jaxdep.errors import UserError


def test_in_the_results(tmp_path):
    folder = run_folder(tmp_path / "r")
    found = results.write(folder)["tasks"]["depression"]["calibration"]
    test, validation = (
        predictions.read(folder / name)["depression"]
        for name in ("predictions.csv", "validation.csv")
    )
    assert test.logits is not None
    assert validation.logits is not None
    fitted = [calibration.fit_temperature(x, validation.target) for x in validation.logits]
    assert found["temperature"]["per_run"] == pytest.approx(fitted)
    assert found["temperature"]["mean"] == pytest.approx(np.mean(fitted))
    brier = [(p - test.target) ** 2 for p in test.probability]
    assert found["summary"]["brier"]["mean"] == pytest.approx(np.mean(brier), abs=1e-6)
    low, high = found["summary"]["brier"]["interval_items"]
    assert low < np.mean(brier) < high
    scaled = [calibration.probabilities(x, t) for x, t in zip(test.logits, fitted, strict=True)]
    ece = [calibration.error(p, test.target) for p in scaled]
    assert found["summary"]["ece_scaled"]["mean"] == pytest.approx(np.mean(ece))
    assert found["summary"]["ece_scaled"]["std"] == pytest.approx(np.std(ece, ddof=1))
    assert found["validation_items"] == 60


def test_test_data_do_not_change_the_temperature(tmp_path):
    first, second = (run_folder(tmp_path / name, seed=0) for name in "ab")
    other = run_folder(tmp_path / "c", seed=7, accuracy=0.2)
    shutil.copy(other / "predictions.csv", second / "predictions.csv")
    one, two = (results.compute(x)["tasks"]["emotion"]["calibration"] for x in (first, second))
    assert one["temperature"] == two["temperature"]
    assert one["summary"]["ece"] != two["summary"]["ece"]


def test_shown(tmp_path):
    folder = run_folder(tmp_path / "r")
    found = results.write(folder)
    mean = found["tasks"]["emotion"]["calibration"]["summary"]["brier"]["mean"]
    assert f"emotion: Brier score {mean:.3f}, ECE" in printed(found)
    assert "(mean over runs), fitted on validation data" in printed(found)
    page = report.write([folder]).read_text()
    assert "Brier score, temperature-scaled" in page
    assert "points below it are overconfident".replace(" ", "") in page.replace(" ", "")
    for name in ("reliability_emotion", "coverage_depression"):
        assert (folder / "figures" / f"{name}.png").stat().st_size > 10_000


def test_of_the_split_that_temperatures_are_fitted_on(tmp_path):
    folder = run_folder(tmp_path / "r")
    meta = json.loads((folder / "meta.json").read_text())
    meta["splits"]["test"] = meta["splits"]["validation"]
    (folder / "meta.json").write_text(json.dumps(meta))
    assert "fitted on the SAME data, so the scaled values" in printed(results.write(folder))


def test_runs_that_diverged_do_not_count(tmp_path):
    found = results.compute(run_folder(tmp_path / "r", diverged=(1,)))
    calibrated = found["tasks"]["depression"]["calibration"]
    assert calibrated["summary"]["ece"]["runs"] == 2
    found = results.compute(run_folder(tmp_path / "s", seeds=(5,), diverged=(0,)))
    assert found["tasks"]["depression"]["calibration"] is None


def test_earlier_versions_kept_no_validation_predictions(tmp_path):
    folder = run_folder(tmp_path / "r", tasks=("depression", "score"))
    (folder / "validation.csv").unlink()
    found = results.write(folder)
    assert found["tasks"]["depression"]["calibration"] is None
    said = "depression: calibration not computed: it needs logits in predictions.csv and in"
    assert said in " ".join(printed(found).split())
    assert "score: calibration" not in printed(found)
    assert "reliability" not in report.write([folder]).read_text()


def test_damaged_validation_predictions(tmp_path):
    folder = run_folder(tmp_path / "r")
    path = folder / "validation.csv"
    path.write_text(path.read_text().replace("depression,2,2,", "depression,9,2,"))
    with pytest.raises(UserError, match=r"validation\.csv cannot be read .*no lines for run 2"):
        results.write(folder)
