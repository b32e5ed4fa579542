"""A corpus of one's own: what is read, what is refused, and how it is divided."""

import csv
import json
import os
import pickle
import shutil
from typing import Any

import h5py
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus_case import check, ids

from jaxdep.data import arrays, preparation, stand_ins
from jaxdep.data.functionals import summarize
from jaxdep.errors import UserError

QUIET: dict[str, Any] = {"log": lambda line: None}
WIDTH = 3

DESCRIPTION = """\
name: mine
recordings: recordings.csv
tasks:
  depression: {classes: [normal, depression]}
  phq8: {score: [0, 24]}
modalities:
  acoustic: {files: "acoustic/{id}.npy", rate: 2}
  face: {files: "face/{id}.npy", shape: vector}
"""
COLUMNS = ("id", "subject", "session", "split", "depression", "phq8", "site")
SPLITS = ("train",) * 6 + ("dev",) * 2 + ("test",) * 2


def table(raw, rows, file="recordings.csv"):
    with (raw / file).open("w", newline="") as target:
        csv.writer(target).writerows(rows)


def rows_of(raw):
    with (raw / "recordings.csv").open(newline="") as source:
        return list(csv.reader(source))


def change(raw, line, column, value):
    """Changes a cell of the table; line 1 is the first recording."""
    rows = rows_of(raw)
    rows[line][COLUMNS.index(column)] = value
    table(raw, rows)


def describe(raw, old, new):
    text = (raw / "corpus.yaml").read_text()
    assert old in text
    (raw / "corpus.yaml").write_text(text.replace(old, new))


@pytest.fixture
def raw(tmp_path):
    """Ten recordings: six to train, two to validate, two to test."""
    folder = tmp_path / "raw"
    rng = np.random.default_rng(0)
    for part in ("acoustic", "face"):
        (folder / part).mkdir(parents=True)
    (folder / "corpus.yaml").write_text(DESCRIPTION)
    rows: list[Any] = [COLUMNS]
    for number, split in enumerate(SPLITS):
        name = f"r{number}"
        np.save(folder / "acoustic" / f"{name}.npy", rng.normal(size=(6 + number, WIDTH)))
        np.save(folder / "face" / f"{name}.npy", rng.normal(size=4).astype(np.float32))
        label = ("normal", "depression")[number % 2]
        rows.append((name, f"p{number}", f"s{number}", split, label, number, "Bonn"))
    table(folder, rows)
    return folder


def prepare(raw, tmp_path, **options):
    return preparation.prepare("folder", raw, data_dir=tmp_path / "data", **{**QUIET, **options})


def refused(raw, tmp_path, skip_bad=False):
    with pytest.raises(UserError) as error:
        prepare(raw, tmp_path, skip_bad=skip_bad)
    assert not (tmp_path / "data").exists()
    return str(error.value)


def test_prepared(raw, tmp_path):
    folder = prepare(raw, tmp_path)
    check(folder, {"train": 6, "validation": 2, "test": 2})
    split = arrays.load_split(folder, "train", {})
    assert split.classes == {"depression": ("normal", "depression")}
    for row, name in enumerate(split.ids.tolist()):
        number = int(name[1:])
        assert split.subjects[row] == f"p{number}"
        assert split.targets["depression"][row] == number % 2
        assert split.targets["phq8"][row] == number
        assert split.attributes["site"][row] == "Bonn"
        found = split.inputs["acoustic"][row][split.inputs["acoustic_mask"][row]]
        expected = np.load(raw / "acoustic" / f"{name}.npy").astype(np.float32)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(
            split.inputs["face"][row], np.load(raw / "face" / f"{name}.npy")
        )
    description = json.loads((folder / "corpus.json").read_text())
    assert description["sessions"]["r3"] == "s3"
    assert description["subjects_known"]
    assert description["card"]["corpus"] == "mine"


def test_the_raw_files_are_not_changed_and_a_file_names_the_folder(raw, tmp_path):
    shutil.copy(raw / "corpus.yaml", raw / "other.yaml")
    before = sorted(path.relative_to(raw) for path in raw.rglob("*"))
    folder = prepare(raw / "other.yaml", tmp_path)
    assert sorted(path.relative_to(raw) for path in raw.rglob("*")) == before
    assert json.loads((folder / "corpus.json").read_text())["options"] == {"config": "other.yaml"}


def pickled(path):
    with path.open("wb") as file:
        pickle.dump({"rows": 1}, file)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-4])


def nan(path):
    array = np.load(path)
    array[0, 0] = np.nan
    np.save(path, array)


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


class TestFormats:
    """The same numbers in each format."""

    NUMBERS = np.random.default_rng(1).normal(size=(10, 5, WIDTH)).round(3)

    def write(self, path, rows, kind):
        if kind == ".npz":
            np.savez_compressed(path, rows=rows, other=rows[:1])
        elif kind == ".h5":
            with h5py.File(path, "w") as file:
                file.create_dataset("part/rows", data=rows, compression="gzip")
        elif kind == ".parquet":
            names = ["a", "b", "c"]
            columns = {name: rows[:, index] for index, name in enumerate(names)}
            pq.write_table(pa.table({"time": ["x"] * len(rows), **columns}), path)
        else:
            separator = "\t" if kind == ".tsv" else ","
            lines = [["time", "a", "b", "c"], *([["x", *row] for row in rows.tolist()])]
            path.write_text("\n".join(separator.join(map(str, line)) for line in lines))

    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            (".npz", "key: rows"),
            (".h5", "key: part/rows"),
            (".csv", "columns: [a, b, c]"),
            (".tsv", "columns: [a, b, c]"),
            (".parquet", "columns: [a, b, c]"),
        ],
    )
    def test_read(self, raw, tmp_path, kind, options):
        for number, rows in enumerate(self.NUMBERS):
            self.write(raw / "acoustic" / f"r{number}{kind}", rows, kind)
        describe(raw, '{id}.npy", rate', f'{{id}}{kind}", {options}, rate')
        split = arrays.load_split(prepare(raw, tmp_path), "train", {})
        np.testing.assert_array_equal(split.inputs["acoustic"], self.NUMBERS[:6].astype("f4"))

    @pytest.mark.parametrize(
        ("kind", "options", "message"),
        [
            (".npz", "key: row", "missing key (10)"),
            (".npz", "rate: 3", "several arrays: name one by key; found rows, other"),
            (".h5", "key: part", "part is a group; found rows in it"),
            (".h5", "key: x", "x; found part"),
            (".csv", "columns: [a, d]", "d; found time, a, b, c"),
            (".parquet", "rate: 3", "column time has the type string"),
        ],
    )
    def test_what_is_missing_is_named(self, raw, tmp_path, kind, options, message):
        for number, rows in enumerate(self.NUMBERS):
            self.write(raw / "acoustic" / f"r{number}{kind}", rows, kind)
        describe(raw, '{id}.npy", rate: 2', f'{{id}}{kind}", {options}')
        assert message in refused(raw, tmp_path)

    def test_a_table_of_a_workbook(self, raw, tmp_path):
        book = openpyxl.Workbook()
        sheet: Any = book.active
        for row in rows_of(raw):
            sheet.append([float(cell) if cell.isdigit() else cell for cell in row])
        book.save(raw / "recordings.xlsx")
        describe(raw, "recordings.csv", "recordings.xlsx")
        split = arrays.load_split(prepare(raw, tmp_path), "test", {})
        assert split.targets["phq8"].tolist() == [8, 9]


def test_normalisation_is_within_a_recording(raw, tmp_path):
    describe(raw, "rate: 2", "rate: 2, normalize: zscore")
    split = arrays.load_split(prepare(raw, tmp_path), "train", {})
    for row, name in enumerate(split.ids.tolist()):
        x = np.load(raw / "acoustic" / f"{name}.npy")
        found = split.inputs["acoustic"][row][split.inputs["acoustic_mask"][row]]
        np.testing.assert_allclose(found, (x - x.mean(0)) / x.std(0), rtol=1e-5, atol=1e-6)
        # What normalisation removes is kept for baselines.
        np.testing.assert_allclose(
            split.inputs["acoustic_functionals"][row], summarize(x), rtol=1e-5
        )


def test_align_averages_to_one_rate_and_cuts_to_one_length(raw, tmp_path):
    for number in range(10):
        np.save(raw / "face" / f"r{number}.npy", np.arange(24.0).reshape(12, 2))
        np.save(raw / "acoustic" / f"r{number}.npy", np.arange(7.0)[:, None] + number)
    describe(raw, "shape: vector", "rate: 4")
    describe(raw, "name: mine", "name: mine\nalign: 1")
    split = arrays.load_split(prepare(raw, tmp_path), "train", {})
    # 7 rows at 2 a second are 3.5 seconds, and 12 rows at 4 a second are 3.
    np.testing.assert_array_equal(split.inputs["acoustic"][0, :, 0], [0.5, 2.5, 4.5])
    np.testing.assert_array_equal(split.inputs["face"][0, :, 0], [3, 11, 19])
    np.save(raw / "acoustic" / "r0.npy", np.zeros((40, 1)))
    shutil.rmtree(tmp_path / "data")
    assert "r0: rows at 1 a second: acoustic 20, face 3" in refused(raw, tmp_path)


class TestSentences:
    @pytest.fixture
    def raw(self, raw):
        (raw / "sentences").mkdir()
        (raw / "text").mkdir()
        for number in range(10):
            np.save(raw / "text" / f"r{number}.npy", np.ones((5, 2)) * number)
            lines = "start,end,rows\n0,1,2\n1.5,2.5,3\n"
            (raw / "sentences" / f"r{number}.csv").write_text(lines)
        describe(raw, "  face:", '  text: {files: "text/{id}.npy"}\n  face:')
        describe(raw, "name: mine", 'name: mine\nsentences: {files: "sentences/{id}.csv"}')
        return raw

    def test_windows_of_frames_and_words(self, raw, tmp_path):
        split = arrays.load_split(prepare(raw, tmp_path), "train", {})
        expected = [[0, 2, 0, 0, 0, 2], [3, 5, 0, 0, 2, 5]]  # voice at 2 a second, no face, text
        np.testing.assert_array_equal(split.inputs["sentences"][0], expected)

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            ("start,end\n0,1\n1,2", "lengths differ (1):\n    r0: 5 rows of text; the sentences"),
            ("start,end,rows\n0,1,2\n3,2,3", "sentence 2: from 3 to 2 s"),
            ("start\n0", "found 1; expected start, end"),
        ],
    )
    def test_faults(self, raw, tmp_path, lines, message):
        (raw / "sentences" / "r0.csv").write_text(lines)
        assert message in refused(raw, tmp_path)


class TestDivision:
    """No split is given."""

    @pytest.fixture
    def raw(self, raw):
        """Forty recordings of twenty subjects, half of them depressed."""
        rows: list[Any] = [("id", "subject", "depression", "phq8")]
        rng = np.random.default_rng(2)
        for number in range(40):
            for part, shape in (("acoustic", (5, WIDTH)), ("face", (4,))):
                np.save(raw / part / f"q{number}.npy", rng.normal(size=shape))
            subject = number // 2
            label = ("normal", "depression")[subject % 2]
            rows.append((f"q{number}", f"p{subject}", label, number % 25))
        table(raw, rows)
        return raw

    def division(self, raw, tmp_path):
        folder = prepare(raw, tmp_path)
        with (folder / "splits.csv").open() as lines:
            rows = list(csv.DictReader(lines))
        shutil.rmtree(tmp_path / "data")
        return {row["id"]: row["split"] for row in rows}, {r["subject"]: r["split"] for r in rows}

    def test_by_subject_stratified_and_written_down(self, raw, tmp_path):
        folder = prepare(raw, tmp_path)
        found = {name: arrays.load_split(folder, name, {}) for name in arrays.splits_of(folder)}
        assert {name: len(split) for name, split in found.items()} == {
            "train": 28,
            "validation": 4,
            "test": 8,
        }
        for split in found.values():
            assert split.targets["depression"].mean() == 0.5
        subjects = [set(split.subjects.tolist()) for split in found.values()]
        assert len(set.union(*subjects)) == sum(map(len, subjects)) == 20
        written = self.division(raw, tmp_path)[0]
        assert written == {name: split for split, of in found.items() for name in of.ids.tolist()}

    def test_the_seed_decides_and_the_order_of_the_table_does_not(self, raw, tmp_path):
        first, subjects = self.division(raw, tmp_path)
        rows = rows_of(raw)
        table(raw, [rows[0], *reversed(rows[1:])])
        assert self.division(raw, tmp_path)[0] == first
        describe(raw, "name: mine", "name: mine\nsplits: {seed: 1}")
        other = self.division(raw, tmp_path)[1]
        assert other != subjects

    def test_the_same_content_is_in_one_split(self, raw, tmp_path):
        for part in ("acoustic", "face"):  # the recordings of two subjects
            shutil.copy(raw / part / "q0.npy", raw / part / "q7.npy")
        for seed in range(4):
            describe(raw, "name: mine", f"name: mine\nsplits: {{seed: {seed}}}")
            _, subjects = self.division(raw, tmp_path)
            assert subjects["p0"] == subjects["p3"]
            describe(raw, f"\nsplits: {{seed: {seed}}}", "")

    def test_too_few_subjects(self, raw, tmp_path):
        table(raw, rows_of(raw)[:4])
        message = refused(raw, tmp_path)
        assert "too few subjects" in message
        assert "splits.fractions" in message


def test_the_example_is_prepared(tmp_path):
    stand_ins.synthesize("folder", tmp_path / "raw", items=20)
    folder = prepare(tmp_path / "raw", tmp_path)
    check(folder, {"train": 14, "validation": 2, "test": 4})
    assert (folder / "synthetic.json").is_file()
