"""Words of the runs of a reproduction, in the notes of its tables."""

from typing import Any

import pytest

from jaxdep.analysis import group_differences, reproduction_words
from jaxdep.analysis.group_differences import Difference
from jaxdep.errors import UserError

CLASSES = ("healthy", "depressed")


def difference(word, size, corrected=0.01, measure="alone", branch="visual"):
    interval = (size - 0.01, size + 0.01)
    return Difference(measure, branch, word, (0.1 + size, 0.1), interval, 3.0, 0.01, corrected)


FOUND = [
    difference("grief", 0.05),
    difference("grief", 0.04, branch="acoustic"),
    difference("joy", -0.05),
    difference("calm", 0.05, corrected=0.06),
    difference("lost", 0.05, measure="words"),
]


def note(folder, found, synthetic=False):
    """Note of a table with a run that has these differences, and with a row without one."""
    path = folder / "runs" / "depformer-ewre" / "words.csv"
    path.parent.mkdir(parents=True)
    group_differences.write(path, found, CLASSES)
    rows = [{"label": "DEP-Former", "run": "depformer-ewre"}, {"label": "SVM", "run": ""}]
    paper: Any = {"tables": [{"note": "A note.", "rows": rows}]}
    results = {"depformer-ewre": {"synthetic": synthetic}}
    (table,) = reproduction_words.noted(folder, paper, results)["tables"]
    assert paper["tables"][0]["note"] == "A note."
    return table["note"]


def test_significant_words_of_each_group_are_named_once(tmp_path):
    assert note(tmp_path, FOUND) == (
        "A note. Ours, row DEP-Former: attention to each word in isolation is significantly higher"
        " in depressed: grief; healthy: joy."
    )


def test_words_of_stand_ins_are_marked(tmp_path):
    assert "A note. SYNTHETIC: ours, row DEP-Former:" in note(tmp_path, FOUND, synthetic=True)


def test_words_in_context_if_a_network_has_no_others(tmp_path):
    said = note(tmp_path, FOUND[-1:])
    assert said.endswith("in context is significantly higher in depressed: lost; healthy: none.")


def test_without_two_groups_nothing_is_said(tmp_path):
    assert note(tmp_path, []) == "A note."


@pytest.mark.parametrize("change", [("0.01", "x"), ("alone", "other"), ("p_corrected", "q")])
def test_a_damaged_table_is_named(tmp_path, monkeypatch, change):
    write = group_differences.write

    def damaged(path, found, groups):
        write(path, found, groups)
        path.write_text(path.read_text().replace(*change))

    monkeypatch.setattr(group_differences, "write", damaged)
    with pytest.raises(UserError, match=r"words\.csv is damaged .* writes it anew"):
        note(tmp_path, FOUND[:1])
