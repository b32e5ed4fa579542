"""One's own corpus from recordings to a report, through the command line alone."""

import csv
import json
import sys

import csv_rows
import numpy as np
import pytest
from spoiled import nan, pickled, truncated

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


def part(folder, number, name):
    """File of the features of one recording."""
    return folder / "features" / f"rec{number}_{name}.npy"


def write_study(folder):
    """Writes random features of forty people, and a table of them."""
    rng = np.random.default_rng(0)
    (folder / "features").mkdir(parents=True)
    rows = [("id", "subject", "diagnosis", "age")]
    for number in range(RECORDINGS):
        seconds = int(rng.integers(6, 9))
        np.save(part(folder, number, "voice"), rng.normal(size=(2 * seconds, 5)))
        np.save(part(folder, number, "face"), rng.normal(size=(seconds, 4)).astype(np.float32))
        np.save(part(folder, number, "words"), rng.normal(size=(SENTENCES, 6)))
        bounds = np.linspace(0, seconds, SENTENCES + 1)
        np.save(part(folder, number, "sentences"), np.stack([bounds[:-1], bounds[1:]], 1))
        rows.append((f"rec{number}", f"p{number}", str(number % 2), str(20 + number)))
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
    models = {"jamfn": settings(*JAMFN), "smfl-daicwoz": settings(*SMFL), "lr-dvlog": []}
    for name, changed in models.items():
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
    report = tmp_path / "all.html"
    code, printed = jaxdep("report", *(runs / name for name in models), "--out", report)
    assert code == 0, printed
    text = report.read_text()
    assert "All runs were tested on the same recordings." in text
    for name in models:
        assert f"{name} on my study" in text


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


def change(raw, number, column, value):
    """Changes a cell of the table; recording n is in line n + 2."""
    rows = csv_rows.read(raw / "study.csv")
    rows[number + 1][rows[0].index(column)] = value
    csv_rows.write(raw / "study.csv", rows)


def replace(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


# Kind of fault -> what makes it, each in a recording of its own, and its line in the message.
FAULTS = {
    "missing file": (lambda raw: part(raw, 0, "face").unlink(), "features/rec0_face.npy"),
    "unreadable or truncated array": (
        lambda raw: truncated(part(raw, 1, "voice")),
        "features/rec1_voice.npy: 556 bytes of data; its header declares 560",
    ),
    "pickled array (refused)": (
        lambda raw: pickled(part(raw, 2, "words")),
        "features/rec2_words.npy",
    ),
    "not numeric": (
        lambda raw: np.save(part(raw, 3, "face"), np.full((6, 4), "a")),
        "features/rec3_face.npy: type <U1",
    ),
    "wrong shape": (
        lambda raw: np.save(part(raw, 4, "voice"), np.zeros(5)),
        "features/rec4_voice.npy: expected [T, D], found [5]",
    ),
    "wrong width": (
        lambda raw: np.save(part(raw, 5, "words"), np.zeros((SENTENCES, 2))),
        "features/rec5_words.npy: 2 features; 28 files have 6",
    ),
    "NaN or infinity": (lambda raw: nan(part(raw, 6, "face")), "features/rec6_face.npy: 1 NaN"),
    "lengths differ": (
        lambda raw: np.save(part(raw, 7, "face"), np.zeros((30, 4))),
        "rec7: rows at 1 a second: acoustic",
    ),
    "bad sentence": (
        lambda raw: np.save(part(raw, 8, "sentences"), [[0, 2], [4, 3], [4, 6]]),
        "features/rec8_sentences.npy: sentence 2: from 4 to 3 s",
    ),
    "unknown label": (
        lambda raw: change(raw, 9, "diagnosis", "2"),
        "study.csv:11: '2'; expected one of 0, 1",
    ),
    "missing label": (
        lambda raw: change(raw, 10, "diagnosis", ""),
        "study.csv:12: diagnosis is empty",
    ),
    "duplicate id": (
        lambda raw: change(raw, 11, "id", "rec12"),
        "study.csv:14: rec12 is also in line 13",
    ),
}

# Faults of the description and of the header, which are found before any recording is read.
WRONG = {
    "corpus.yaml": {
        "rate: 2": ("rate: 0", "modalities.acoustic.rate: Input should be greater than 0"),
        "align: 1": ("aling: 1", "aling: unknown key; did you mean 'align'?"),
        "{id}_words": ("words", "modalities.text.files: expected {id} in the path"),
    },
    "study.csv": {"diagnosis": ("diagnose", "study.csv:1: diagnosis; did you mean 'diagnose'?")},
}


def test_faults_end_with_exit_code_2_and_nothing_is_written(jaxdep, tmp_path):
    """Twelve kinds of faults of recordings, and before them those of what describes them."""
    raw = tmp_path / "study"
    write_study(raw)
    for spoil, _ in FAULTS.values():
        spoil(raw)
    files = {path: path.read_bytes() for path in raw.rglob("*.*")}

    def refused():
        for command in (("prepare", "folder", "--manual-dir"), ("run", "lr-dvlog", "--corpus")):
            code, printed = jaxdep(*command, raw)
            assert code == 2, printed
            assert "Traceback" not in printed
            assert [path.name for path in tmp_path.iterdir()] == ["study"]
            yield printed

    for file, faults in WRONG.items():
        for old, (new, _) in faults.items():
            replace(raw / file, old, new)
        for printed in refused():
            for _, message in faults.values():
                assert message in printed
        (raw / file).write_bytes(files[raw / file])
    assert len(FAULTS) == 12
    for printed in refused():
        assert "nothing was written" in printed
        for kind, (_, line) in FAULTS.items():
            assert f"  {kind} (1):\n    {line}" in printed
    assert {path: path.read_bytes() for path in raw.rglob("*.*")} == files
