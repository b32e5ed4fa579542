"""LMVD: what is built, every fault that must be named, splits, and the stand-in's known answers."""

from itertools import product

import csv_rows
import numpy as np
import pytest
from corpus_case import check, ids, preparer

from jaxdep.data import corpora, openface, preparation, stand_ins, vlog_events
from jaxdep.data.arrays import load_split
from jaxdep.datasets.lmvd import labels, raw, synthetic
from jaxdep.errors import Faults, UserError
from jaxdep.models import LogisticRegression

NAMES = ("001", "002", "0602", "602", "1117", "1800")
FOLDS = ("train", "train", "train", "train", "valid", "test")
RATE = 30


@pytest.fixture
def folder(tmp_path):
    """Six vlogs without a fault, of 3 to 8 seconds, with someone's splits."""
    root = tmp_path / "raw"
    for name in ("Audio_feature", "Video_feature", "label"):
        (root / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, name in enumerate(NAMES):
        seconds = 3 + number
        np.save(audio(root, name), rng.normal(size=(seconds, raw.VGGISH)).astype(np.float32))
        write_face(face(root, name), rng.normal(size=(RATE * seconds, 136)), RATE)
        (root / "label" / f"{name}_Depression.csv").write_text(f"{number % 2}")
    write_table(root, [labels.COLUMNS, *zip(NAMES, "010101", FOLDS, strict=True)])
    return root


def audio(root, name="002"):
    return root / "Audio_feature" / f"{name}.npy"


def face(root, name="002"):
    return root / "Video_feature" / f"{name}.csv"


def write_face(path, landmarks, rate, timed=True, groups=("landmarks",)):
    """An OpenFace table as the tracker writes it: commas with spaces."""
    columns = [name for group in groups for name in openface.COLUMNS[group]][: landmarks.shape[1]]
    lines = [", ".join(["frame", *(["timestamp"] if timed else []), "success", *columns])]
    for number, row in enumerate(landmarks):
        cells = [str(number + 1), *([f"{number / rate:.3f}"] if timed else []), "1"]
        lines.append(", ".join([*cells, *(f"{x:.4f}" for x in row)]))
    path.write_text("\n".join(lines) + "\n")


def write_table(root, rows, name="labels.csv"):
    csv_rows.write(root / name, rows)


def table(root):
    return csv_rows.read(root / "labels.csv")


@pytest.fixture
def prepare(folder, tmp_path):
    return preparer("lmvd", folder, tmp_path / "data")


class TestBuild:
    def test_sound_files(self, folder, prepare):
        built, messages = prepare()
        check(built, {"train": 4, "valid": 1, "test": 1})
        assert "warning: The corpus has 6 recordings; the published corpus has 1823." in messages
        split = load_split(built, "train", {})
        assert split.ids.tolist() == ["001", "002", "0602", "602"]  # texts, not numbers
        assert split.targets["depression"].tolist() == [0, 1, 0, 1]
        assert split.classes == {"depression": ("normal", "depression")}
        np.testing.assert_array_equal(split.inputs["visual_mask"].sum(1), [3, 4, 5, 6])
        np.testing.assert_array_equal(split.inputs["acoustic"][1, :4], np.load(audio(folder)))

    def test_one_row_a_second(self, folder, prepare):
        """Every 30th row at 30 rows a second, and every 25th at 25."""
        values = np.arange(150.0)[:, None] + np.zeros(136)
        write_face(face(folder), values[:120], 30)
        write_face(face(folder, "0602"), values[:125], 25)
        split = load_split(prepare()[0], "train", {})
        assert split.inputs["visual"][1, :4, 0].tolist() == [0, 30, 60, 90]
        assert split.inputs["visual"][2, :5, 7].tolist() == [0, 25, 50, 75, 100]

    def test_without_time_stamps(self, folder, prepare):
        values = np.arange(120.0)[:, None] + np.zeros(136)
        write_face(face(folder), values, 30, timed=False)
        built, messages = prepare()
        assert load_split(built, "train", {}).inputs["visual"][1, :4, 0].tolist() == [0, 30, 60, 90]
        text = "repaired: 1 OpenFace tables without usable time stamps, read at 30 rows a second"
        assert f"warning: {text}" in messages

    def test_values_that_are_not_finite_are_replaced_and_counted(self, folder, prepare):
        lines = face(folder).read_text().splitlines()
        cells = lines[31].split(", ")  # the row of the second second
        before = lines[30].split(", ")[3]
        lines[31] = ", ".join([*cells[:3], "nan", *cells[4:]])
        face(folder).write_text("\n".join(lines))
        built, messages = prepare()
        assert "warning: repaired: 1 OpenFace values that are not finite" in messages
        found = load_split(built, "train", {}).inputs["visual"][1, 1, 0]
        np.testing.assert_allclose(found, float(before), rtol=1e-6)

    def test_other_columns_of_the_face(self, folder, prepare):
        rng = np.random.default_rng(1)
        for number, name in enumerate(NAMES):
            rows = rng.normal(3.0, 2.0, size=(RATE * (3 + number), 49))
            write_face(face(folder, name), rows, RATE, groups=("pose", "gaze", "action_units"))
        given = {"face": ("gaze", "pose"), "normalize": "recording"}
        built, _ = prepare(options=given)
        split = load_split(built, "train", {})
        assert split.inputs["visual"].shape == (4, 6, 14)
        frames = split.inputs["visual"][0, :3]
        np.testing.assert_allclose(frames.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(frames.std(0), 1, atol=1e-5)
        means = split.inputs["visual_functionals"][:, :14]  # before they became zero
        assert np.abs(means).min() > 0.01

    def test_the_shorter_modality_counts(self, folder, prepare):
        np.save(audio(folder), np.ones((6, raw.VGGISH)))  # the face has 4 rows
        lengths = load_split(prepare()[0], "train", {}).inputs["acoustic_mask"].sum(1)
        assert lengths.tolist() == [3, 4, 5, 6]

    def test_a_copy_in_two_splits_is_warned_of(self, folder, prepare):
        face(folder, "1800").write_bytes(face(folder, "001").read_bytes())
        audio(folder, "1800").write_bytes(audio(folder, "001").read_bytes())
        assert any("1 recordings have the same content in two splits" in x for x in prepare()[1])

    def test_recordings_that_the_table_does_not_list_are_left_out(self, folder, prepare):
        write_table(folder, table(folder)[:1] + table(folder)[2:])
        built, messages = prepare()
        assert ids(built) == set(NAMES[1:])
        assert "warning: 1 recordings are not in labels.csv and are left out: 001" in messages

    def test_further_columns_are_attributes(self, folder, prepare, tmp_path):
        header, *rows = table(folder)
        write_table(folder, [[*header, "age"], *([*row, row[0][:1]] for row in rows)])
        split = load_split(prepare()[0], "train", {})
        assert split.attributes["age"].tolist() == [name[:1] for name in split.ids.tolist()]
        write_table(folder, [[*header, "age"], *([*row, "\x1b"] for row in rows)])
        with pytest.raises(UserError, match=r"bad attribute \(6\)"):
            prepare()
        write_table(folder, [[*header, "id"], *([*row, "x"] for row in rows)])
        with pytest.raises(UserError, match="id is a column of the corpus itself"):
            prepare()

    def test_the_name_and_the_words_of_a_peer(self, folder, prepare):
        words = {"0": "normal", "1": "depression"}
        rows = [[name, words.get(label, label), fold] for name, label, fold in table(folder)]
        (folder / "labels.csv").unlink()
        write_table(folder, rows, "lmvd_labels.csv")
        check(prepare()[0], {"train": 4, "valid": 1, "test": 1})

    def test_an_absent_split_is_warned_of(self, folder, prepare):
        write_table(folder, [[*row[:2], row[2].replace("valid", "train")] for row in table(folder)])
        assert "warning: The valid split is missing." in prepare()[1]


def refused(prepare, tmp_path, *messages):
    with pytest.raises(UserError) as error:
        prepare()
    for message in messages:
        assert message in str(error.value)
    assert not (tmp_path / "data").exists()


def saved(array):
    return lambda folder: np.save(audio(folder), array, allow_pickle=True)


def replaced(old, new):
    def damage(folder):
        face(folder).write_text(face(folder).read_text().replace(old, new))

    return damage


def cells(*values):
    """Replaces cells of the second line of the table; `...` keeps one."""

    def damage(folder):
        rows = table(folder)
        kept = [*rows[2], *["more"] * (len(values) - 3)]
        rows[2] = [old if new is ... else new for old, new in zip(kept, values, strict=False)]
        write_table(folder, rows)

    return damage


OF_ONE_VLOG = [
    ("missing file", lambda folder: audio(folder).unlink()),
    ("missing file", lambda folder: face(folder).unlink()),
    ("unreadable or truncated array", lambda folder: audio(folder).write_bytes(b"\x93NUMPY")),
    ("wrong shape", saved(np.zeros((4, 25)))),
    ("no rows", saved(np.zeros((0, 128)))),
    ("not numeric", saved(np.full((4, 128), "a"))),
    ("pickled array (refused)", saved(np.array([{}]))),
    ("NaN or infinity", saved(np.full((4, 128), np.inf))),
    ("NaN or infinity", saved(np.full((4, 128), 1e300))),
    ("lengths differ", saved(np.zeros((20, 128)))),
    ("wrong header", replaced("x_3,", "x_99,")),
    ("wrong header", replaced("x_3,", "x_4,")),
    ("wrong header", lambda folder: face(folder).write_bytes(b"\xff\n1")),
    ("not numeric", replaced("\n2, 0.033, 1, ", "\n2, 0.033, 1, left")),
    ("wrong shape", replaced("\n2, ", "\n1, 2\n2, ")),
    ("no rows", lambda folder: face(folder).write_text(face(folder).read_text().split("\n")[0])),
    ("unknown label", lambda folder: (folder / "label/002_Depression.csv").write_text("2")),
    ("unknown label", lambda folder: (folder / "label/002_Depression.csv").write_text("0,1")),
    ("unknown label", lambda folder: (folder / "label/002_Depression.csv").write_text("")),
    ("labels differ", lambda folder: (folder / "label/002_Depression.csv").write_text("0")),
    ("wrong columns", cells(..., ..., ..., ...)),
    ("bad id", cells("../2", ..., ...)),
    ("bad id", lambda folder: (folder / "label" / "a\nb_Depression.csv").write_text("0")),
    ("unknown label", cells(..., "sad", ...)),
    ("unknown fold", cells(..., ..., "dev")),
    ("duplicate id", lambda folder: write_table(folder, [*table(folder), table(folder)[2]])),
]


@pytest.mark.parametrize(("kind", "damage"), OF_ONE_VLOG)
def test_a_fault_of_one_vlog_leaves_out_that_one(folder, prepare, tmp_path, kind, damage):
    damage(folder)
    refused(prepare, tmp_path, f"{kind} (1)", "--skip-bad")
    built, _ = prepare(skip_bad=True)
    assert ids(built) >= set(NAMES) - {"002"}


def test_a_tracker_without_any_number(folder, prepare, tmp_path):
    write_face(face(folder), np.full((120, 136), np.nan), RATE)
    refused(prepare, tmp_path, "no cell holds a number")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("not UTF-8", b"index,label,fold\n001,\xff,train"),
        ("unreadable table", b'index,label,fold\n"001'),
        ("wrong header", b"id,label,fold\n001,0,train"),
        ("wrong header", b""),
        ("no rows", b"index,label,fold\n"),
    ],
)
def test_a_fault_of_the_table_cannot_be_left_out(folder, prepare, tmp_path, kind, content):
    (folder / "labels.csv").write_bytes(content)
    with pytest.raises(UserError, match=f"{kind} (?s:.*)cannot be skipped"):
        prepare(skip_bad=True)
    assert not (tmp_path / "data").exists()


def test_too_few_recordings_to_draw_splits(folder, prepare, tmp_path):
    (folder / "labels.csv").unlink()
    refused(
        prepare, tmp_path, "too few recordings (1)", "3 of normal, 3 of depression", "labels.csv"
    )


def test_a_folder_without_recordings(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "x.txt").write_text("x")
    with pytest.raises(UserError, match=r"Audio_feature/<id>\.npy"):
        preparation.prepare("lmvd", tmp_path / "raw", data_dir=tmp_path / "data")


@pytest.mark.parametrize("groups", [(), ("gaze", "gaze")])
def test_groups_of_the_face_are_named_once(folder, prepare, groups):
    with pytest.raises(UserError, match=r"lmvd\.face=.*each once"):
        prepare(options={"face": groups})


def test_options_from_the_command_line():
    given = {"face": "('landmarks','gaze')", "split_seed": "3"}
    assert corpora.parse_options("lmvd", given) == {"face": ("landmarks", "gaze"), "split_seed": 3}
    with pytest.raises(UserError, match=r"lmvd\.face"):
        corpora.parse_options("lmvd", {"face": "('mouth',)"})


def test_drawn_splits():
    """7:1:2, stratified, the same from the same seed, and others from another."""
    known = {f"{n:04d}": labels.Label(f"{n:04d}", labels.LABELS[n % 2]) for n in range(200)}
    first, again, other = (labels.drawn(known, seed, Faults()) for seed in (0, 0, 1))
    assert first == again != other
    for split, number in {"train": 140, "valid": 20, "test": 40}.items():
        members = [label.label for label in first.values() if label.split == split]
        assert (len(members), members.count("depression")) == (number, number / 2)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("lmvd")
    truth = stand_ins.synthesize("lmvd", root / "raw", items=200, rows_per_second=1)
    built = preparation.prepare("lmvd", root / "raw", data_dir=root / "data", log=lambda line: None)
    return root / "raw", built, truth


class TestSynthetic:
    def test_builds(self, prepared):
        _, built, _ = prepared
        check(built, {"train": 140, "valid": 20, "test": 40})

    def test_time_averages_show_nothing(self, prepared):
        _, built, _ = prepared
        splits = {name: load_split(built, name, {}) for name in ("train", "valid", "test")}
        pair = lambda name: (splits[name].inputs, splits[name].targets["depression"])
        outputs, _, _ = LogisticRegression(standardize=True).fit_predict(
            pair("train"), pair("valid"), splits["test"].inputs
        )
        # 0.60 and two standard errors of 40 recordings.
        assert (outputs.argmax(1) == splits["test"].targets["depression"]).mean() < 0.76

    def test_the_planted_events_decide_as_written(self, prepared):
        """Matched filters along the true directions, and the true rates, reach Bayes accuracy."""
        _, built, truth = prepared
        along = vlog_events.directions(
            synthetic.WIDTHS, np.random.default_rng(np.random.SeedSequence([0, 0x17]))
        )
        evidence = lambda bit, rate: np.log(rate / (1 - rate)) * (1 if bit else -1)
        right = []
        for name in ("train", "valid", "test"):
            split = load_split(built, name, {})
            for row, label in enumerate(split.targets["depression"]):
                logit, ones = 0.0, []
                frames = {m: split.inputs[m][row][split.inputs[f"{m}_mask"][row]] for m in along}
                frames["visual"] = (frames["visual"] - synthetic.CENTRE) / synthetic.PIXELS
                for m, kind in product(along, vlog_events.PATTERNS):
                    track = frames[m] @ along[m][kind]
                    found = np.convolve(track, vlog_events.PATTERNS[kind][::-1], "valid")
                    falls = found[np.abs(found).argmax()] > 0
                    logit += evidence(falls, truth["parameters"]["order_rate"])
                ones = [frames[m] @ along[m][1] for m in along]
                at = np.abs(ones[0] * ones[1]).argmax()
                logit += evidence(
                    ones[0][at] * ones[1][at] > 0, truth["parameters"]["agreement_rate"]
                )
                right.append((logit > 0) == label)
        best = truth["tasks"]["depression"]["bayes_accuracy"]
        assert abs(np.mean(right) - best) < 3 * np.sqrt(best * (1 - best) / len(right))

    def test_same_seed_same_files(self, tmp_path):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            synthetic.write(tmp_path / name, 20, seed, mean_length=40)
        content = lambda name: face(tmp_path / name, "003").read_bytes()
        assert content("a") == content("b") != content("c")

    @pytest.mark.parametrize(
        "wrong", [{"items": 3}, {"signal": 2.0}, {"mean_length": 5}, {"rows_per_second": 0}]
    )
    def test_impossible_requests_write_nothing(self, tmp_path, wrong):
        with pytest.raises(UserError, match="synthesize lmvd"):
            stand_ins.synthesize("lmvd", tmp_path / "x", **wrong)
        assert not (tmp_path / "x").exists()
