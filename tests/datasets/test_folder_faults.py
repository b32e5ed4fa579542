"""Faults of a corpus of one's own: each has a message, and nothing is written."""

import os
import shutil
from typing import Any

import numpy as np
import pytest
import small_study
from corpus_case import ids
from small_study import COLUMNS, WIDTH, change, describe, prepare, refused, rows_of, table
from spoiled import nan, pickled, truncated


@pytest.fixture
def raw(tmp_path):
    """The raw files of a small corpus."""
    return small_study.write(tmp_path / "raw")


def linked(path, tmp_path):
    shutil.move(path, tmp_path / "elsewhere.npy")
    path.symlink_to(tmp_path / "elsewhere.npy")


def of(raw, number=0, part="acoustic"):
    return raw / part / f"r{number}.npy"


# Kind of fault -> what makes it in the first recording, and what its line in the message says.
FAULTS: dict[str, Any] = {
    "missing file": (lambda raw: of(raw).unlink(), "acoustic/r0.npy"),
    "unreadable or truncated array": (lambda raw: truncated(of(raw)), "its header declares 144"),
    "pickled array (refused)": (lambda raw: pickled(of(raw)), "acoustic/r0.npy"),
    "not numeric": (lambda raw: np.save(of(raw), np.full((3, WIDTH), "a")), "type <U1"),
    "wrong shape": (lambda raw: np.save(of(raw), np.zeros(4)), "expected [T, D], found [4]"),
    "no rows": (lambda raw: np.save(of(raw), np.zeros((0, WIDTH))), "with T > 0"),
    "wrong width": (
        lambda raw: np.save(of(raw), np.zeros((5, 2))),
        "2 features; 9 files have 3",
    ),
    "NaN or infinity": (lambda raw: nan(of(raw)), "1 NaN"),
    "file too large": (lambda raw: os.truncate(of(raw), 2**33), "the limit is 4294967296"),
    "link out of the corpus": (lambda raw: linked(of(raw), raw.parent), "elsewhere.npy"),
    "wrong columns": (
        lambda raw: table(raw, [row[: 9 if n != 1 else 6] for n, row in enumerate(rows_of(raw))]),
        "recordings.csv:2: found 6; the header has 7",
    ),
    "bad id": (lambda raw: change(raw, 1, "id", "../r0"), "'../r0': a path, not a name"),
    "duplicate id": (lambda raw: change(raw, 1, "id", "r1"), "recordings.csv:3: r1 is also in"),
    "unknown label": (
        lambda raw: change(raw, 1, "depression", "sad"),
        "'sad'; expected one of normal, depression",
    ),
    "missing label": (
        lambda raw: change(raw, 1, "depression", ""),
        "recordings.csv:2: depression is empty",
    ),
    "not a score": (lambda raw: change(raw, 1, "phq8", "25"), "'25' is not a number from 0 to 24"),
    "unknown split": (lambda raw: change(raw, 1, "split", "fold1"), "'fold1'; expected one of"),
    "bad attribute": (lambda raw: change(raw, 1, "site", "\x1b[0m"), "control characters"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_are_named_and_nothing_is_written(raw, tmp_path, kind):
    spoil, detail = FAULTS[kind]
    spoil(raw)
    message = refused(raw, tmp_path)
    assert f"  {kind} (" in message
    assert detail in message
    assert "or leave out the affected recordings with --skip-bad" in message


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_one_recording_leaves_out_that_one(raw, tmp_path, kind):
    FAULTS[kind][0](raw)
    folder = prepare(raw, tmp_path, skip_bad=True)
    left_out = "r1" if kind == "duplicate id" else "r0"
    assert ids(folder) == {f"r{number}" for number in range(10)} - {left_out, "r0"}


def masked(raw, part="acoustic"):
    """Adds masks in which every row is valid."""
    (raw / f"{part}_mask").mkdir()
    for number in range(10):
        rows = len(np.load(of(raw, number, part)))
        np.save(of(raw, number, f"{part}_mask"), np.ones(rows, bool))
    describe(raw, f'files: "{part}/{{id}}.npy"', f'files: "{part}/{{id}}.npy", mask: "MASK"')
    describe(raw, "MASK", f"{part}_mask/{{id}}.npy")


# Kind of fault -> mask of the first recording, which has six rows, and what its line says.
MASKS: dict[str, Any] = {
    "missing file": (None, "acoustic_mask/r0.npy"),
    "lengths differ": (np.ones(5, bool), "r0.npy: 5 values for the 6 rows of acoustic/r0.npy"),
    "bad mask": (np.array([1, 0, 0.5, 1, np.nan, 2]), "r0.npy: row 3 is 0.5; expected 0 or 1"),
    "no rows": (np.zeros(6, bool), "acoustic_mask/r0.npy: the mask keeps none of 6"),
    "wrong shape": (np.ones((6, WIDTH), bool), "expected [T], found [6, 3]"),
    "not numeric": (np.array(["yes"] * 6), "acoustic_mask/r0.npy: type <U3"),
}


@pytest.mark.parametrize("kind", MASKS)
def test_faults_of_masks(raw, tmp_path, kind):
    masked(raw)
    mask, detail = MASKS[kind]
    path = of(raw, part="acoustic_mask")
    path.unlink() if mask is None else np.save(path, mask)
    message = refused(raw, tmp_path)
    assert f"  {kind} (1)" in message
    assert detail in message
    assert ids(prepare(raw, tmp_path, skip_bad=True)) == {f"r{number}" for number in range(1, 10)}


def test_a_mask_of_which_align_keeps_no_row(raw, tmp_path):
    """The face ends before the only valid row of the voice."""
    masked(raw)
    np.save(of(raw, part="acoustic_mask"), np.arange(6) == 5)
    for number in range(10):
        np.save(of(raw, number, "face"), np.zeros((4, 2)))
    describe(raw, "shape: vector", "rate: 2")
    describe(raw, "name: mine", "name: mine\nalign: 2")
    message = refused(raw, tmp_path)
    assert "no rows (1):\n    acoustic_mask/r0.npy: the mask keeps none of 4" in message


def test_truth_values_are_no_features(raw, tmp_path):
    np.save(of(raw), np.ones((6, WIDTH), bool))
    assert "not numeric (1):\n    acoustic/r0.npy: type bool" in refused(raw, tmp_path)


def test_all_faults_are_listed_at_once(raw, tmp_path):
    of(raw, 1).unlink()
    of(raw, 2, "face").unlink()
    nan(of(raw, 3))
    change(raw, 5, "depression", "?")
    message = refused(raw, tmp_path)
    assert "missing file (2)" in message
    for line in ("acoustic/r1.npy", "face/r2.npy", "NaN or infinity (1)", "unknown label (1)"):
        assert line in message


# Faults of the whole table, which cannot be left out.
FATAL: dict[str, Any] = {
    "missing column": (
        lambda raw: table(raw, [["name", *row[1:]] for row in rows_of(raw)]),
        "recordings.csv:1: id; found name, subject",
    ),
    "wrong header": (
        lambda raw: table(raw, [[*COLUMNS[:-1], "split"], *rows_of(raw)[1:]]),
        "split occurs twice",
    ),
    "no rows": (lambda raw: table(raw, [COLUMNS]), "a line per recording"),
    "missing file": (lambda raw: (raw / "recordings.csv").unlink(), "recordings.csv"),
    "not UTF-8": (
        lambda raw: (raw / "recordings.csv").write_bytes(b"id,\xff"),
        "save the file as UTF-8",
    ),
    "subject in two splits": (
        lambda raw: change(raw, 1, "subject", "p9"),
        "p9 is in test and train",
    ),
}


@pytest.mark.parametrize("kind", FATAL)
def test_faults_of_the_table_cannot_be_skipped(raw, tmp_path, kind):
    spoil, detail = FATAL[kind]
    spoil(raw)
    message = refused(raw, tmp_path, skip_bad=True)
    assert f"  {kind} (1)" in message
    assert detail in message


def test_subjects_in_two_splits_on_demand(raw, tmp_path):
    change(raw, 1, "subject", "p9")
    describe(raw, "name: mine", "name: mine\nsplits: {shared_subjects: warn}")
    messages = []
    prepare(raw, tmp_path, log=messages.append)
    assert "warning: 1 subjects are in two splits." in messages


WRONG = {
    "tasks.depression.clases: unknown key; did you mean 'classes'?": ("classes", "clases"),
    "modalities.acoustic.rate: Input should be greater than 0": ("rate: 2", "rate: 0"),
    "modalities.acoustic.files: expected {id} in the path": ("acoustic/{id}", "acoustic/x"),
    "modalities.acoustic.files: unknown format '.mat'": ('{id}.npy", rate', '{id}.mat", rate'),
    "modalities.acoustic.files: expected a path within the folder": ("acoustic/{", "../a/{"),
    "tasks.phq8: score: expected the lowest and the highest score": ("[0, 24]", "[24, 0]"),
    "tasks.phq8: expected either classes": ("score: [0, 24]", "column: phq8"),
    "recordings: unknown format '.ods'": ("recordings.csv", "recordings.ods"),
    "name: this key is missing": ("name: mine", ""),
    "tasks.depression.classes: expected two or more": ("[normal, depression]", "[a]"),
    "put them in quotes": ("[normal, depression]", "[no, yes]"),
    "name: Input should be a valid string": ("name: mine", "name: [1]"),
    "the key name occurs twice": ("name: mine", "name: mine\nname: yours"),
    "aliases are not read": ("name: mine", "name: &n mine\nlabel_source: *n"),
    "is not valid YAML": ("name: mine", "name: [mine"),
    "sentences: give the rate": (", rate: 2", ""),
    "align: no sequence has a rate": (", rate: 2", ""),
    "acoustic names a modality and a task": ("phq8:", "acoustic:"),
    "split is a name that jaxdep uses itself": ("phq8:", "split:"),
    "modalities.9x: expected a name": ("face:", "9x:"),
    "a vector has no rows": ("shape: vector", "shape: vector, normalize: zscore"),
    "a vector has no rows that a mask": ("shape: vector", 'shape: vector, mask: "m/{id}.npy"'),
    "modalities.acoustic.mask: expected {id} in the path": ("rate: 2", "rate: 2, mask: m.npy"),
    "modalities.acoustic.mask: unknown format '.mat'": ("rate: 2", 'rate: 2, mask: "{id}.mat"'),
    "modalities.acoustic.mask: expected a path within": ("rate: 2", 'rate: 2, mask: "../{id}.npy"'),
    "expected train, validation and test above 0": (
        "name: mine",
        "name: mine\nsplits: {fractions: {train: 0.5, test: 0.2}}",
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_description_names_the_key(raw, tmp_path, message):
    old, new = WRONG[message]
    further = {"align": "align: 1", "sentences": "sentences: {files: 's/{id}.csv'}"}
    if line := further.get(message.partition(":")[0]):
        describe(raw, "name: mine", f"name: mine\n{line}")
    describe(raw, old, new)
    found = refused(raw, tmp_path)
    assert message in found
    assert "corpus.yaml" in found


def test_a_folder_without_a_description(raw, tmp_path):
    (raw / "corpus.yaml").unlink()
    assert "`jaxdep init DIR` writes an example" in refused(raw, tmp_path)
