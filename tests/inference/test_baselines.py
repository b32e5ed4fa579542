"""Baselines of scikit-learn answer about new recordings from the folder of their run alone."""

import csv
import shutil
import sys

import numpy as np
import pytest

import jaxdep
from jaxdep.analysis import predictions
from jaxdep.cli import hugepages
from jaxdep.cli.main import main
from jaxdep.errors import UserError
from jaxdep.inference import exporting

SETTINGS = {
    "lr-dvlog": {"model.C": (1.0,)},
    "svm-dvlog": {"model.kernel": ("rbf",), "model.C": (1.0,)},
    "rf-dvlog": {"model.trees": 20, "model.min_leaf": (2,)},
    "knn-fusion-dvlog": {"model.neighbors": (5,), "model.modalities": ("acoustic",)},
}


def quiet(line):
    pass


_PARAMS = [
    pytest.param(name, marks=pytest.mark.slow if name in ("svm-dvlog", "rf-dvlog") else ())
    for name in SETTINGS
]


@pytest.fixture(scope="module", params=_PARAMS)
def fitted(request, tmp_path_factory, raw):
    """The directory of a run of two seeds."""
    base = tmp_path_factory.mktemp("baselines")
    options = {"manual_dir": raw, "data_dir": base / "data", "log": quiet}
    overrides = SETTINGS[request.param]
    return jaxdep.run(request.param, seeds=2, out=base / "r", overrides=overrides, **options).folder


def outputs_of(folder):
    stored = predictions.read(folder / "predictions.csv")["depression"]
    assert stored.logits is not None
    return stored.ids.tolist(), stored.logits.astype(np.float32)


def test_predictions_are_those_of_the_run(fitted, moved, tmp_path):
    """To the bit, without the corpus; `moved[1]` has the raw files of the test split."""
    folder = shutil.copytree(fitted, tmp_path / "run")
    model = jaxdep.load(folder)
    found = model.predict(model.read(moved[1]), coverage=0.8)
    ids, stored = outputs_of(fitted)
    assert list(found.ids) == ids
    np.testing.assert_array_equal(found.tasks["depression"].outputs, stored)
    np.testing.assert_allclose(found.tasks["depression"].value.sum(1), 1, rtol=1e-6)
    assert np.isfinite(found.percentile).all()
    again = outputs_of(jaxdep.evaluate(fitted, log=quiet).folder)
    assert again[0] == ids
    np.testing.assert_array_equal(again[1], stored)


def test_by_command(fitted, moved, tmp_path, monkeypatch):
    table = tmp_path / "table.csv"
    command = ["jaxdep", "predict", fitted, moved[1], "--out", table]
    monkeypatch.setattr(hugepages, "use", lambda: None)
    monkeypatch.setattr(sys, "argv", [str(each) for each in command])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code
    with table.open() as file:
        assert [row["id"] for row in csv.DictReader(file)] == outputs_of(fitted)[0]


def test_what_needs_a_network_is_refused(fitted, tmp_path):
    model = jaxdep.load(fitted)
    with pytest.raises(UserError, match="no network"):
        exporting.export(model, tmp_path / "exported")
    assert not (tmp_path / "exported").exists()
    with pytest.raises(UserError, match="no network"):
        model.apply({}, {})
    with pytest.raises(UserError, match="no mask for an absent modality"):
        jaxdep.missing(fitted, log=quiet)


def test_a_run_without_estimators_is_refused(fitted, tmp_path):
    folder = shutil.copytree(fitted, tmp_path / "run")
    shutil.rmtree(folder / "estimators")
    with pytest.raises(UserError, match="has no estimators"):
        jaxdep.load(folder)
