"""One's own corpus from recordings to a report, through the command line alone."""

import csv
import json
import sys

import csv_rows
import numpy as np
import pytest

from jaxdep.cli import hugepages
from jaxdep.cli.main import main

RECORDINGS = 40
SENTENCES = 3

DESCRIPTION = """\
name: my study
recordings: study.csv
tasks:
  burdened: {classes: {0: healthy, 1: burdened}, column: diagnosis}
modalities:
  acoustic: {files: "features/{id}_voice.npy", rate: 2}
  visual: {files: "features/{id}_face.npy", rate: 1, normalize: zscore}
  text: {files: "features/{id}_words.npy"}
sentences: {files: "features/{id}_sentences.npy"}
align: 1
"""

JAMFN = ("hidden=4", "layers=1", "channels=4", "scales=1")
SMFL = ("layers=1", "channels=4", "heads=2", "hidden=4", f"max_sentences={SENTENCES}")


@pytest.fixture
def jaxdep(tmp_path, monkeypatch, capsys):
    """Runs the command line; returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAXDEP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(hugepages, "use", lambda: None)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["jaxdep", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return exit_.value.code, printed.out + printed.err

    return run


def write_study(folder):
    """Writes random features of forty people, and a table of them."""
    rng = np.random.default_rng(0)
    (folder / "features").mkdir(parents=True)
    rows = [("id", "subject", "diagnosis", "age")]
    for number in range(RECORDINGS):
        name = f"rec{number}"
        seconds = int(rng.integers(6, 9))
        path = lambda part, name=name: folder / "features" / f"{name}_{part}.npy"
        np.save(path("voice"), rng.normal(size=(2 * seconds, 5)))
        np.save(path("face"), rng.normal(size=(seconds, 4)).astype(np.float32))
        np.save(path("words"), rng.normal(size=(SENTENCES, 6)))
        bounds = np.linspace(0, seconds, SENTENCES + 1)
        np.save(path("sentences"), np.stack([bounds[:-1], bounds[1:]], 1))
        rows.append((name, f"p{number}", str(number % 2), str(20 + number)))
    csv_rows.write(folder / "study.csv", rows)
    (folder / "corpus.yaml").write_text(DESCRIPTION)


def settings(*model):
    changed = [f"model.{setting}" for setting in model]
    return ["--set", *changed, "training.epochs=2", "training.batch_size=14"]


@pytest.mark.slow
def test_from_recordings_to_a_report(jaxdep, tmp_path):
    raw, file, runs = tmp_path / "study", tmp_path / "study" / "corpus.yaml", tmp_path / "runs"
    write_study(raw)
    code, printed = jaxdep("prepare", "folder", "--manual-dir", raw)
    assert code == 0
    assert "stored 40 recordings of folder" in printed
    [prepared] = (tmp_path / "data").glob("folder-*")
    assert len((prepared / "splits.csv").read_text().splitlines()) == 1 + RECORDINGS
    for name, changed in {
        "jamfn": settings(*JAMFN),
        "smfl-daicwoz": settings(*SMFL),
        "lr-dvlog": [],
    }.items():
        code, printed = jaxdep("run", name, "--corpus", file, "--out", runs / name, *changed)
        assert code == 0, printed
        assert "reading" not in printed  # what was prepared is used
        results = json.loads((runs / name / "results.json").read_text())
        assert "my study" in results["title"]
        assert not results["synthetic"]
        assert results["split"]["items"] == 8
        task = results["tasks"]["burdened"]
        assert task["classes"] == ["healthy", "burdened"]
        assert not task.get("paper")
        with (runs / name / "recordings.csv").open() as lines:
            assert {int(row["age"]) for row in csv.DictReader(lines)} < set(range(20, 60))
    both = tmp_path / "both.html"
    code, printed = jaxdep(
        "report", *(runs / name for name in ("jamfn", "lr-dvlog")), "--out", both
    )
    assert code == 0
    assert "jamfn on my study" in both.read_text()


def test_init_writes_an_example_that_is_accepted(jaxdep, tmp_path):
    code, printed = jaxdep("init", tmp_path / "mine")
    assert code == 0
    assert "40 SYNTHETIC recordings" in printed
    assert "# in titles and reports" in (tmp_path / "mine" / "corpus.yaml").read_text()
    code, printed = jaxdep("prepare", "folder", "--manual-dir", tmp_path / "mine" / "corpus.yaml")
    assert code == 0
    assert "(SYNTHETIC)" in printed
    code, printed = jaxdep("init", tmp_path / "mine")
    assert code == 2
    assert "is not empty" in printed


def test_faults_end_with_exit_code_2_and_nothing_is_written(jaxdep, tmp_path):
    write_study(tmp_path / "study")
    (tmp_path / "study" / "features" / "rec3_face.npy").unlink()
    for command in (("prepare", "folder", "--manual-dir"), ("run", "lr-dvlog", "--corpus")):
        code, printed = jaxdep(*command, tmp_path / "study")
        assert code == 2
        assert "missing file (1):" in printed
        assert "features/rec3_face.npy" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["study"]
