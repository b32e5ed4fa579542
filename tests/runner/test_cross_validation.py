"""Cross-validations: every recording tested once, results in one folder, continued if stopped."""

import csv
import json
import shutil
from typing import Any

import numpy as np
import pytest
from sessions import BINARY

import jaxdep
from jaxdep.analysis import compare, predictions, recordings, results
from jaxdep.analysis import report as reports
from jaxdep.artifacts import lock
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.errors import UserError
from jaxdep.runner import cross_validation, reporting
from jaxdep.runner.cross_validation import cross_validate
from jaxdep.runner.evaluation import evaluate

WRITTEN = ("predictions.csv", "recordings.csv", "folds.csv", "results.json")
REQUEST = {"folds": 2, "repeats": 2, "seeds": [0, 3]}


def quiet(line):
    pass


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def whole(toy_demo, data_dir, tmp_path_factory):
    """A finished cross-validation; tests only read it."""
    out = tmp_path_factory.mktemp("whole") / "cv"
    return cross_validate(toy_demo, out=out, data_dir=data_dir, log=quiet, **REQUEST)


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_recording_is_tested_once_in_each_run(whole):
    found = predictions.read(whole.folder / "predictions.csv")["depression"]
    assert found.prediction.shape == (4, 60)
    assert [run["seed"] for run in whole.results["runs"]] == [0, 3, 10_000, 10_003]
    stored = recordings.read(whole.folder / "recordings.csv")
    assert stored is not None
    assert stored.ids.tolist() == found.ids.tolist() == sorted(found.ids)
    assert whole.results["split"]["items"] == 60
    assert whole.results["split"]["name"] == "train+valid+test"


def test_predictions_are_those_of_the_folds(whole):
    cut = {line["id"]: line for line in table(whole.folder / "folds.csv")}
    assert len(cut) == 60
    joined = {(x["run"], x["id"]): x for x in table(whole.folder / "predictions.csv")}
    assert len(joined) == 4 * 60
    for repeat in range(2):
        for fold in range(2):
            folder = whole.folder / "folds" / f"repeat{repeat}-fold{fold}"
            lines = table(folder / "predictions.csv")
            assert {x["id"] for x in lines} == {
                name for name, line in cut.items() if line[f"repeat{repeat}"] == str(fold)
            }
            for line in lines:
                other = joined[str(2 * repeat + int(line["run"])), line["id"]]
                same = ("task", "seed", "target", "prediction", "probability", "logits")
                assert [line[key] for key in same] == [other[key] for key in same]
    assert [x["repeat0"] for x in cut.values()] != [x["repeat1"] for x in cut.values()]


def test_spread_over_folds(whole):
    """The mean over runs of the standard deviation over folds, from the folds' own results."""
    task = whole.results["tasks"]["depression"]
    of_folds = np.zeros((2, 2, 2))
    for repeat, fold in np.ndindex(2, 2):
        folder = whole.folder / "folds" / f"repeat{repeat}-fold{fold}"
        runs = results.load(folder, "results.json")["tasks"]["depression"]["per_run"]
        of_folds[repeat, fold] = [run["metrics"]["accuracy"] for run in runs]
    assert task["folds"]["accuracy"]["std"] == pytest.approx(of_folds.std(axis=1, ddof=1).mean())
    assert task["folds"]["accuracy"]["mean"] == pytest.approx(of_folds.mean())
    assert task["summary"]["accuracy"]["runs"] == 4


def test_calibration_pools_the_folds(whole):
    """Against the folds' own reports: their temperatures, and the mean of their Brier scores."""
    found = whole.results["tasks"]["depression"]["calibration"]
    total = 0.0
    for repeat, fold in np.ndindex(2, 2):
        folder = whole.folder / "folds" / f"repeat{repeat}-fold{fold}"
        task = results.load(folder, "results.json")["tasks"]["depression"]
        own = task["calibration"]
        here = np.array(found["temperature"]["per_fold"])[2 * repeat : 2 * repeat + 2, fold]
        assert here == pytest.approx(own["temperature"]["per_run"])
        total += own["summary"]["brier_scaled"]["mean"] * task["items"]
    assert found["summary"]["brier_scaled"]["mean"] == pytest.approx(total / (2 * 60))
    assert (whole.folder / "figures" / "reliability_depression.svg").is_file()
    page = (whole.folder / "report.html").read_text()
    assert "each recording counts once per repeat and seed, 4 times in all" in page


def test_report_says_what_it_is(whole):
    page = reports.write([whole.folder]).read_text()
    assert "2 times 2-fold cross-validation, not the official split" in page
    assert "so their spread is no standard error" in page
    assert "corpus.folds from 0 to 2" in page
    assert "SYNTHETIC" in page
    assert "of 2 cuts into folds" in page
    assert "OUTSIDE" not in page
    fold = results.load(whole.folder / "folds" / "repeat1-fold0", "results.json")
    assert fold["title"].endswith("; fold 0 of 2 of cut 1, not the official split")
    assert fold["cross_validation"] is None


@pytest.mark.slow
def test_comparison_of_two(whole, toy_demo, data_dir, tmp_path):
    other = cross_validate(
        toy_demo,
        out=tmp_path / "cv",
        data_dir=data_dir,
        log=quiet,
        folds=3,
        overrides=["optimizer.learning_rate=0.1"],
    )
    assert other.results["title"].endswith("official split; changed: learning_rate=0.1")
    pair = compare.paired(whole.folder, other.folder, "depression")
    assert pair["runs"] == [4, 1]
    page = reports.write([whole.folder, other.folder], tmp_path / "both.html").read_text()
    assert "All runs were tested on the same recordings." in page
    assert "so their spread is no standard error" in page


def test_weights_are_in_the_folds(whole):
    with pytest.raises(UserError, match="of a cross-validation, pass one of its folds"):
        jaxdep.load(whole.folder)
    fold = whole.folder / "folds" / "repeat1-fold1"
    before = json.loads((fold / "results.json").read_text())["tasks"]["depression"]["per_run"]
    copy = evaluate(fold).results["tasks"]["depression"]["per_run"]
    assert copy == before  # the fold is cut again in the same way


class Stopped(Exception):
    """Stands for a kill."""


@pytest.mark.slow
def test_interrupted_and_continued(whole, toy_demo, data_dir, tmp_path, monkeypatch):
    out, trained = tmp_path / "cv", []
    original = cross_validation.run

    def stopping(experiment, **options):
        if len(trained) == 2:
            raise Stopped
        trained.append(options["out"].name)
        return original(experiment, **options)

    options: dict[str, Any] = {"out": out, "data_dir": data_dir, "log": quiet, **REQUEST}
    monkeypatch.setattr(cross_validation, "run", stopping)
    with pytest.raises(Stopped):
        cross_validate(toy_demo, **options)
    assert trained == ["repeat0-fold0", "repeat0-fold1"]
    with pytest.raises(UserError, match="not the directory of a finished run"):
        reports.write([out])
    monkeypatch.setattr(cross_validation, "run", original)
    written = (out / "folds" / "repeat0-fold1" / "meta.json").stat().st_mtime_ns
    cross_validate(toy_demo, **options)
    assert (out / "folds" / "repeat0-fold1" / "meta.json").stat().st_mtime_ns == written
    for name in WRITTEN:
        assert (out / name).read_bytes() == (whole.folder / name).read_bytes(), name
    options["folds"] = 3
    with pytest.raises(UserError, match=r"another cross-validation:\n  folds: 2, requested 3\n"):
        cross_validate(toy_demo, **options)
    lock.acquire(out)  # the lock has ended with the error
    lock.release(out)


def test_damage_is_reported(whole, tmp_path):
    out = tmp_path / "cv"
    shutil.copytree(whole.folder, out, ignore=shutil.ignore_patterns("checkpoints"))
    text = (out / "folds.csv").read_text()
    for damaged, message in [
        (text.replace("repeat1", "repeat2"), "expected columns id, repeat0, repeat1"),
        (text.replace(",1", ",x"), "invalid literal"),
        (text.replace(",1", ",0"), "it does not have 2 folds"),
        (text.rsplit("\n", 2)[0] + "\n", "lists other recordings"),
    ]:
        (out / "folds.csv").write_text(damaged)
        with pytest.raises(UserError, match=f"folds.csv cannot be read.*{message}"):
            results.write(out)


@pytest.mark.slow
def test_a_baseline_whose_sessions_are_merged(data_dir, tmp_path):
    options = {"data_dir": data_dir, "log": quiet, "overrides": {"corpus.carve": 0.3}}
    found = cross_validate(
        BINARY, folds=2, seeds=3, merge="session", out=tmp_path / "cv", **options
    )
    assert len(found.results["runs"]) == 1
    assert found.results["deterministic"]
    assert found.results["tasks"]["depressed"]["items"] == 24
    assert found.results["tasks"]["depressed"]["folds"]["accuracy"]
    reporting.set_merge(RunDir.at(found.folder), "none")
    assert results.write(found.folder)["tasks"]["depressed"]["items"] == 48


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "--folds 1: set at least 2"),
        ({"repeats": 0}, "--repeats 0: set at least 1"),
        ({"folds": 50}, r"corpus\.folds=50"),
        ({"resume": True}, "omit --resume"),
        ({"overrides": {"corpus.fold": 1}}, "--set corpus.fold: `cross-validate` sets it"),
        ({"overrides": ["corpus.folds=3"]}, "--set corpus.folds: `cross-validate` sets it"),
        ({"repeats": 2, "seeds": [0, 10_000]}, "seeds must be distinct"),
        ({"merge": "subject"}, r"no subject of train\+valid\+test has several recordings"),
    ],
)
def test_mistakes(toy_demo, data_dir, tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        cross_validate(toy_demo, out=tmp_path / "cv", data_dir=data_dir, log=quiet, **options)
    assert not (tmp_path / "cv").exists()


def test_a_folder_of_others_is_refused(toy_demo, data_dir, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match="is not empty; set another --out"):
        cross_validate(toy_demo, out=tmp_path, data_dir=data_dir, log=quiet)


def test_a_baseline_is_not_streamed(data_dir, tmp_path):
    with pytest.raises(UserError, match="fitted in memory; omit --stream"):
        cross_validate(BINARY, out=tmp_path / "cv", data_dir=data_dir, stream=True)
