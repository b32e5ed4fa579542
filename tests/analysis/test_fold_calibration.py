"""Calibration of a cross-validation, against the same measures computed by hand."""

import json
import shutil

import numpy as np
import pytest
from fabricate import run_folder, write_recordings

from jaxdep.analysis import calibration, figures, narrative, predictions, report, results
from jaxdep.artifacts import folds

REPEATS, FOLDS, SEEDS, ITEMS = 2, 3, 2, 30
CUTS = np.stack([np.arange(ITEMS) % FOLDS, np.arange(ITEMS) // 3 % FOLDS])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two repeats of three folds with two seeds; validation data differ between folds."""
    seeds = [seed + 10_000 * repeat for repeat in range(REPEATS) for seed in range(SEEDS)]
    out = run_folder(tmp_path_factory.mktemp("of") / "cv", seeds=seeds, items=ITEMS, paper=None)
    meta = json.loads((out / "meta.json").read_text())
    meta["cross_validation"] = {"folds": FOLDS, "repeats": REPEATS}
    (out / "meta.json").write_text(json.dumps(meta))
    (out / "validation.csv").unlink()
    lines = ["id,repeat0,repeat1"]
    lines += [f"v{item:03d},{a},{b}" for item, (a, b) in enumerate(CUTS.T)]
    (out / "folds.csv").write_text("\n".join(lines) + "\n")
    for repeat in range(REPEATS):
        for fold in range(FOLDS):
            how = {"seed": 10 * repeat + fold, "accuracy": 0.4 + 0.2 * fold, "items": 20 + fold}
            of_fold = seeds[SEEDS * repeat :][:SEEDS]
            run_folder(folds.folder_of(out, repeat, fold), seeds=of_fold, **how)
    return out


@pytest.fixture(scope="module")
def found(folder):
    return results.write(folder)


@pytest.fixture(scope="module")
def scaled(folder):
    """Temperatures [4, 3] and scaled probabilities [4, 30, 2], one recording after the other."""
    test = predictions.read(folder / "predictions.csv")["depression"]
    assert test.logits is not None
    temperatures, probability = np.zeros((4, FOLDS)), np.zeros(test.logits.shape)
    for run in range(4):
        repeat, row = divmod(run, SEEDS)
        for fold in range(FOLDS):
            path = folds.folder_of(folder, repeat, fold) / "validation.csv"
            own = predictions.read(path)["depression"]
            assert own.logits is not None
            temperatures[run, fold] = calibration.fit_temperature(own.logits[row], own.target)
        for item in range(ITEMS):
            temperature = temperatures[run, CUTS[repeat, item]]
            logits = test.logits[run, item]
            probability[run, item] = calibration.probabilities(logits, temperature)
    return temperatures, probability, test


def test_each_prediction_has_the_temperature_of_its_fold(found, scaled):
    temperatures, probability, test = scaled
    task = found["tasks"]["depression"]
    assert task["uncalibrated"] == ""
    of = task["calibration"]
    assert np.array(of["temperature"]["per_fold"]) == pytest.approx(temperatures)
    assert len(np.unique(temperatures.round(6))) == temperatures.size
    assert of["temperature"]["per_run"] == pytest.approx(temperatures.mean(1))
    brier = (probability[..., 1] - test.target) ** 2
    assert of["summary"]["brier_scaled"]["mean"] == pytest.approx(brier.mean())
    ece = [calibration.error(each, test.target) for each in probability]
    assert of["summary"]["ece_scaled"]["mean"] == pytest.approx(np.mean(ece))
    assert of["summary"]["ece_scaled"]["runs"] == 4
    plain = (test.probability - test.target) ** 2
    assert of["summary"]["brier"]["mean"] == pytest.approx(plain.mean(), abs=1e-6)
    assert of["validation_items"] == 21


def test_all_runs_together(found, scaled):
    """One set of 120 predictions, in which each recording counts four times."""
    _, probability, test = scaled
    pooled = found["tasks"]["depression"]["calibration"]["pooled"]
    together = calibration.error(probability.reshape(-1, 2), np.tile(test.target, 4))
    assert pooled["ece_scaled"] == pytest.approx(together)
    assert pooled["runs"] == 4


def test_in_words_and_on_the_page(folder, found):
    notes = "\n".join(narrative.notes(found))
    pooled = found["tasks"]["emotion"]["calibration"]["pooled"]
    assert f"4 runs together, each recording once per repeat and seed: ECE {pooled['ece']:.3f}" in (
        notes
    )
    assert "each fitted on the validation data of its own fold" in notes
    page = report.write([folder]).read_text()
    assert "Brier score, temperature-scaled" in page
    assert "each recording counts once per repeat and seed, 4 times in all" in page
    assert (folder / "figures" / "reliability_depression.png").stat().st_size > 10_000


def test_the_diagram_shows_the_scaled_predictions(folder, found, scaled, monkeypatch):
    _, probability, _ = scaled
    shown = []
    original = calibration.scaled
    monkeypatch.setattr(calibration, "scaled", lambda *x: shown.append(original(*x)) or shown[-1])
    figures.write(folder, found)
    assert shown[0] == pytest.approx(probability)


def test_diverged_runs_do_not_count(folder, scaled, tmp_path):
    """The other runs keep the temperatures of their own seeds and repeats."""
    copy = shutil.copytree(folder, tmp_path / "cv")
    meta = json.loads((copy / "meta.json").read_text())
    for run in (0, 3):
        meta["runs"][run]["status"] = "diverged"
    (copy / "meta.json").write_text(json.dumps(meta))
    of = results.compute(copy)["tasks"]["depression"]["calibration"]
    assert np.array(of["temperature"]["per_fold"]) == pytest.approx(scaled[0][[1, 2]])


def test_subjects_that_are_merged(folder, tmp_path):
    """Temperatures are fitted on validation predictions that are merged, too."""
    copy = shutil.copytree(folder, tmp_path / "cv")
    meta = json.loads((copy / "meta.json").read_text())
    (copy / "meta.json").write_text(json.dumps({**meta, "merge": "subject"}))
    fold = folds.folder_of(copy, 1, 2)
    own = predictions.read(fold / "validation.csv")["depression"]
    subjects = own.ids.copy()
    subjects[np.flatnonzero(own.target == 0)[:4]] = "them"
    write_recordings(fold, subjects.tolist(), {}, "validation_recordings.csv")
    merged = own.merge(subjects, 2)
    assert merged.logits is not None
    found = results.compute(copy)["tasks"]["depression"]["calibration"]["temperature"]["per_fold"]
    fitted = calibration.fit_temperatures(merged.logits, merged.target)
    assert np.array(found)[2:, 2] == pytest.approx(fitted)
    assert own.logits is not None
    assert fitted != pytest.approx(calibration.fit_temperatures(own.logits, own.target))
    (fold / "validation_recordings.csv").unlink()
    task = results.compute(copy)["tasks"]["depression"]
    assert task["calibration"] is None
    assert task["uncalibrated"].startswith("repeat1-fold2: it needs validation_recordings.csv")


def test_folds_that_were_removed(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "cv")
    shutil.rmtree(folds.folder_of(copy, 0, 1))
    found = results.compute(copy)
    assert found["tasks"]["depression"]["calibration"] is None
    assert "calibration not computed: repeat0-fold1: it needs logits" in str(narrative.notes(found))
