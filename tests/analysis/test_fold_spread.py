"""Spread over folds, against values computed by hand."""

import json

import pytest
from fabricate import run_folder

from jaxdep.analysis import narrative, results
from jaxdep.artifacts import folds
from jaxdep.errors import UserError

IDS = [f"v{item:03d}" for item in range(4)]
HEAD = "id,split,task,run,seed,target,prediction,probability,logits"
COLUMNS = "id,repeat0,repeat1"


@pytest.fixture
def folder(tmp_path):
    """Two repeats of two folds of four recordings; every probability is certain."""
    out = run_folder(tmp_path / "cv", seeds=(0, 10_000), items=4, tasks=("depression",))
    meta = json.loads((out / "meta.json").read_text())
    meta["cross_validation"] = {"folds": 2, "repeats": 2}
    (out / "meta.json").write_text(json.dumps(meta))
    lines = [HEAD]
    # Targets 0 0 1 1; right are 0, 1 and 2 in the first run, and all in the second.
    for run, (seed, predicted) in enumerate([(0, "0010"), (10_000, "0011")]):
        for name, target, label in zip(IDS, "0011", predicted, strict=True):
            logits = "9 -9" if label == "0" else "-9 9"
            cells = (name, "all", "depression", run, seed, target, label, label, logits)
            lines.append(",".join(map(str, cells)))
    (out / "predictions.csv").write_text("\n".join(lines) + "\n")
    (out / "validation.csv").unlink()
    cuts = [COLUMNS, "v000,0,0", "v001,1,0", "v002,0,1", "v003,1,1"]
    (out / "folds.csv").write_text("\n".join(cuts) + "\n")
    return out


def test_by_hand(folder):
    """Run 0: accuracies 1 and 1/2 in the folds of repeat 0. Run 1: 1 and 1."""
    found = results.compute(folder)["tasks"]["depression"]["folds"]
    assert found["accuracy"]["mean"] == pytest.approx((0.75 + 1) / 2)
    assert found["accuracy"]["std"] == pytest.approx((0.5**1.5 + 0) / 2)
    assert found["roc_auc"] is None  # the folds of repeat 1 have one class each


def test_in_words(folder):
    found = results.compute(folder)
    notes = "\n".join(narrative.notes(found))
    assert "depression: std over folds: accuracy 0.177" in notes
    assert "no standard error" in notes
    # The folder has no folds, as if they had been removed to save space.
    assert "calibration not computed: repeat0-fold0: it needs logits" in notes
    assert narrative.summary(found)[0].startswith("2-fold cross-validation on ")


def test_other_runs_have_none(tmp_path):
    found = results.compute(run_folder(tmp_path / "run"))
    assert {task["folds"] for task in found["tasks"].values()} == {None}
    assert "folds" not in "\n".join(narrative.notes(found))


def test_read(folder):
    ids, cuts = folds.read(folder / "folds.csv", 2)
    assert ids.tolist() == IDS
    assert cuts.tolist() == [[0, 1, 0, 1], [0, 0, 1, 1]]
    with pytest.raises(UserError, match=r"expected columns id, repeat0\)"):
        folds.read(folder / "folds.csv", 1)
