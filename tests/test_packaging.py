"""The wheel: what it holds, and that it works in an empty environment outside the repository."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from jaxdep.data.corpora import CORPORA

ROOT = Path(__file__).parents[1]
TIMED = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}  # `make wheel` takes it from the commit


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    copy = out / "source"
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    for name in files or [str(p.relative_to(ROOT)) for p in ROOT.rglob("*.py")]:
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            target.write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*command, str(copy)], check=True, capture_output=True, env=TIMED)
    [path] = out.glob("*.whl")
    return path


def test_folders_of_corpora_are_in_every_table():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {p.parent.name for p in (ROOT / "datasets").glob("*/*_dataset_builder.py")}
    named = {f"jaxdep.datasets.{name}" for name in folders}
    assert folders == set(CORPORA)
    assert named <= set(config["packages"])
    assert named <= set(config["package-dir"])
    assert named <= set(config["package-data"])
    found = {".".join(p.parent.relative_to(ROOT).parts) for p in ROOT.glob("jaxdep/**/__init__.py")}
    elsewhere = {"jaxdep.experiments", "jaxdep.experiments.tables", "jaxdep.benchmarks"}
    assert found | named | elsewhere == set(config["packages"])


def test_no_top_level_names_but_ours(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"jaxdep"}
    for corpus in CORPORA:
        for file in ("README.md", "CITATIONS.bib", "TAGS.txt", "synthetic.py"):
            assert f"jaxdep/datasets/{corpus}/{file}" in names
    for file in ("jaxdep/py.typed", "jaxdep/analysis/sweep.html", "jaxdep/experiments/jamfn.py"):
        assert file in names
    assert not [name for name in names if "tests" in name or "/test_" in name]


def test_every_dependency_has_a_lower_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for line in [*project["dependencies"], *(line for lines in extras.values() for line in lines)]:
        wanted = Requirement(line)
        own = wanted.name == "jaxdep" or line == "jax[cuda13]"  # bounded elsewhere
        assert own or any(each.operator == ">=" for each in wanted.specifier), line


@pytest.mark.slow
def test_make_wheel_adds_a_bill_of_materials_and_hashes(wheel, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(wheel.parent / "source", copy, ignore=shutil.ignore_patterns("build"))
    for path in copy.rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    make = ["make", f"VENV={sys.prefix}", "--old-file", f"{sys.prefix}/.installed-test", "wheel"]
    subprocess.run(make, cwd=copy, check=True, capture_output=True, env=TIMED)
    files = {path.name: path for path in (copy / "dist").iterdir()}
    assert files[wheel.name].read_bytes() == wheel.read_bytes()

    content = files["jaxdep.cdx.json"].read_text()
    bill = json.loads(content)
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "jaxdep"
    listed = {each["name"].lower().replace("_", "-"): each for each in bill["components"]}
    assert {"jax", "flax", "numpy", "tensorflow-datasets"} <= listed.keys()
    assert not listed.keys() & {"jaxdep", "torch", "pytest", "ruff", "pip-audit", "cyclonedx-bom"}
    assert listed["numpy"]["purl"] == f"pkg:pypi/numpy@{listed['numpy']['version']}"
    assert str(tmp_path) not in content

    lines = files.pop("SHA256SUMS").read_text().splitlines()
    hashes = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert hashes == {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in files.items()}


@pytest.mark.slow
def test_installed_alone_it_runs(wheel, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"JAXDEP_DATA_DIR": str(tmp_path / "data")}
    run = lambda *command: subprocess.run(
        list(map(str, command)), cwd=tmp_path, env=environment, check=True, capture_output=True
    )
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    bin_ = tmp_path / "venv" / "bin"
    run(bin_ / "pip", "install", "--quiet", wheel)
    listed = run(bin_ / "jaxdep", "list").stdout.decode()
    assert "jamfn-demo" in listed
    run(bin_ / "jaxdep", "run", "jamfn-demo", "--seeds", "1", "--out", tmp_path / "r")
    assert (tmp_path / "r" / "report.html").is_file()
    packages = run(bin_ / "python", "-c", "import jaxdep; print(jaxdep.__file__)").stdout.decode()
    site = Path(packages.strip()).parents[1]
    assert not (site / "datasets").exists()
    assert not (site / "experiments").exists()
