"""Tables of a reproduction: withheld figures, splits, marks of stand-ins, runs, and small tests."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fabricate import run_folder, write
from rich.console import Console

from jaxdep.analysis import (
    reproduction,
    reproduction_notes,
    reproduction_page,
    reproduction_table,
    results,
    table_formats,
)
from jaxdep.analysis.reproduction import Line

ENCODER = {"corpus.options.text_encoder": [None, "MiniLM"]}
ZONES = {"corpus.options.zones": [9, 4]}
OPEN = ["model.tokens", "corpus.options.zones"]
FOLDER = {
    "seeds": (0, 1),
    "items": 20,
    "tasks": ("depression",),
    "corpus": "mgid",
    "average": "micro",
    "synthetic": False,
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Content of `results.json` of the paper's system and of a baseline, on real data."""
    folder, own = tmp_path_factory.mktemp("runs"), ("AMM", "Table IV", "MTL T+V")
    return {
        "amm": results.compute(run_folder(folder / "amm", paper=own, open_=OPEN, **FOLDER)),
        "svm": results.compute(run_folder(folder / "svm", paper=None, seed=1, **FOLDER)),
    }


def row(label, run, corpus="mgid", **values):
    given = {"corpus": corpus, "task": "depression", "own": True, "reason": "", **values}
    return {"label": label, "run": run, **given}


def paper(*rows) -> Any:
    table = {"name": "table3", "source": "Table III", "title": "Methods", "proposed": "AMM"}
    tables = [{**table, "note": "", "rows": [*rows]}]
    return {"paper": "amm", "system": "AMM", "title": "AMM (2021)", "tables": tables}


PAPER = paper(row("SVM", "svm"), row("AMM", "amm"))


def lines_of(found, **changes):
    """Lines of both rows, of runs with these changes in their results."""
    return reproduction.lines_of(PAPER, {name: each | changes for name, each in found.items()})


def shown(lines):
    return {line.row for line in lines if line.paper is not None}


class TestWithheld:
    def test_shown_if_nothing_but_what_is_open_was_changed(self, found):
        for changed in ({}, ZONES):
            lines = lines_of(found, changed=changed)
            assert shown(lines) == {"SVM", "AMM"}
            assert all(line.inside for line in lines)
            assert all(line.withheld == () for line in lines)

    def test_of_the_system_and_of_baselines(self, found):
        lines = lines_of(found, changed={**ENCODER, **ZONES})
        assert shown(lines) == set()
        assert {line.metric for line in lines} >= {"f1_micro"}  # as where they are shown
        assert {line.inside for line in lines} == {""}
        assert {line.contradictions for line in lines} == {()}
        said = "corpus.options.text_encoder was changed from None to MiniLM"
        assert {line.withheld for line in lines} == {(said,)}
        (note,) = reproduction_notes.comparability(lines)
        assert note == f"The paper's figures are not shown in SVM (mgid), AMM (mgid): {said}."
        assert note in reproduction_notes.notes(PAPER["tables"][0], lines)
        by_row = {
            line["row"]: line for line in csv.DictReader(table_formats.to_csv(lines).split("\n"))
        }
        assert by_row["SVM"]["withheld"] == said
        assert by_row["SVM"]["paper"] == by_row["SVM"]["inside"] == ""
        assert said in printed(lines)

    def test_a_baseline_may_differ_in_data_only(self, found):
        lines = lines_of(found, changed={"model.tokens": ["a", "b"]})
        assert shown(lines) == {"AMM"}

    def test_without_rows_of_the_paper_nothing_is_open(self, found):
        alone = {"svm": found["svm"] | {"changed": ZONES}}
        assert shown(reproduction.lines_of(paper(row("SVM", "svm")), alone)) == set()

    def test_what_a_row_itself_changes_is_the_paper_s(self, found):
        changed = {"amm": found["amm"] | {"changed": ENCODER}}
        rows = row("AMM", "amm", overrides=[*ENCODER])
        assert shown(reproduction.lines_of(paper(rows), changed)) == {"AMM"}

    def test_if_changes_were_not_recorded(self, found):
        (reason,) = {line.withheld for line in lines_of(found, changed=None)}
        assert reason == ("the run does not record which settings were changed",)

    def test_stand_ins_stay_labelled_as_such(self, found):
        lines = lines_of(found, changed=ENCODER, synthetic=True)
        assert shown(lines) == {"SVM", "AMM"}
        assert {line.inside for line in lines} == {""}
        assert reproduction_notes.comparability(lines) == []


def test_another_split_is_named(found):
    assert reproduction_notes.comparability(lines_of(found)) == []
    lines = lines_of(found, split=found["amm"]["split"] | {"name": "dev"})
    said = "On mgid, ours is evaluated on its split dev."
    assert reproduction_notes.comparability(lines) == [said]
    assert said in printed(lines)
    assert f"- {said}" in table_formats.to_markdown(PAPER, lines)
    assert {each["split"] for each in csv.DictReader(table_formats.to_csv(lines).split("\n"))} == {
        "dev"
    }


def line(name, corpus, synthetic, mean: float | None = 0.5, **values):
    given = {"metric": "accuracy", "mean": mean, "synthetic": synthetic, "run": corpus} | values
    return Line("table3", "Table III", name, corpus, "depression", True, **given)


class TestContradictions:
    """The paper's F1 of one row, on two corpora, contradict other figures."""

    DAIC = line("AMM", "daicwoz", False, contradictions=("F1 above both",))
    MGID = line("AMM", "mgid", False, contradictions=("F1 74 in Table V", "F1 below both"))

    def said(self, *lines):
        return reproduction_notes.notes(PAPER["tables"][0], lines)

    def test_those_of_another_corpus_are_kept(self):
        assert self.said(self.DAIC, self.MGID, line("SVM", "mgid", False)) == [
            "The paper contradicts itself in row AMM (daicwoz): F1 above both.",
            "The paper contradicts itself in row AMM (mgid): F1 74 in Table V; F1 below both.",
        ]

    def test_of_one_corpus_each_is_said_once(self):
        emotion = replace(self.MGID, task="emotion", contradictions=("F1 below both", "F1 50"))
        assert self.said(self.MGID, self.MGID, emotion) == [
            "The paper contradicts itself in row AMM: F1 74 in Table V; F1 below both; F1 50."
        ]


SOME = [
    line("AMM", "daicwoz", True),
    line("AMM", "mgid", False),
    line("HAN", "daicwoz", False, metric="", mean=None, reason="no data"),
]
"""Lines of which only those on DAIC-WOZ are of a stand-in."""


class TestStandIns:
    def test_some_are_marked_in_each_line(self):
        table = PAPER["tables"][0]
        assert reproduction_notes.title(table, SOME) == "SYNTHETIC on daicwoz: Table III: Methods"
        assert reproduction_notes.notes(table, SOME)[0].startswith("Ours is SYNTHETIC on daicwoz:")
        corpora = [cells[1] for cells in table_formats.rows(SOME)]
        assert corpora == ["SYNTHETIC: daicwoz", "mgid", "daicwoz"]
        markdown, latex = (
            form(PAPER, SOME) for form in (table_formats.to_markdown, table_formats.to_latex)
        )
        for text, before, after in ((markdown, "| ", " | "), (latex, "", " & ")):
            assert f"{before}AMM{after}SYNTHETIC: daicwoz{after}accuracy" in text
            assert f"{before}AMM{after}mgid{after}accuracy" in text
        marks = [
            each["synthetic"] for each in csv.DictReader(table_formats.to_csv(SOME).split("\n"))
        ]
        assert marks == ["True", "False", "False"]
        terminal = printed(SOME)
        assert terminal.startswith("SYNTHETIC on daicwoz: AMM, Table III")
        assert "AMM (SYNTHETIC: daicwoz)" in " ".join(terminal.split())
        assert "THETIC" not in terminal.replace("SYNTHETIC", "")  # the head of the column

    def test_all_are_marked_once(self):
        lines = [SOME[0], line("AMM", "mgid", True), SOME[2]]
        assert (
            reproduction_notes.title(PAPER["tables"][0], lines) == "SYNTHETIC: Table III: Methods"
        )
        assert [cells[1] for cells in table_formats.rows(lines)] == ["daicwoz", "mgid", "daicwoz"]
        assert (
            "Ours is SYNTHETIC: computed" in reproduction_notes.notes(PAPER["tables"][0], lines)[0]
        )

    def test_none_is_marked(self):
        assert "SYNTHETIC" not in table_formats.to_markdown(PAPER, SOME[1:])


def test_page_of_some_stand_ins(tmp_path):
    names = {"amm-mgid": ("mgid", False), "amm-daic": ("daicwoz", True), "svm": ("mgid", False)}
    for seed, (name, (corpus, synthetic)) in enumerate(names.items()):
        given = {**FOLDER, "corpus": corpus, "synthetic": synthetic, "seed": seed, "paper": None}
        results.write(run_folder(tmp_path / "runs" / name, **given))
    rows = [row("SVM", "svm"), row("AMM", "amm-mgid"), row("AMM", "amm-daic", "daicwoz")]
    write(tmp_path / "tables.json", paper(*rows))
    lines = reproduction.write(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<h1>SYNTHETIC on daicwoz: Tables of AMM (2021), reproduced</h1>" in page
    assert "SYNTHETIC data of daicwoz." in page
    assert page.count('class="banner"') == 1
    svg = (tmp_path / "figures" / "intervals-table3.svg").read_text()
    assert "SYNTHETIC data" not in svg
    assert "SYNTHETIC: daicwoz: F1, micro" in svg
    assert "SYNTHETIC: mgid" not in svg
    svg = (tmp_path / "figures" / "losses.svg").read_text()
    assert "SYNTHETIC: amm-daic" in svg
    assert "SYNTHETIC: amm-mgid" not in svg

    # Each row leads to its run.
    links = re.findall(r'<td>(\w+) <a href="#(run-\d)">\[\d\]</a></td><td>([\w: ]+)</td>', page)
    assert len(links) == len(lines)
    runs = dict(re.findall(r'<tr id="(run-\d)"><td>\d</td><td>runs/([\w-]+)</td>', page))
    assert {(name, runs[link], corpus) for name, link, corpus in links} == {
        ("SVM", "svm", "mgid"),
        ("AMM", "amm-mgid", "mgid"),
        ("AMM", "amm-daic", "SYNTHETIC: daicwoz"),
    }
    # On MGID, the paper's F1 are 74.1 and 59.5; 20 subjects show larger differences only.
    assert "the paper&#39;s difference of 0.146 is smaller than" in page


def test_published_differences_that_are_compared():
    def published(svm, amm):
        pairs = reproduction_page._pairs(Path(), PAPER["tables"][0], [*svm, *amm])
        return [pair.published for pair in pairs]

    svm = line("SVM", "mgid", False, paper=0.7)
    amm = line("AMM", "mgid", False, paper=0.74, run="amm")
    assert published([svm], [amm]) == [pytest.approx(-0.04)]
    assert published([svm], [replace(amm, paper=None)]) == [None]  # withheld
    assert published([svm], [replace(amm, metric="f1_micro")]) == [None]
    assert published(*([replace(each, synthetic=True)] for each in (svm, amm))) == [None]
    # F1 is tested if a row has it.
    others = [replace(each, metric="f1_micro", paper=0.5) for each in (svm, amm)]
    assert published([svm, others[0]], [amm, others[1]]) == [0]


def printed(lines):
    text = io.StringIO()
    reproduction_table.show("AMM", lines, Console(file=text, width=110))
    return text.getvalue()
