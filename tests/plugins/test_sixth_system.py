"""A system in a package of its own: installed beside the library, nothing else is written."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables of an environment in which the package is installed."""
    folder = tmp_path_factory.mktemp("toy")
    shutil.copytree(HERE / "toy_package", folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", folder / "site", folder / "source"], check=True)
    paths = [str(folder / "site"), os.environ.get("PYTHONPATH", "")]
    home = {"JAXDEP_DATA_DIR": str(folder / "data"), "COLUMNS": "100"}
    return {
        **os.environ,
        **home,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTEST_ADDOPTS": "",
    }


def command(environment, *words, cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", *words], env=environment, cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_is_listed(environment):
    output = command(environment, "jaxdep", "list")
    assert "toy-demo" in output
    assert "average of voice and face" in output


def test_runs_and_is_reported(environment, tmp_path):
    run = tmp_path / "run"
    command(environment, "jaxdep", "run", "toy-demo", "--seeds", "2", "--out", str(run))
    assert json.loads((run / "config.json").read_text())["model"]["name"] == "toy"
    assert json.loads((run / "results.json").read_text())["synthetic"]
    command(environment, "jaxdep", "report", str(run))
    assert (run / "report.html").is_file()


def test_is_compared_with_its_reference(environment):
    output = command(environment, "jaxdep", "parity", "toy")
    assert "toy" in output
    assert "FAILED" not in output


def test_passes_the_battery(environment, tmp_path):
    file = shutil.copy(HERE / "toy_package" / "test_toy.py", tmp_path)
    words = ["pytest", "-q", "-p", "no:cacheprovider", str(file)]
    assert " passed" in command(environment, *words, cwd=tmp_path)
