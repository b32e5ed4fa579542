"""E-DAIC: what is built, layouts of copies, every fault that must be named, and the stand-in."""

from typing import Any

import numpy as np
import pytest
import scipy.io
from corpus_case import check, ids, preparer

from jaxdep.data import openface, preparation, stand_ins
from jaxdep.data import synthetic as shared
from jaxdep.data.arrays import load_split
from jaxdep.datasets.daicwoz.raw import EMBEDDING
from jaxdep.datasets.edaic import layout, raw, streams, synthetic, transcripts
from jaxdep.errors import UserError
from jaxdep.models import LogisticRegression

SECONDS = 8
SPLITS = {"train": ("300", "301", "302", "303"), "dev": ("304",), "test": ("600",)}
NAMES = [name for names in SPLITS.values() for name in names]


@pytest.fixture
def folder(tmp_path):
    """Six interviews without a fault, of two sentences each."""
    root = tmp_path / "raw"
    rng = np.random.default_rng(0)
    root.mkdir()
    for split, names in SPLITS.items():
        lines = ["Participant_ID,Gender,PHQ_Binary,PHQ_Score,PCL-C (PTSD),PTSD Severity"]
        for name in names:
            depressed = int(name) % 2
            lines.append(
                f"{name},{'female' if depressed else 'male'},{depressed},{depressed * 12},0,28.0"
            )
            _interview(root / f"{name}_P", name, rng)
        (root / f"{split}_split.csv").write_text("\n".join(lines) + "\n")
    return root


def _interview(directory, name, rng):
    (directory / "features").mkdir(parents=True)
    write_voice(directory, name, rng.normal(size=(100 * SECONDS, 23)))
    write_face(directory, name, rng.normal(size=(30 * SECONDS, 49)))
    lines = [",".join(transcripts.COLUMNS), "1.0,2.5,hello there,0.9", '4.0,6.0,"so, well",0.7']
    (directory / f"{name}_Transcript.csv").write_text("\n".join(lines) + "\n")
    np.save(directory / f"{name}_TEXT.npy", rng.normal(size=(2, EMBEDDING)))


def write_voice(directory, name, rows, kind="egemaps", rate=100.0):
    lines = [";".join(["name", "frameTime", *(f"d{n}" for n in range(rows.shape[1]))])]
    for number, row in enumerate(rows):
        lines.append(";".join(["'unknown'", f"{number / rate:.6f}", *(f"{x:.4f}" for x in row)]))
    voice(directory.parent, name, kind).write_text("\n".join(lines) + "\n")


def write_face(directory, name, rows, rate=30.0):
    header = [
        "frame",
        "timestamp",
        "confidence",
        "success",
        *(f"f{n}" for n in range(rows.shape[1])),
    ]
    lines = [", ".join(header)]
    for number, row in enumerate(rows):
        leading = [str(number + 1), f"{number / rate:.3f}", "0.98", "1"]
        lines.append(", ".join([*leading, *(f"{x:.4f}" for x in row)]))
    face(directory.parent, name).write_text("\n".join(lines) + "\n")


def voice(root, name="301", kind="egemaps"):
    return root / f"{name}_P" / "features" / f"{name}_{layout.FEATURES[kind]}"


def face(root, name="301"):
    return root / f"{name}_P" / "features" / f"{name}_{layout.FEATURES['openface']}"


def transcript(root, name="301"):
    return root / f"{name}_P" / f"{name}_Transcript.csv"


def write_matrices(root, width=64, rows=30 * SECONDS, **variables):
    for name in NAMES:
        found = variables or {"feature": np.full((rows, width), float(name), np.float32)}
        scipy.io.savemat(root / f"{name}_P" / "features" / f"{name}_CNN_ResNet.mat", found)


@pytest.fixture
def prepare(folder, tmp_path):
    return preparer("edaic", folder, tmp_path / "data")


class TestBuild:
    def test_sound_files(self, folder, prepare):
        built, messages = prepare()
        check(built, {"train": 4, "dev": 1, "test": 1})
        assert "warning: train has 4 recordings; the published corpus has 163." in messages
        split = load_split(built, "train", {})
        assert split.ids.tolist() == split.subjects.tolist() == list(SPLITS["train"])
        assert split.targets["depression"].tolist() == [0, 1, 0, 1]
        assert split.targets["phq8"].tolist() == [0, 12, 0, 12]
        assert split.attributes["gender"].tolist() == ["male", "female"] * 2
        assert set(split.attributes["agent"]) == {"wizard"}
        assert load_split(built, "test", {}).attributes["agent"].tolist() == ["autonomous"]
        assert set(split.attributes) == {"gender", "agent"}  # no score
        # 1.5 s and 2 s of speech, at 100 and 30 rows a second.
        assert split.inputs["acoustic"].shape == (4, 350, 23)
        assert split.inputs["visual"].shape == (4, 105, 49)
        assert split.inputs["sentences"][0].tolist() == [
            [0, 150, 0, 45, 0, 1],
            [150, 350, 45, 105, 1, 2],
        ]

    def test_sentences_are_cut_at_the_rate_of_the_recording(self, folder, prepare):
        numbers = np.arange(328.0)[:, None] + np.zeros(49)
        write_face(folder / "301_P", "301", numbers, rate=32.8)
        split = load_split(prepare(options={"normalize": False})[0], "train", {})
        # Seconds 1 to 2.5 are rows 32.8 to 82 of this recording.
        assert split.inputs["sentences"][1, 0].tolist() == [0, 150, 0, 49, 0, 1]
        assert split.inputs["visual"][1, [0, 48], 3].tolist() == [33, 81]

    def test_labels_in_a_folder_and_interviews_in_another(self, folder, prepare):
        (folder / "labels").mkdir()
        (folder / "data").mkdir()
        for split in SPLITS:
            (folder / f"{split}_split.csv").rename(folder / "labels" / f"{split}_split.csv")
        for number, name in enumerate(NAMES):
            (folder / f"{name}_P").rename(folder / "data" / (name if number else f"{name}_P"))
        inner = folder / "data" / "301"
        (inner / "features" / face(folder).name).rename(
            inner / "features" / face(folder).name.replace("gaze", "Gaze")
        )
        (inner / "features" / voice(folder).name).rename(inner / voice(folder).name)
        check(prepare()[0], {"train": 4, "dev": 1, "test": 1})

    def test_widths_are_those_of_the_files(self, folder, prepare):
        for name in NAMES:
            write_voice(folder / f"{name}_P", name, np.ones((800, 25)) * np.arange(800)[:, None])
        built, messages = prepare()
        assert load_split(built, "dev", {}).inputs["acoustic"].shape[2] == 25
        assert "warning: egemaps has 25 features; published loaders read 23." in messages

    def test_other_descriptors(self, folder, prepare):
        for name in NAMES:
            write_voice(folder / f"{name}_P", name, np.ones((800, 39)), "mfcc")
        built, _ = prepare(options={"acoustic": "mfcc"})
        assert load_split(built, "dev", {}).inputs["acoustic"].shape[2] == 39

    def test_matrices_have_the_times_of_the_face(self, folder, prepare):
        write_matrices(folder, rows=328)
        write_face(folder / "301_P", "301", np.ones((328, 49)), rate=32.8)
        built, messages = prepare(options={"visual": "resnet", "normalize": False})
        split = load_split(built, "train", {})
        assert split.inputs["sentences"][:, 0, 3].tolist() == [45, 49, 45, 45]
        np.testing.assert_array_equal(split.inputs["visual"][1, 0], np.full(64, 301))
        text = "repaired: 5 resnet files without usable time stamps, read at 30 rows a second"
        assert f"warning: {text}" in messages
        assert "warning: resnet has 64 features; published loaders read 2048." in messages

    def test_repairs_are_counted(self, folder, prepare):
        damage = voice(folder).read_text().splitlines()
        damage[5] = ";".join(
            [*damage[5].split(";")[:2], "-1.#IND", "nan", *damage[5].split(";")[4:]]
        )
        voice(folder).write_text("\n".join(damage))
        lines = transcript(folder).read_text().splitlines()
        transcript(folder).write_text("\n".join([*lines, "7.0,7.0,oh,0.1"]))
        built, messages = prepare()
        assert "warning: repaired: 2 egemaps values that are not finite" in messages
        left_out = "1 transcript lines that end before they begin, left out"
        assert f"warning: repaired: {left_out}" in messages
        check(built, {"train": 4, "dev": 1, "test": 1})

    def test_a_label_that_contradicts_the_score_is_changed(self, folder, prepare):
        path = folder / "train_split.csv"
        path.write_text(path.read_text().replace("300,male,0,0", "300,male,0,11"))
        built, messages = prepare()
        assert any("300: labelled 0 with a score of 11; changed to 1" in x for x in messages)
        assert load_split(built, "train", {}).targets["depression"][0] == 1

    def test_the_words_of_an_encoder(self, folder, prepare):
        built, _ = prepare(options={"text_encoder": "hashing"})
        assert load_split(built, "dev", {}).inputs["text"].shape[:2] == (1, 2)


def refused(prepare, tmp_path, *messages, **options):
    with pytest.raises(UserError) as error:
        prepare(**options)
    for message in messages:
        assert message in str(error.value)
    assert not (tmp_path / "data").exists()


def replaced(file, old, new):
    def damage(folder):
        text = file(folder).read_text()
        assert old in text
        file(folder).write_text(text.replace(old, new, 1))

    return damage


def saved(array):
    return lambda folder: np.save(folder / "301_P/301_TEXT.npy", array, allow_pickle=True)


def train(folder):
    return folder / "train_split.csv"


OF_ONE_INTERVIEW = [
    ("missing file", lambda folder: voice(folder).unlink()),
    ("missing file", lambda folder: face(folder).unlink()),
    ("missing file", lambda folder: transcript(folder).unlink()),
    ("missing file", lambda folder: (folder / "301_P/301_TEXT.npy").unlink()),
    ("missing file", lambda folder: (folder / "301_P").rename(folder / "elsewhere")),
    ("wrong shape", lambda f: write_voice(f / "301_P", "301", np.ones((800, 22)))),
    ("wrong shape", lambda f: write_face(f / "301_P", "301", np.ones((240, 48)))),
    ("wrong shape", replaced(voice, "'unknown';0.010000", "'unknown';7;0.010000")),
    ("wrong rate", lambda f: write_face(f / "301_P", "301", np.ones((240, 49)), rate=5.0)),
    ("wrong rate", lambda f: write_voice(f / "301_P", "301", np.ones((800, 23)), rate=1000.0)),
    ("not numeric", lambda f: write_face(f / "301_P", "301", np.full((240, 49), np.nan))),
    ("not numeric", replaced(voice, "'unknown';0.010000;", "'unknown';0.010000;x")),
    ("wrong header", replaced(voice, "frameTime", "time")),
    ("wrong header", replaced(face, "f3,", "f4,")),
    ("wrong header", replaced(face, "f3,", ",")),
    (
        "no rows",
        lambda folder: voice(folder).write_text(voice(folder).read_text()[:150].split("\n")[0]),
    ),
    ("wrong header", replaced(transcript, "Text", "Words")),
    ("bad line", replaced(transcript, "1.0,2.5", "one,2.5")),
    ("bad line", replaced(transcript, "1.0,2.5", "1.0,1e9")),
    ("bad line", replaced(transcript, "hello there", "hello, there")),
    ("no rows", lambda folder: transcript(folder).write_text(",".join(transcripts.COLUMNS))),
    ("unreadable table", replaced(transcript, 'so, well"', "so, well")),
    ("wrong shape", saved(np.ones((2, 5)))),
    ("wrong shape", saved(np.ones((1, EMBEDDING)))),
    ("NaN or infinity", saved(np.full((2, EMBEDDING), np.nan))),
    ("pickled array (refused)", saved(np.array([{}]))),
    ("unknown label", replaced(train, "301,female,1", "301,female,2")),
    ("unknown label", replaced(train, "301,female", "301,unknown")),
    ("unknown label", replaced(train, "1,12,0", "1,25,0")),
]


@pytest.mark.parametrize(("kind", "damage"), OF_ONE_INTERVIEW)
def test_a_fault_of_one_interview_leaves_out_that_one(folder, prepare, tmp_path, kind, damage):
    damage(folder)
    refused(prepare, tmp_path, f"{kind} (1)", "--skip-bad")
    built, _ = prepare(skip_bad=True)
    assert ids(built) == set(NAMES) - {"301"}


OF_MATRICES = [
    ("missing variable", {"other": np.ones((4, 4))}),
    ("not numeric", {"feature": np.array(["a", "b"])}),
    ("not numeric", {"feature": np.array([[{}, 1]], dtype=object)}),
    ("not numeric", {"feature": np.ones((240, 64)) * 1j}),
    ("wrong shape", {"feature": np.ones((240, 65))}),
    ("wrong shape", {"feature": np.ones((3, 2, 64))}),
    ("no rows", {"feature": np.ones((0, 64))}),
    ("NaN or infinity", {"feature": np.full((240, 64), np.inf)}),
]


@pytest.mark.parametrize(("kind", "content"), OF_MATRICES)
def test_a_matrix_with_a_fault(folder, prepare, tmp_path, kind, content):
    write_matrices(folder)
    scipy.io.savemat(folder / "301_P/features/301_CNN_ResNet.mat", content)
    refused(prepare, tmp_path, f"{kind} (1)", "301_CNN_ResNet.mat", options={"visual": "resnet"})


@pytest.mark.parametrize("content", [b"", b"MATLAB 7.3", b"\x89HDF\r\n" + bytes(600)])
def test_a_file_that_holds_no_matrix(folder, prepare, tmp_path, content):
    write_matrices(folder)
    (folder / "301_P/features/301_CNN_ResNet.mat").write_bytes(content)
    kind = "unreadable or truncated array (1)"
    refused(prepare, tmp_path, kind, options={"visual": "resnet"})


def test_faults_of_the_split_files_cannot_be_left_out(folder, prepare, tmp_path):
    train(folder).write_text("id\n1")
    with pytest.raises(UserError, match=r"wrong header (?s:.*)cannot be skipped"):
        prepare(skip_bad=True)
    for split in SPLITS:
        (folder / f"{split}_split.csv").unlink()
    refused(prepare, tmp_path, "train_split.csv or dev_split.csv or test_split.csv")


def test_a_duplicate_id(folder, prepare, tmp_path):
    train(folder).write_text(train(folder).read_text() + "600,male,0,0,0,28.0\n")
    refused(prepare, tmp_path, "duplicate id (1)", "600 is also in train")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text_tokens": True}, "needs a text encoder"),
        (
            {"text_tokens": True, "text_encoder": "hashing", "cut": "released"},
            "set text_tokens=False",
        ),
        ({"visual": "pixels"}, r"edaic\.visual"),
    ],
)
def test_options_that_do_not_go_together(folder, prepare, options, message):
    with pytest.raises(UserError, match=message):
        prepare(options=options)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("edaic")
    truth = stand_ins.synthesize("edaic", root / "raw", items=40, mean_seconds=60)
    quiet = lambda line: None
    return preparation.prepare("edaic", root / "raw", data_dir=root / "data", log=quiet), truth


class TestSynthetic:
    def test_builds_with_ids_of_both_agents(self, prepared):
        built, _ = prepared
        check(built, {"train": 24, "dev": 8, "test": 8})
        agents = {s: set(load_split(built, s, {}).attributes["agent"]) for s in SPLITS}
        assert agents == {"train": {"wizard"}, "dev": {"wizard"}, "test": {"autonomous"}}
        whole = synthetic._ids([s for s, n in raw.PUBLISHED.items() for _ in range(n)])
        assert sum(int(name) < 500 for name in whole) == 187  # without the two interrupted ones
        assert len(set(whole)) == 275

    def test_the_words_decide_as_written(self, prepared):
        """Of two directions, the words are shifted along the first one more often if depressed."""
        built, truth = prepared
        rng = np.random.default_rng(np.random.SeedSequence([0, 0xED]))
        for name in ("egemaps", "openface"):
            shared.orthonormal(streams.WIDTHS[name], 3, rng)
        words = shared.orthonormal(EMBEDDING, 2, rng)
        right = []
        for name in SPLITS:
            split = load_split(built, name, {})
            energy = (np.abs(split.inputs["text"] @ words.T)).sum(1)
            right += (np.argmin(energy, 1) == split.targets["depression"]).tolist()
        rate = truth["tasks"]["depression"]["best_single_modality"]["text"]
        assert abs(np.mean(right) - rate) < 3 * np.sqrt(rate * (1 - rate) / len(right))

    def test_functionals_show_little(self, prepared):
        built, _ = prepared
        splits = {name: load_split(built, name, {}) for name in SPLITS}
        pair = lambda name: (splits[name].inputs, splits[name].targets["depression"])
        model = LogisticRegression(standardize=True, modalities=("acoustic", "visual"))
        right = []
        for name in ("dev", "test"):
            outputs, _, _ = model.fit_predict(pair("train"), pair("dev"), splits[name].inputs)
            right += (outputs.argmax(1) == splits[name].targets["depression"]).tolist()
        assert np.mean(right) < 0.85  # 0.60 and two standard errors of 16 recordings

    def test_same_seed_same_files(self, tmp_path):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            synthetic.write(tmp_path / name, 10, seed, mean_seconds=30)
        content = lambda name: voice(tmp_path / name).read_bytes()
        assert content("a") == content("b") != content("c")

    @pytest.mark.parametrize("wrong", [{"items": 3}, {"signal": -1.0}, {"mean_seconds": 5}])
    def test_impossible_requests_write_nothing(self, tmp_path, wrong):
        with pytest.raises(UserError, match="synthesize edaic"):
            stand_ins.synthesize("edaic", tmp_path / "x", **wrong)
        assert not (tmp_path / "x").exists()


def test_time_stamps():
    assert openface.rate(np.arange(11) / 30) == pytest.approx(30)
    seconds: Any = openface.seconds  # read here without asking first whether there are any
    assert seconds(np.arange(91) / 30).tolist() == [0, 30, 60, 90]
    # A missing frame: the nearest one stands for it.
    times = np.delete(np.arange(91) / 30, 30)
    assert seconds(times).tolist() == [0, 29, 59, 89]
    for bad in ([0.0], [0, 0], [1, 0], [0, np.nan], [0, 1e9], [-1, 1]):
        assert openface.seconds(np.array(bad)) is None
        assert openface.rate(np.array(bad)) is None
    assert openface.rate(None) is openface.seconds(None) is None
