"""Subgroups of whole runs on stand-ins: in the results, on the page, as CSV and in the terminal."""

import csv
from dataclasses import replace

import pytest
from small import SMALL

import jaxdep
from jaxdep.analysis import report, results
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.cli import commands
from jaxdep.experiment import Corpus, Task
from jaxdep.experiments import EXPERIMENTS
from jaxdep.models import KNNFusion
from jaxdep.runner import reporting
from jaxdep.runner.run import find

CORPUS = {key: value for key, value in SMALL.items() if key.startswith("corpus.")}


@pytest.fixture(scope="module")
def vlogs(tmp_path_factory):
    """A run on the stand-in for D-Vlog, whose `labels.csv` has the gender of each vlogger."""
    experiment = replace(find("jamfn-demo", CORPUS), model=KNNFusion(neighbors=(3,)))
    folder = tmp_path_factory.mktemp("vlogs")
    return jaxdep.run(experiment, out=folder / "r", data_dir=folder, log=lambda line: None)


@pytest.fixture
def interviews(tmp_path):
    """A run on the stand-in for AVEC2014: two tasks in each session, and the gender of subjects."""
    corpus = Corpus(
        name="avec2014",
        synthetic={"items": 48, "mean_seconds": 8.0},
        train="training",
        validation="development",
        test=("testing",),
    )
    experiment = replace(
        EXPERIMENTS["lr-ewre"],
        name="lr-avec2014",
        corpus=corpus,
        tasks={"depressed": Task()},
        paper=None,
    )
    return jaxdep.run(experiment, out=tmp_path / "r", data_dir=tmp_path, log=lambda line: None)


def test_gender_of_vlogs(vlogs):
    [task] = vlogs.results["tasks"].values()
    duration, gender = task["subgroups"]["attributes"]
    assert (duration["name"], gender["name"]) == ("duration", "gender")
    women, men = gender["groups"]
    assert (women["name"], men["name"]) == ("female", "male")
    with (vlogs.folder / "recordings.csv").open() as file:
        listed = [row["gender"] for row in csv.DictReader(file)]
    assert [women["items"], men["items"]] == [listed.count("female"), listed.count("male")]
    # The accuracy of all is that of both groups, by their sizes.
    right = sum(group["items"] * group["metrics"]["accuracy"]["mean"] for group in (women, men))
    assert right / task["items"] == pytest.approx(task["summary"]["accuracy"]["mean"])
    page = (vlogs.folder / "report.html").read_text()
    assert "<h3>Subgroups</h3>" in page
    assert "female minus male" in page
    assert "true positive rate" in page
    assert "two-sided permutation test" in page
    assert ("too few for a conclusion" in page) == (women["few"] or men["few"])


def test_csv_of_vlogs(vlogs):
    with (vlogs.folder / "subgroups.csv").open() as file:
        rows = list(csv.DictReader(file))
    [task] = vlogs.results["tasks"].values()
    _, gender = task["subgroups"]["attributes"]
    rows = [row for row in rows if row["attribute"] == "gender"]
    assert [row["row"] for row in rows] == ["group", "group", "gap"] * len(gender["gaps"])
    for metric, gap in gender["gaps"].items():
        first, second, difference = (row for row in rows if row["metric"] == metric)
        if gap["mean"] is None:
            assert difference["value"] == ""
            continue
        assert float(difference["value"]) == pytest.approx(gap["mean"], abs=1e-5)
        assert float(first["value"]) - float(second["value"]) == pytest.approx(
            float(difference["value"]), abs=1e-5
        )
        assert float(difference["p_holm"]) >= float(difference["p"]) > 0


def test_in_the_terminal(vlogs, capsys):
    commands.report((vlogs.folder,))
    printed = capsys.readouterr().out
    assert "SYNTHETIC: depression, subgroups by gender" in printed
    assert "false positive rate" in printed
    assert "female: " in printed
    assert (
        max(map(len, printed.split("subgroups by gender")[1].split("female: ")[0].splitlines()))
        <= 80
    )
    # Runs side by side have pages of their own for this.
    commands.report((vlogs.folder, vlogs.folder))
    assert "subgroups" not in capsys.readouterr().out


def test_tasks_of_a_session_and_their_mean(interviews):
    def attributes(found):
        return {
            each["name"]: each for each in found["tasks"]["depressed"]["subgroups"]["attributes"]
        }

    each = attributes(interviews.results)
    assert each.keys() == {"gender", "task"}
    assert not each["gender"]["within"]
    assert each["task"]["within"]
    assert [group["items"] for group in each["task"]["groups"]] == [8, 8]
    assert (
        "subjects have recordings of several values"
        in report.write([interviews.folder]).read_text()
    )
    reporting.set_merge(RunDir.at(interviews.folder), "session")
    merged = results.write(interviews.folder)
    assert attributes(merged).keys() == {"gender"}
    assert merged["tasks"]["depressed"]["subgroups"]["notes"] == [
        "task: not compared, fewer than two known values"
    ]
    assert sum(group["items"] for group in attributes(merged)["gender"]["groups"]) == 8


def test_without_attributes_there_is_no_section(vlogs, tmp_path):
    recorded = vlogs.folder / "recordings.csv"
    before = recorded.read_text()
    rows = [line.split(",")[:2] for line in before.splitlines()]
    recorded.write_text("\n".join(map(",".join, rows)) + "\n")
    try:
        assert "Subgroups" not in report.write([vlogs.folder], tmp_path / "x.html").read_text()
        assert not (vlogs.folder / "subgroups.csv").exists()
    finally:
        recorded.write_text(before)
