"""Recipes of features, gathered from the notes beside them when a corpus is prepared."""

import json

import pytest

from jaxdep.data import extraction, stand_ins
from jaxdep.data.preparation import prepare

RECIPE = {"version": 1, "like": "dvlog", "streams": ["acoustic"], "rate": 2.0, "partition": None}


@pytest.fixture
def raw(tmp_path):
    """Raw files of D-Vlog's layout, without notes."""
    stand_ins.synthesize("dvlog", tmp_path / "raw", items=10, mean_length=40)
    return tmp_path / "raw"


def note(path, **changes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"tool": "jaxdep extract", "recipe": {**RECIPE, **changes}}))


def prepared(raw):
    """What is stored of the extraction, and what the user is told of it, twice."""
    first, again = [], []
    for lines in (first, again):
        prepare("dvlog", raw, data_dir=raw.parent / "data", log=lines.append)
    first, again = ([x for x in lines if " how " in x or " ways" in x] for lines in (first, again))
    assert first == again
    (stored,) = raw.parent.glob("data/*/corpus.json")
    return json.loads(stored.read_text()).get("extraction"), first


def test_without_notes_nothing_is_stored(raw):
    (raw / "v00000" / "v00000_extraction.json").write_text("{")  # as if it had been cut
    assert prepared(raw) == (None, [])


def test_one_recipe_is_stored_without_the_place_of_files(raw):
    for number, path in enumerate(sorted(raw.glob("v*"))):
        note(path / f"{path.name}_extraction.json", partition=("training", "testing")[number % 2])
    note(raw / "gone" / "gone_extraction.json", rate=1.0)  # no recording of the table
    stored = {key: value for key, value in RECIPE.items() if key != "partition"}
    assert prepared(raw) == ([stored], [])


def test_recordings_without_a_note_are_counted(raw):
    note(raw / "v00003" / "v00003_extraction.json")
    recipes, (line,) = prepared(raw)
    assert len(recipes) == 1
    assert line.startswith("warning: 9 of 10 recordings do not say how their features were made")


def test_several_recipes_are_stored_and_told(raw):
    for number, path in enumerate(sorted(raw.glob("v*"))):
        note(path / f"{path.name}_extraction.json", rate=1.0 + number % 2)
    recipes, (line,) = prepared(raw)
    assert [recipe["rate"] for recipe in recipes] == [1.0, 2.0]
    assert "extracted in 2 ways, which differ in rate: runs on them cannot predict" in line


def test_notes_of_a_folder_of_streams(tmp_path):
    note(tmp_path / "extraction" / "anna.json")
    note(tmp_path / "extraction" / "b_extraction.json", rate=1.0)
    found, warnings = extraction.recipes(tmp_path, {"anna", "b_extraction"})
    assert [recipe["rate"] for recipe in found] == [1.0, 2.0]
    assert len(warnings) == 1
