"""A corpus of one's own: what is read, and how it is divided."""

import csv
import json
import shutil
from typing import Any

import h5py
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_study
from corpus_case import check
from small_study import WIDTH, describe, prepare, refused, rows_of, table

from jaxdep.data import arrays, corpora, stand_ins
from jaxdep.data.functionals import summarize
from jaxdep.datasets.folder.features import resampled


@pytest.fixture
def raw(tmp_path):
    """The raw files of a small corpus."""
    return small_study.write(tmp_path / "raw")


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
    (raw / "corpus.yaml").rename(raw / "other.yaml")
    before = sorted(path.relative_to(raw) for path in raw.rglob("*"))
    folder = prepare(raw / "other.yaml", tmp_path)
    assert sorted(path.relative_to(raw) for path in raw.rglob("*")) == before
    options = json.loads((folder / "corpus.json").read_text())["options"]
    assert options["config"] == "other.yaml"
    assert options["description"]["name"] == "mine"


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


class TestMasks:
    """Rows without a face hold 99 where they are gaps, which nothing may count."""

    ROWS = np.array([[99, 99], [1, 4], [3, 4], [99, 99], [99, 99], [5, 10], [99, 99]], float)
    MASK = np.array([0, 1, 1, 0, 0, 1, 0], bool)

    @pytest.fixture
    def raw(self, raw):
        """Two columns at two rows a second, and a mask."""
        (raw / "acoustic_mask").mkdir()
        for number in range(10):
            np.save(raw / "acoustic" / f"r{number}.npy", self.ROWS)
            np.save(raw / "acoustic_mask" / f"r{number}.npy", self.MASK)
        describe(raw, "rate: 2", 'rate: 2, mask: "acoustic_mask/{id}.npy"')
        return raw

    def first(self, raw, tmp_path):
        return arrays.load_split(prepare(raw, tmp_path), "train", {}).inputs

    def test_zscore(self, raw, tmp_path):
        describe(raw, "rate: 2", "rate: 2, normalize: zscore")
        inputs = self.first(raw, tmp_path)
        # Of 1, 3, 5 the mean is 3 and the variance 8/3; of 4, 4, 10 they are 6 and 8.
        a, b = 1.5**0.5, 0.5**0.5
        expected = [[0, 0], [-a, -b], [0, -b], [0, 0], [0, 0], [a, 2 * b], [0, 0]]
        np.testing.assert_allclose(inputs["acoustic"][0], expected, atol=1e-6)
        assert inputs["acoustic_mask"][0].all()  # the ends of sequences, not the gaps
        functionals = inputs["acoustic_functionals"][0]
        np.testing.assert_allclose(functionals[:4], [3, 6, (8 / 3) ** 0.5, 8**0.5], rtol=1e-6)
        np.testing.assert_array_equal(functionals, summarize(self.ROWS[self.MASK]))

    def test_minmax(self, raw, tmp_path):
        describe(raw, "rate: 2", "rate: 2, normalize: minmax")
        expected = [[0, 0], [0, 0], [0.5, 0], [0, 0], [0, 0], [1, 1], [0, 0]]
        np.testing.assert_array_equal(self.first(raw, tmp_path)["acoustic"][0], expected)

    def test_gaps_are_zeros_without_normalisation(self, raw, tmp_path):
        expected = [[0, 0], [1, 4], [3, 4], [0, 0], [0, 0], [5, 10], [0, 0]]
        inputs = self.first(raw, tmp_path)
        np.testing.assert_array_equal(inputs["acoustic"][0], expected)
        assert "acoustic_functionals" not in inputs

    def test_align(self, raw, tmp_path):
        """Means over what a second has; the last second has nothing."""
        describe(raw, "name: mine", "name: mine\nalign: 1")
        expected = [[1, 4], [3, 4], [5, 10], [0, 0]]
        np.testing.assert_array_equal(self.first(raw, tmp_path)["acoustic"][0], expected)

    def test_align_before_zscore(self, raw, tmp_path):
        """The seconds count once each, and the last one, a gap, does not count."""
        np.save(raw / "acoustic" / "r0.npy", np.array([[1.0], [3], [9], [9], [5], [9], [9]]))
        np.save(raw / "acoustic_mask" / "r0.npy", np.array([1, 1, 0, 0, 1, 0, 0], bool))
        for number in range(1, 10):
            np.save(raw / "acoustic" / f"r{number}.npy", self.ROWS[:, :1])
        describe(raw, "rate: 2", "rate: 2, normalize: zscore")
        describe(raw, "name: mine", "name: mine\nalign: 1")
        inputs = self.first(raw, tmp_path)
        # Seconds: 2, gap, 5, gap.
        np.testing.assert_allclose(inputs["acoustic"][0, :, 0], [-1, 0, 1, 0], atol=1e-6)
        np.testing.assert_allclose(inputs["acoustic_functionals"][0, :2], [3.5, 1.5])

    def test_align_to_a_higher_rate(self):
        """A period without rows repeats the row of its time, gap or not."""
        found, valid = resampled(np.array([[1.0], [0], [3]]), np.array([True, False, True]), 1, 2)
        np.testing.assert_array_equal(found[:, 0], [1, 1, 0, 0, 3, 3])
        np.testing.assert_array_equal(valid, [True, True, False, False, True, True])

    @pytest.mark.parametrize("kind", [".csv", ".parquet", ".npz", ".h5", ".npy"])
    def test_formats(self, raw, tmp_path, kind):
        """Truth values where the format has them, or else numbers."""
        for number in range(10):
            path = raw / "acoustic_mask" / f"r{number}{kind}"
            if kind == ".csv":
                path.write_text("face\n" + "\n".join(str(int(value)) for value in self.MASK))
            elif kind == ".parquet":
                pq.write_table(pa.table({"face": self.MASK}), path)
            elif kind == ".npz":
                np.savez(path, face=self.MASK)
            elif kind == ".h5":
                with h5py.File(path, "w") as file:
                    file.create_dataset("face", data=self.MASK)
            else:
                np.save(path, self.MASK.astype(np.uint8))
        describe(raw, "acoustic_mask/{id}.npy", f"acoustic_mask/{{id}}{kind}")
        found = self.first(raw, tmp_path)["acoustic"][0, :, 0]
        np.testing.assert_array_equal(found, [0, 1, 3, 0, 0, 5, 0])

    def test_recordings_without_a_table_are_read_with_their_masks(self, raw, tmp_path):
        describe(raw, "rate: 2", "rate: 2, normalize: zscore")
        folder = prepare(raw, tmp_path)
        options = json.loads((folder / "corpus.json").read_text())["options"]
        found = corpora.builder_class("folder").recordings(raw, options)
        expected = arrays.load_split(folder, "train", {}).inputs["acoustic"][0]
        np.testing.assert_array_equal(found.items[0].load()["acoustic"], expected)


def test_recordings_without_a_table_are_read_as_those_of_the_corpus(raw, tmp_path):
    """Normalised and aligned, and with an id that occurs twice in a path."""
    describe(raw, "rate: 2", "rate: 2, normalize: zscore")
    describe(raw, "face/{id}.npy", "face/{id}/{id}_face.npy")
    describe(raw, "shape: vector", "rate: 2, normalize: minmax")
    describe(raw, "name: mine", "name: mine\nalign: 1")
    for number in range(10):
        (raw / "face" / f"r{number}.npy").unlink()
        (raw / "face" / f"r{number}").mkdir()
        face = np.random.default_rng(number).normal(size=(7 + number, 2))
        np.save(raw / "face" / f"r{number}" / f"r{number}_face.npy", face)
    folder = prepare(raw, tmp_path)
    options = json.loads((folder / "corpus.json").read_text())["options"]
    for table_or_description in ("recordings.csv", "corpus.yaml"):
        (raw / table_or_description).unlink()
    found = corpora.builder_class("folder").recordings(raw, options)
    assert not found.faults
    read = {item.id: item.load() for item in found.items}
    assert len(read) == 10
    split = arrays.load_split(folder, "test", {})
    for row, name in enumerate(split.ids.tolist()):
        assert set(read[name]) == {"acoustic", "acoustic_functionals", "face", "face_functionals"}
        for key, value in read[name].items():
            expected = split.inputs[key][row]
            if value.ndim == 2:
                expected = expected[split.inputs[f"{key}_mask"][row]]
            np.testing.assert_array_equal(value, expected)


def test_faults_of_recordings_without_a_table(raw, tmp_path):
    options = json.loads((prepare(raw, tmp_path) / "corpus.json").read_text())["options"]
    (raw / "face" / "r3.npy").unlink()
    np.save(raw / "acoustic" / "r4.npy", np.full((6, WIDTH), np.nan))
    read = corpora.builder_class("folder").recordings
    faults = {(fault.kind, fault.item) for fault in read(raw, options).faults.found}
    assert faults == {("missing file", "r3"), ("NaN or infinity", "r4")}
    (empty,) = read(tmp_path, options).faults.found
    assert (empty.kind, empty.detail) == (
        "missing file",
        "expected acoustic/{id}.npy, face/{id}.npy",
    )


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
