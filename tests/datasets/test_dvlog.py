"""D-Vlog: what is built, every fault that must be named, and the stand-in's known answers."""

import pickle
from typing import Any

import csv_rows
import numpy as np
import pytest
import tensorflow_datasets as tfds
from corpus_case import check, ids, preparer

from jaxdep.data import corpora, preparation, stand_ins, vlog_events
from jaxdep.data.arrays import load_split
from jaxdep.datasets.dvlog import raw, synthetic
from jaxdep.errors import UserError
from jaxdep.models import LogisticRegression

FOLDS = ("train", "train", "train", "train", "valid", "test")


@pytest.fixture
def folder(tmp_path):
    """Six vlogs without a fault, of random lengths; one has a visual row more."""
    root = tmp_path / "raw"
    root.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number, fold in enumerate(FOLDS):
        name = str(100 + number)
        (root / name).mkdir()
        length = int(rng.integers(3, 9))
        for modality, width in raw.WIDTHS.items():
            rows_of = length + (modality == "visual" and number == 2)
            array = rng.normal(size=(rows_of, width))
            np.save(root / name / f"{name}_{modality}.npy", array)
        rows.append([name, raw.LABELS[number % 2], f"{length}.5", "mf"[number % 2], fold])
    write_labels(root, [list(raw.COLUMNS), *rows])
    return root


def write_labels(root, rows):
    csv_rows.write(root / "labels.csv", rows)


def labels(root):
    return csv_rows.read(root / "labels.csv")


@pytest.fixture
def prepare(folder, tmp_path):
    return preparer("dvlog", folder, tmp_path / "data")


def refused(prepare, tmp_path, *messages):
    with pytest.raises(UserError) as error:
        prepare()
    for message in messages:
        assert message in str(error.value)
    assert not (tmp_path / "data").exists()
    return str(error.value)


def array_path(folder, name="101", modality="acoustic"):
    return folder / name / f"{name}_{modality}.npy"


class TestBuild:
    def test_sound_files(self, folder, prepare):
        built, messages = prepare()
        check(built, {"train": 4, "valid": 1, "test": 1})
        split = load_split(built, "train", {})
        assert split.ids.tolist() == ["100", "101", "102", "103"]
        assert split.targets["depression"].tolist() == [0, 1, 0, 1]
        assert split.classes == {"depression": raw.LABELS}
        for row, name in enumerate(split.ids):
            array = np.load(array_path(folder, name)).astype(np.float32)
            length = split.inputs["acoustic_mask"][row].sum()
            assert length == split.inputs["visual_mask"][row].sum() == len(array)
            np.testing.assert_array_equal(split.inputs["acoustic"][row, :length], array)
        assert any("the published corpus has 647" in line for line in messages)

    def test_without_header(self, folder, prepare):
        write_labels(folder, labels(folder)[1:])
        check(prepare()[0], {"train": 4, "valid": 1, "test": 1})

    def test_again_is_the_same_folder_and_a_change_is_not(self, folder, prepare):
        first = prepare()[0]
        assert prepare()[0] == first
        array = np.load(array_path(folder))
        np.save(array_path(folder), array + 1)
        assert prepare()[0] != first

    def test_absent_split_is_a_warning(self, folder, prepare):
        write_labels(folder, [row for row in labels(folder) if row[-1] != "valid"])
        built, messages = prepare()
        check(built, {"train": 4, "test": 1})
        assert "warning: The valid split is missing." in messages

    def test_same_content_in_two_splits_is_a_warning(self, folder, prepare):
        for modality in raw.WIDTHS:
            copied = array_path(folder, "100", modality).read_bytes()
            array_path(folder, "105", modality).write_bytes(copied)
        _, messages = prepare()
        assert any("same content in two splits" in line for line in messages)

    def test_skip_bad(self, folder, prepare):
        array_path(folder, "101").unlink()
        built, messages = prepare(skip_bad=True)
        check(built, {"train": 3, "valid": 1, "test": 1})
        assert any("1 recordings were left out" in line for line in messages)
        assert "missing file" in (built / "corpus.json").read_text()
        assert "101/101_acoustic.npy" in (built / "corpus.json").read_text()

    def test_as_plain_tfds(self, folder, tmp_path):
        builder: Any = corpora.builder_class("dvlog")(data_dir=str(tmp_path / "tfds"))
        config = tfds.download.DownloadConfig(manual_dir=str(folder))
        builder.download_and_prepare(download_config=config)
        assert len(builder.as_data_source(split="train")) == 4
        assert "JAMFN" in builder.info.description or "D-Vlog" in builder.info.description


class TestBadArrays:
    @pytest.mark.parametrize(
        ("content", "kind", "detail"),
        [
            (np.zeros((4, 24)), "wrong shape", "expected [T, 25], found [4, 24]"),
            (np.zeros(25), "wrong shape", "found [25]"),
            (np.zeros((4, 25, 1)), "wrong shape", "found [4, 25, 1]"),
            (np.zeros((0, 25)), "no rows", "T > 0"),
            (np.full((4, 25), "a"), "not numeric", "type <U1"),
            (np.zeros((4, 25), complex), "not numeric", "complex"),
            (np.full((4, 25), 1e300), "NaN or infinity", "100 beyond 1e+15"),
        ],
    )
    def test_content(self, folder, prepare, tmp_path, content, kind, detail):
        np.save(array_path(folder), content)
        refused(prepare, tmp_path, kind, "101/101_acoustic.npy", detail)

    def test_nan_and_infinity_are_counted(self, folder, prepare, tmp_path):
        array = np.load(array_path(folder))
        array[0, :3], array[1, :2] = np.nan, np.inf
        np.save(array_path(folder), array)
        refused(prepare, tmp_path, "NaN or infinity", "3 NaN, 2 infinite")

    def test_missing(self, folder, prepare, tmp_path):
        array_path(folder, modality="visual").unlink()
        refused(prepare, tmp_path, "missing file", "101/101_visual.npy")

    @pytest.mark.parametrize("keep", [0, 20, 300])
    def test_truncated(self, folder, prepare, tmp_path, keep):
        content = array_path(folder).read_bytes()
        array_path(folder).write_bytes(content[:keep])
        refused(prepare, tmp_path, "unreadable or truncated array", "101/101_acoustic.npy")

    def test_pickle_is_refused_and_never_run(self, folder, prepare, tmp_path):
        class Trap:
            def __reduce__(self):
                return (open, (str(tmp_path / "sprung"), "w"))

        array_path(folder).write_bytes(pickle.dumps(Trap()))
        np.save(array_path(folder, "102"), np.array([Trap()]), allow_pickle=True)
        messages = refused(prepare, tmp_path, "102/102_acoustic.npy", "pickled array (refused)")
        assert "101/101_acoustic.npy" in messages
        assert not (tmp_path / "sprung").exists()

    def test_lengths_that_differ_by_much(self, folder, prepare, tmp_path):
        np.save(array_path(folder, modality="visual"), np.zeros((60, 136)))
        refused(prepare, tmp_path, "lengths differ", "visual 60 rows")


class TestFurtherColumns:
    def test_are_attributes_as_is_the_duration(self, folder, prepare):
        header, *rows = labels(folder)
        write_labels(folder, [[*header, "age group"], *([*row, f"{row[0]} years"] for row in rows)])
        split = load_split(prepare()[0], "test", {})
        found = {name: texts.tolist() for name, texts in split.attributes.items()}
        assert found == {"age group": ["105 years"], "duration": [rows[5][2]], "gender": ["female"]}

    @pytest.mark.parametrize("name", ["", "id", "subject", "gender", "a\x1b"])
    def test_names_that_cannot_be(self, folder, prepare, tmp_path, name):
        header, *rows = labels(folder)
        write_labels(folder, [[*header, name], *([*row, "x"] for row in rows)])
        refused(prepare, tmp_path, "wrong header (1)", "labels.csv:1")

    def test_a_value_that_cannot_be(self, folder, prepare, tmp_path):
        header, *rows = labels(folder)
        write_labels(folder, [[*header, "age"], *([*row, "x" * 300] for row in rows)])
        refused(prepare, tmp_path, "bad attribute (6)", "is longer than 200 bytes")


class TestBadLabels:
    @pytest.mark.parametrize(
        ("column", "value", "message"),
        [
            (1, "sad", "unknown label (1)"),
            (4, "dev", "unknown fold (1)"),
            (3, "x", "unknown gender (1)"),
            (2, "long", "not a number (1)"),
            (0, "../101", "bad id (1)"),
            (0, "100", "duplicate id (1)"),
        ],
    )
    def test_cell(self, folder, prepare, tmp_path, column, value, message):
        rows = labels(folder)
        rows[2][column] = value
        write_labels(folder, rows)
        refused(prepare, tmp_path, message, "labels.csv:3")

    def test_columns(self, folder, prepare, tmp_path):
        rows = labels(folder)
        rows[2] = rows[2][:4]
        write_labels(folder, rows)
        refused(prepare, tmp_path, "wrong columns", "labels.csv:3")

    @pytest.mark.parametrize("rows", [[], [list(raw.COLUMNS)]])
    def test_no_rows(self, folder, prepare, tmp_path, rows):
        write_labels(folder, rows)
        refused(prepare, tmp_path, "no rows", "labels.csv")

    def test_not_text(self, folder, prepare, tmp_path):
        (folder / "labels.csv").write_bytes(b"\xff\xfe\x00")
        refused(prepare, tmp_path, "not UTF-8", "labels.csv:1")

    def test_all_faults_at_once(self, folder, prepare, tmp_path):
        rows = labels(folder)
        rows[2][1], rows[4][4] = "sad", "dev"
        write_labels(folder, rows)
        array_path(folder, "100").unlink()
        np.save(array_path(folder, "102"), np.zeros((3, 2)))
        kinds = (
            "unknown label",
            "unknown fold",
            "missing file",
            "wrong shape",
            "nothing was written",
        )
        refused(prepare, tmp_path, *kinds)


def cells(*values):
    """Changes the line of vlog 101 to these cells, `...` standing for what is there."""

    def damage(folder):
        rows = labels(folder)
        rows[2] = [old if new is ... else new for old, new in zip(rows[2], values, strict=False)]
        rows[2] += values[len(raw.COLUMNS) :]
        write_labels(folder, rows)

    return damage


def array(content, modality="acoustic"):
    return lambda folder: np.save(array_path(folder, "101", modality), content)


def linked(folder):
    outside = array_path(folder).rename(folder.parent / "outside.npy")
    array_path(folder).symlink_to(outside)


def replaced_by_a_folder(folder):
    array_path(folder).unlink()
    array_path(folder).mkdir()


OF_ONE_VLOG = [
    ("missing file", lambda folder: array_path(folder).unlink()),
    ("unreadable or truncated array", lambda folder: array_path(folder).write_bytes(b"\x93NUMPY")),
    ("not a file", replaced_by_a_folder),
    ("link out of the corpus", linked),
    ("wrong shape", array(np.zeros((4, 24)))),
    ("no rows", array(np.zeros((0, 25)))),
    ("not numeric", array(np.full((4, 25), "a"))),
    ("pickled array (refused)", array(np.array([{}]))),
    ("NaN or infinity", array(np.full((4, 136), np.nan), "visual")),
    ("lengths differ", array(np.zeros((60, 136)), "visual")),
    ("wrong columns", cells(..., ..., ...)),
    ("wrong columns", cells(..., ..., ..., ..., ..., "more")),
    ("bad id", cells("", ..., ..., ..., ...)),
    ("bad id", cells("../101", ..., ..., ..., ...)),
    ("unknown label", cells(..., "sad", ..., ..., ...)),
    ("not a number", cells(..., ..., "long", ..., ...)),
    ("unknown gender", cells("", ..., ..., "x", ...)),
    ("unknown fold", cells(..., ..., ..., ..., "dev")),
    ("duplicate id", lambda folder: write_labels(folder, [*labels(folder), labels(folder)[2]])),
]


@pytest.mark.parametrize(("kind", "damage"), OF_ONE_VLOG)
def test_a_fault_of_one_vlog_leaves_out_that_one(folder, prepare, tmp_path, kind, damage):
    damage(folder)
    refused(prepare, tmp_path, f"{kind} (1)", "--skip-bad")
    built, _ = prepare(skip_bad=True)
    assert ids(built) == {"100", "102", "103", "104", "105"}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("missing file", None),
        ("not UTF-8", b"100,\xff"),
        ("unreadable table", b'100,"normal'),
        ("unreadable file", b"100,normal\0"),
        ("no rows", ",".join(raw.COLUMNS).encode()),
    ],
)
def test_a_fault_of_the_labels_cannot_be_left_out(folder, prepare, tmp_path, kind, content):
    (folder / "labels.csv").unlink()
    if content is not None:
        (folder / "labels.csv").write_bytes(content)
    with pytest.raises(UserError, match=f"{kind} (?s:.*)cannot be skipped"):
        prepare(skip_bad=True)
    assert not (tmp_path / "data").exists()


def test_if_all_vlogs_are_left_out_their_faults_are_told(folder, prepare, tmp_path):
    (folder / "labels.csv").write_text((folder / "labels.csv").read_text().replace(",", ";"))
    with pytest.raises(UserError, match=r"no valid recordings of dvlog(?s:.*)wrong columns \(7\)"):
        prepare(skip_bad=True)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("make", [lambda p: p / "nowhere", lambda p: p])
def test_missing_or_empty_folder_says_what_is_expected(tmp_path, make):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"labels\.csv .*video_id,label,duration,gender,fold"):
        preparation.prepare("dvlog", make(tmp_path / "empty"), data_dir=tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("dvlog")
    truth = stand_ins.synthesize("dvlog", root / "raw", items=600, mean_length=64)
    built = preparation.prepare(
        "dvlog", root / "raw", data_dir=root / "data", log=lambda line: None
    )
    return root / "raw", built, truth


class TestSynthetic:
    def test_builds_in_the_published_proportions(self, prepared):
        _, built, _ = prepared
        check(built, {"train": 404, "valid": 64, "test": 132})
        split = load_split(built, "train", {})
        lengths = split.inputs["acoustic_mask"].sum(1)
        assert lengths.min() >= 40
        assert lengths.max() <= 128
        assert 55 < lengths.mean() < 75

    def test_time_averages_show_nothing(self, prepared):
        _, built, _ = prepared
        splits = {name: load_split(built, name, {}) for name in ("train", "valid", "test")}
        pair = lambda name: (splits[name].inputs, splits[name].targets["depression"])
        outputs, _, _ = LogisticRegression(standardize=True).fit_predict(
            pair("train"), pair("valid"), splits["test"].inputs
        )
        assert (outputs.argmax(1) == splits["test"].targets["depression"]).mean() < 0.60

    def test_the_planted_events_decide_as_written(self, prepared):
        """Matched filters along the true directions, and the true rates, reach Bayes accuracy."""
        folder, _, truth = prepared
        rng = np.random.default_rng(np.random.SeedSequence([0, 0xD7]))
        directions = vlog_events.directions(raw.WIDTHS, rng)
        right, rows = [], labels(folder)[1:]
        for name, label, *_ in rows:
            array = {m: np.load(folder / name / f"{name}_{m}.npy") for m in raw.WIDTHS}
            logit = 0.0
            for m, kind in ((m, kind) for m in raw.WIDTHS for kind in vlog_events.PATTERNS):
                track = array[m] @ directions[m][kind]
                found = np.convolve(track, vlog_events.PATTERNS[kind][::-1], "valid")
                falls = found[np.abs(found).argmax()] > 0
                logit += evidence(falls, truth["parameters"]["order_rate"])
            ones = [array[m] @ directions[m][1] for m in raw.WIDTHS]
            at = np.abs(ones[0] * ones[1]).argmax()
            agree = ones[0][at] * ones[1][at] > 0
            logit += evidence(agree, truth["parameters"]["agreement_rate"])
            right.append((logit > 0) == (label == "depression"))
        best = truth["tasks"]["depression"]["bayes_accuracy"]
        error = 3 * np.sqrt(best * (1 - best) / len(rows))
        assert abs(np.mean(right) - best) < error

    def test_bayes_by_hand(self):
        # Two bits of rate .85: right if both agree with the label, half of the ties: .85.
        known = vlog_events.bayes(("acoustic", "visual"), 1.0)
        np.testing.assert_allclose(known["best_single_modality"]["acoustic"], 0.85)
        # Four such bits and one of .7 that breaks the ties: P(3 or 4 of 4) + .7 P(2 of 4).
        order = 0.85**4 + 4 * 0.85**3 * 0.15 + 0.7 * 6 * 0.85**2 * 0.15**2
        np.testing.assert_allclose(known["bayes_accuracy"], order)

    def test_no_signal_is_chance(self):
        known = vlog_events.bayes(("acoustic", "visual"), 0.0)
        np.testing.assert_allclose(known["bayes_accuracy"], 0.5)

    def test_same_seed_same_files(self, tmp_path):
        write = lambda name, seed: synthetic.write(tmp_path / name, 12, seed, mean_length=50)
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            write(name, seed)
        content = lambda name: (tmp_path / name / "v00003" / "v00003_visual.npy").read_bytes()
        assert content("a") == content("b") != content("c")

    @pytest.mark.parametrize(
        "wrong", [{"items": 3}, {"signal": 2.0}, {"mean_length": 5, "items": 20}]
    )
    def test_impossible_requests_write_nothing(self, tmp_path, wrong):
        with pytest.raises(UserError, match="synthesize dvlog"):
            stand_ins.synthesize("dvlog", tmp_path / "x", **wrong)
        assert not (tmp_path / "x").exists()

    def test_does_not_overwrite(self, tmp_path):
        (tmp_path / "kept.txt").write_text("mine")
        with pytest.raises(UserError, match="not empty"):
            stand_ins.synthesize("dvlog", tmp_path, items=20)


def evidence(bit, rate):
    odds = np.log(rate / (1 - rate))
    return odds if bit else -odds
