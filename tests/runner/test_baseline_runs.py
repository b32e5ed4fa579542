"""Whole runs of baselines: seeds, scores, restricted inputs and refused targets."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from small import SMALL

import jaxdep
from jaxdep.analysis import report
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.models import SVM, KNNFusion, LogisticRegression, RandomForest
from jaxdep.runner.run import find

CORPUS = {key: value for key, value in SMALL.items() if key.startswith("corpus.")}
FEW = {"corpus.synthetic.items": 24, "corpus.synthetic.mean_seconds": 8.0}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


def run(name, model, out, data_dir, corpus=CORPUS, **options):
    experiment = replace(find(name, corpus), model=model)
    return jaxdep.run(experiment, out=out, data_dir=data_dir, log=lambda line: None, **options)


def rows(folder):
    with (folder / "predictions.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_forest_has_a_run_for_each_seed(data_dir, tmp_path):
    model = RandomForest(trees=20, modalities=("visual",))
    found = run("jamfn-demo", model, tmp_path / "r", data_dir, seeds=[0, 5])
    assert [entry["seed"] for entry in found.results["runs"]] == [0, 5]
    assert found.results["deterministic"] is False
    assert found.results["bits"] == "nothing"
    assert set(found.results["runs"][0]["hyper"]) == {"min_leaf", "validation_loss"}
    of_seed = lambda seed: [r["probability"] for r in rows(found.folder) if r["seed"] == seed]
    assert of_seed("0") != of_seed("5")
    alone = run("jamfn-demo", model, tmp_path / "5", data_dir, seeds=[5])
    assert [r["probability"] for r in rows(alone.folder)] == of_seed("5")
    assert "means over 2 runs" in report.write([found.folder]).read_text()


def test_other_baselines_have_a_single_run(data_dir, tmp_path):
    found = run("jamfn-demo", SVM(), tmp_path / "r", data_dir, seeds=3)
    assert [entry["seed"] for entry in found.results["runs"]] == [0]
    assert found.results["deterministic"] is True
    meta = json.loads((found.folder / "meta.json").read_text())
    assert meta["selection"] == "lowest validation loss over all candidate settings"


def test_runs_of_earlier_versions_are_deterministic(data_dir, tmp_path):
    from jaxdep.analysis import results

    found = run("jamfn-demo", KNNFusion(neighbors=(3,)), tmp_path / "r", data_dir)
    meta = json.loads((found.folder / "meta.json").read_text())
    del meta["stochastic"]
    (found.folder / "meta.json").write_text(json.dumps(meta))
    assert results.compute(found.folder) == found.results


def test_scores_are_clipped_to_their_scale(data_dir, tmp_path):
    experiment = replace(find("mddr-demo", FEW), model=KNNFusion(neighbors=(1,)))

    def predicted(bounds):
        tasks = {"depression": replace(experiment.tasks["depression"], bounds=bounds)}
        out = tmp_path / f"{len(bounds)}"
        clipped = replace(experiment, tasks=tasks)
        found = jaxdep.run(clipped, out=out, data_dir=data_dir, log=lambda line: None)
        assert "mae" in found.results["tasks"]["depression"]["summary"]
        return np.array([float(row["prediction"]) for row in rows(found.folder)])

    raw = predicted(())
    middle = float(np.median(raw))
    assert raw.max() > middle
    np.testing.assert_allclose(predicted((0.0, middle)), np.minimum(raw, middle), rtol=1e-6)


def test_refused_targets_leave_nothing_behind(data_dir, tmp_path):
    out = tmp_path / "r"
    with pytest.raises(UserError, match="predicts classes, but the targets are scores"):
        run("mddr-demo", LogisticRegression(), out, data_dir, corpus=FEW)
    assert not out.exists()


def test_settings_from_the_command_line(tmp_path):
    base = replace(EXPERIMENTS["jamfn-demo"], model=SVM())
    changed = find(base, ["model.kernel=rbf", "model.C=1,2", "model.modalities=visual"])
    assert changed.model == SVM(kernel=("rbf",), C=(1.0, 2.0), modalities=("visual",))
    with pytest.raises(UserError, match="linear or rbf"):
        find(base, ["model.kernel=poly"])
    with pytest.raises(UserError, match=r"SVM\.C is empty"):
        find(base, ["model.C=()"])
