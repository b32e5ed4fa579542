"""Reproductions of small tables: each experiment is trained once, continued, or listed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from small import SMALL
from tiny_encoders import tiny_bert

from jaxdep.artifacts import lock
from jaxdep.errors import UserError
from jaxdep.experiments import tables
from jaxdep.runner import reproduce
from jaxdep.tables import Paper, Row, Table, by_others

DEMO = Row("JAMFN", "dvlog", experiment="jamfn-demo", overrides=SMALL)
ADDED = Row("w/o MG", "dvlog", experiment="jamfn-demo", overrides={**SMALL, "model.scales": ()})
UNEQUAL = {**SMALL, "corpus.lengths.visual": 30}
PAPER = Paper(
    name="toy",
    system="JAMFN",
    title="A toy paper",
    tables=(
        Table("table1", "Table 1", "Methods", (DEMO,), "JAMFN"),
        Table(
            "table2",
            "Table 2",
            "Parts",
            (
                ADDED,
                DEMO,
                Row("unequal", "dvlog", experiment="jamfn-demo", overrides=UNEQUAL),
                *by_others(Row("C3D", "dvlog", reason="it reads video")),
            ),
            "JAMFN",
            note="A note.",
        ),
    ),
)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setattr(tables, "PAPERS", {"toy": PAPER})


def quiet(line):
    pass


def test_tables_join_and_share_their_runs(tmp_path, data_dir):
    out, heard = tmp_path / "out", []
    options = {"seeds": 2, "out": out, "data_dir": data_dir}
    first = reproduce.reproduce("toy:table1", log=quiet, **options)
    assert [line.row for line in first.lines] == ["JAMFN"] * 3
    (name,) = [folder.name for folder in (out / "runs").iterdir()]
    written = (out / "runs" / name / "meta.json").stat().st_mtime_ns

    second = reproduce.reproduce("toy:table2", log=heard.append, **options)
    assert (out / "runs" / name / "meta.json").stat().st_mtime_ns == written  # not trained again
    repeated = [line for line in second.lines if line.row == "JAMFN"]
    assert [line.table for line in repeated] == ["table1"] * 3 + ["table2"] * 3
    assert [line.mean for line in repeated[:3]] == [line.mean for line in repeated[3:]]
    by_row = {line.row: line for line in second.lines}
    assert by_row["w/o MG"].runs == 2
    assert by_row["w/o MG"].paper == pytest.approx(0.6283)
    assert by_row["w/o MG"].inside == ""  # SYNTHETIC
    assert "must have the same length" in by_row["unequal"].reason
    assert by_row["C3D"].reason == "it reads video"
    assert len(second.failed) == 1
    assert any("cannot be trained" in line for line in heard)

    page = (out / "report.html").read_text()
    assert page.count("SYNTHETIC") > 2
    assert "A note." in page
    assert "it reads video" in page
    assert "Differences from JAMFN" in page
    assert "w/o MG minus JAMFN, dvlog" in page
    assert json.loads((out / "reproduction.json").read_text())["seeds"] == [0, 1]
    described = json.loads((out / "tables.json").read_text())["tables"][1]["rows"]
    assert [each["overrides"] for each in described[:2]] == [sorted(ADDED.overrides), sorted(SMALL)]
    with (out / "tables.csv").open() as file:
        assert {line["table"] for line in csv.DictReader(file)} == {"table1", "table2"}
    for name in ("intervals-table1", "intervals-table2", "losses"):
        for suffix in ("png", "svg", "pdf"):
            assert (out / "figures" / f"{name}.{suffix}").stat().st_size > 1000


def test_another_request_is_refused(tmp_path, data_dir):
    out = tmp_path / "out"
    reproduce.reproduce("toy:table1", seeds=1, out=out, data_dir=data_dir, log=quiet)
    with pytest.raises(UserError, match=r"seeds: \[0\], requested \[0, 1\]"):
        reproduce.reproduce("toy:table1", seeds=2, out=out, data_dir=data_dir, log=quiet)
    (out / "reproduction.json").write_text("{")
    with pytest.raises(UserError, match=r"reproduction\.json cannot be read"):
        reproduce.reproduce("toy:table1", seeds=1, out=out, data_dir=data_dir, log=quiet)


def test_a_folder_of_others_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match="is not empty; set another --out"):
        reproduce.reproduce("toy", out=tmp_path, log=quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_in_use_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    code = (
        "import sys, time; from pathlib import Path; from jaxdep.artifacts import lock;"
        " lock.acquire(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="in use by another process"):
            reproduce.reproduce("toy", out=tmp_path / "out", log=quiet)
        holder.kill()


def test_nothing_that_can_be_trained_is_an_error(tmp_path, data_dir, monkeypatch):
    rows = (Row("unequal", "dvlog", experiment="jamfn-demo", overrides=UNEQUAL),)
    alone = Paper("toy", "JAMFN", "Toy", (Table("t", "", "T", rows, "unequal"),))
    monkeypatch.setattr(tables, "PAPERS", {"toy": alone})
    with pytest.raises(UserError, match="must have the same length"):
        reproduce.reproduce("toy", out=tmp_path / "out", data_dir=data_dir, log=quiet)
    lock.acquire(tmp_path / "out")  # the lock has ended with the error
    lock.release(tmp_path / "out")


def test_data_that_no_row_has_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"--manual-dir mgid=\.\.\.: no row of toy is on mgid"):
        reproduce.reproduce("toy", manual_dirs={"mgid": tmp_path}, log=quiet)
    with pytest.raises(UserError, match="omit --manual-dir"):
        reproduce.reproduce("toy", manual_dirs={"dvlog": tmp_path}, small=True, log=quiet)


class TestTextEncoder:
    """A table on MGID, whose texts are embedded, and on D-Vlog, which has none."""

    OPTION = "corpus.options.text_encoder"
    ROWS = (
        Row("LR", "mgid", experiment="lr-mgid-text", overrides={"corpus.synthetic.items": 60}),
        Row("own", "mgid", experiment="lr-mgid-text", overrides={OPTION: "its own"}),
        DEMO,
    )

    @pytest.fixture(autouse=True)
    def texts(self, monkeypatch):
        table = Table("t", "", "T", self.ROWS, "LR")
        alone = Table("lr", "", "T", self.ROWS[:1], "LR")
        paper = Paper("toy", "AMM", "Toy", (table, alone))
        monkeypatch.setattr(tables, "PAPERS", {"toy": paper})

    def test_is_that_of_the_corpora_with_texts(self, tmp_path, monkeypatch):
        asked = {}

        def stopped(experiment, *, out, **options):
            asked[out.name] = experiment
            raise UserError("stopped")

        monkeypatch.setattr(reproduce, "run", stopped)
        with pytest.raises(UserError, match="stopped"):
            reproduce.reproduce("toy:t", text_encoder="mine", out=tmp_path / "out", log=quiet)
        options = [dict(experiment.corpus.options) for experiment in asked.values()]
        assert options == [{"text_encoder": "mine"}, {"text_encoder": "its own"}, {}]
        # An encoder does not rename runs.
        assert [*asked] == [reproduce.run_name(row, False) for row in self.ROWS]

    def test_embeds_the_texts_and_must_be_the_same_to_continue(self, tmp_path, data_dir):
        encoder = str(tiny_bert(tmp_path / "encoder"))
        given = {"out": tmp_path / "out", "data_dir": data_dir, "log": quiet}
        reproduce.reproduce("toy:lr", text_encoder=encoder, **given)
        (run,) = (tmp_path / "out" / "runs").iterdir()
        meta = json.loads((run / "meta.json").read_text())
        assert meta["changed"][self.OPTION] == [None, encoder]
        assert (
            json.loads((tmp_path / "out" / "reproduction.json").read_text())["text_encoder"]
            == encoder
        )
        for other, said in ((None, "None"), ("hashing", "hashing")):
            with pytest.raises(UserError, match=rf"text_encoder: .*encoder, requested {said}"):
                reproduce.reproduce("toy:lr", text_encoder=other, **given)

    def test_without_texts_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tables, "PAPERS", {"toy": PAPER})
        with pytest.raises(UserError, match="no row of toy is on a corpus whose texts"):
            reproduce.reproduce("toy", text_encoder="mine", out=tmp_path / "out", log=quiet)
        assert not (tmp_path / "out").exists()


KILLED = """
import sys
from jaxdep.experiments import tables
from test_reproduce import PAPER
from jaxdep.runner import reproduce
tables.PAPERS = {"toy": PAPER}
reproduce.reproduce("toy", seeds=2, out=sys.argv[1], data_dir=sys.argv[2])
"""
WRITTEN = ("tables.md", "tables.tex", "tables.csv", "tables.json", "report.html")


@pytest.mark.slow
def test_killed_and_continued(tmp_path, data_dir, request, monkeypatch):
    """Tables are the same, byte for byte, after kills at several moments."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(request.path.parent), *sys.path]))
    command = [sys.executable, "-c", KILLED, "out", str(data_dir)]  # is in the page, as it is

    def place(name):
        (tmp_path / name).mkdir(exist_ok=True)
        return tmp_path / name

    subprocess.run(command, cwd=place("whole"), check=True)
    began = time.monotonic()
    subprocess.run(command, cwd=place("again"), check=True)
    takes = time.monotonic() - began
    for share in (0.4, 0.6, 0.8):
        with subprocess.Popen(command, cwd=place("killed"), stdout=subprocess.DEVNULL) as process:
            time.sleep(share * takes)
            process.send_signal(signal.SIGKILL)
    subprocess.run(command, cwd=place("killed"), check=True)
    for name in WRITTEN:
        whole, killed = (tmp_path / part / "out" / name for part in ("whole", "killed"))
        assert killed.read_bytes() == whole.read_bytes(), name
