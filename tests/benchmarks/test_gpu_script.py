"""The script that measures on a GPU runs on a CPU at the smallest sizes, and says what it needs."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.sh"


def script(*stages, **variables):
    """Runs the script in this environment, on the CPU."""
    without = {"TOY", "OUT", "RESULTS", "MODELS", "REPEATS"}
    kept = {name: value for name, value in os.environ.items() if name not in without}
    given = {"PYTHON": sys.executable, "JAX_PLATFORMS": "cpu", **variables}
    return subprocess.run(
        ["bash", str(SCRIPT), *stages], env=kept | given, capture_output=True, text=True
    )


def test_an_unknown_stage():
    result = script("correctness", "speed")
    assert result.returncode == 2
    assert "no stage speed; choose from correctness steps" in result.stderr
    assert not result.stdout


def test_without_a_gpu(tmp_path):
    result = script("steps", RESULTS=str(tmp_path))
    assert result.returncode == 2
    assert "JAX sees no GPU" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_every_stage(tmp_path):
    (tmp_path / "out").mkdir()
    result = script(TOY="1", RESULTS=str(tmp_path / "results"), OUT=str(tmp_path / "out"))
    assert result.returncode == 0, result.stderr
    assert "scan: left out" in result.stdout
    (folder,) = (tmp_path / "results").iterdir()
    benches = (
        *("correctness", "train-step", "epoch", "seed-counts", "seeds", "precision", "memory"),
        *("capacity", "input"),
    )
    expected = {f"{bench}-jamfn-tiny.json" for bench in benches}
    assert {path.name for path in folder.glob("*.json")} == expected
    assert "outputs" in (folder / "parity-jamfn.txt").read_text()
    assert json.loads((folder / "seeds-jamfn-tiny.json").read_text())["seeds"] == 3
    page = (folder / "README.md").read_text()
    assert page.index("## Behind") < page.index("## correctness: jamfn, tiny")
    (archive,) = (tmp_path / "out").iterdir()
    with tarfile.open(archive) as packed:
        assert f"{folder.name}/README.md" in packed.getnames()


@pytest.mark.slow
def test_a_row_that_fails_stops_no_other(tmp_path):
    given = {"TOY": "1", "MODELS": "bert jamfn", "RESULTS": str(tmp_path)}
    result = script("steps", **given)
    assert result.returncode == 1
    assert "FAILED: train-step bert" in result.stderr
    assert list(tmp_path.glob("*/train-step-jamfn-tiny.json"))
