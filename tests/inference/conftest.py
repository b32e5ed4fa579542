"""A small run of JAMFN on raw files of its own, which the tests of this folder share."""

import shutil
from pathlib import Path

import pytest
from small import SMALL

import jaxdep
from jaxdep.data import stand_ins


def quiet(line):
    pass


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    """Raw files of D-Vlog's layout."""
    folder = tmp_path_factory.mktemp("raw") / "dvlog"
    stand_ins.synthesize("dvlog", folder, items=120, seed=3, mean_length=40)
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory, raw):
    """The directory of a run of two seeds, and its predictions for the test split."""
    base = tmp_path_factory.mktemp("runs")
    options = {"manual_dir": raw, "data_dir": base / "data", "overrides": SMALL, "log": quiet}
    return jaxdep.run("jamfn-demo", seeds=2, out=base / "r", **options).folder


@pytest.fixture(scope="session")
def evaluated(trained):
    """What `evaluate` writes for the test split."""
    return jaxdep.evaluate(trained, log=quiet).folder


@pytest.fixture(scope="session")
def moved(tmp_path_factory, trained, evaluated, raw):
    """The run's folder elsewhere, without its corpus, and the raw files without labels."""
    place = tmp_path_factory.mktemp("elsewhere")
    folder = Path(shutil.copytree(trained, place / "run"))
    unlabelled = place / "recordings"
    names = [line.split(",")[0] for line in (evaluated / "recordings.csv").read_text().split()[1:]]
    for name in names:
        shutil.copytree(raw / name, unlabelled / name)
    environment = (folder / "environment.json").read_text()
    prepared = str(trained.parent / "data")
    assert prepared in environment
    (folder / "environment.json").write_text(environment.replace(prepared, "/nowhere"))
    return folder, unlabelled
