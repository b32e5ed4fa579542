"""New recordings for a run on a corpus of one's own."""

import shutil

import numpy as np
import pytest
from small import SMALL

import jaxdep
from jaxdep.analysis import predictions
from jaxdep.data import stand_ins


def quiet(line):
    pass


@pytest.mark.slow
def test_outputs_are_those_of_evaluate_to_the_byte(tmp_path):
    raw = tmp_path / "raw"
    stand_ins.synthesize("folder", raw, items=40, seed=1)
    changes = {key: value for key, value in SMALL.items() if "synthetic" not in key}
    given = {"overrides": changes, "log": quiet, "data_dir": tmp_path / "data"}
    trained = jaxdep.run("jamfn", corpus=raw, seeds=2, out=tmp_path / "run", **given).folder
    evaluated = jaxdep.evaluate(trained, log=quiet).folder
    stored = predictions.read(evaluated / "predictions.csv")["depression"]
    # The features of the test recordings alone, without table and description.
    for path in raw.rglob("*"):
        if path.is_file() and path.stem not in stored.ids:
            path.unlink()
    new, run = shutil.move(raw, tmp_path / "new"), shutil.move(trained, tmp_path / "moved")
    shutil.rmtree(tmp_path / "data")
    model = jaxdep.load(run)
    found = model.predict(model.read(new, log=quiet))
    order = [found.ids.index(name) for name in stored.ids]
    assert len(order) == len(found.ids)
    assert stored.logits is not None
    outputs = found.tasks["depression"].outputs[:, order]
    np.testing.assert_allclose(outputs, stored.logits, rtol=0, atol=1e-6)
