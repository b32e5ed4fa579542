"""EWRE: what is read, what is refused, what is known of the stand-in."""

import json
import shutil
from typing import Any

import numpy as np
import pytest
from corpus_case import check, ids

from jaxdep.data import arrays, preparation, stand_ins
from jaxdep.data.synthetic import best_accuracy
from jaxdep.datasets.ewre import synthetic
from jaxdep.errors import UserError
from jaxdep.models.baselines import LogisticRegression, feature_columns

QUIET: dict[str, Any] = {"log": lambda line: None}
SMALL = {"face_size": 4}


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A stand-in of 8 recordings: 6 to train, 2 to test."""
    folder = tmp_path_factory.mktemp("ewre") / "raw"
    stand_ins.synthesize("ewre", folder, items=8)
    return folder


@pytest.fixture
def raw(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "raw")


def files(folder, part="face", split="train"):
    return sorted((folder / split / part).glob("*.npy"))


def refused(raw, tmp_path, skip_bad=False, **options):
    how = {"skip_bad": skip_bad, "options": options, **QUIET}
    with pytest.raises(UserError) as error:
        preparation.prepare("ewre", raw, data_dir=tmp_path / "data", **how)
    assert not (tmp_path / "data").exists()
    return str(error.value)


def test_prepared(whole, tmp_path):
    folder = preparation.prepare("ewre", whole, data_dir=tmp_path, **QUIET)
    check(folder, {"train": 6, "val": 2})
    split = arrays.load_split(folder, "train", {})
    assert split.inputs["visual"].dtype == np.uint8
    assert split.inputs["visual"].shape == (6, 24, 224 * 224)
    assert split.inputs["acoustic"].shape == (6, 24, 1000)
    assert split.inputs["visual_mask"].all()
    assert split.classes["depression"] == ("healthy", "depressed")
    for name, label in zip(split.ids, split.targets["depression"], strict=True):
        assert label == (name[-4] == "D")
    face = np.load(whole / "train" / "face" / f"{split.ids[0]}.npy")
    np.testing.assert_array_equal(split.inputs["visual"][0, 3], face[:, :, 3].reshape(-1))
    card = json.loads((folder / "corpus.json").read_text())["card"]
    assert card["words"] == list(synthetic.WORDS)


def test_the_first_words_of_longer_files_are_kept(raw, tmp_path):
    for path in files(raw):
        np.save(path, np.load(path).repeat(2, 2).astype(np.float64))
    folder = preparation.prepare("ewre", raw, data_dir=tmp_path, options=SMALL, **QUIET)
    split = arrays.load_split(folder, "train", {})
    assert split.inputs["visual"].dtype == np.float32
    face = np.load(raw / "train" / "face" / f"{split.ids[0]}.npy")
    squares = face[:, :, 5].reshape(4, 56, 4, 56).mean((1, 3)).reshape(-1)
    np.testing.assert_allclose(split.inputs["visual"][0, 5], squares, rtol=1e-6)
    assert split.inputs["visual"].shape[1] == 24


def test_whole_numbers_become_bytes_on_demand(raw, tmp_path):
    for path in files(raw) + files(raw, split="val"):
        np.save(path, np.load(path).astype(np.float32))
    options = {**SMALL, "faces": "uint8"}
    folder = preparation.prepare("ewre", raw, data_dir=tmp_path / "data", options=options, **QUIET)
    assert arrays.load_split(folder, "val", {}).inputs["visual"].dtype == np.uint8
    shutil.rmtree(tmp_path / "data")
    np.save(files(raw)[0], np.load(files(raw)[0]) + 0.5)
    assert "not bytes" in refused(raw, tmp_path, **options)


def nan(path):
    array = np.load(path)
    array[0, 0] = np.nan
    np.save(path, array)


FAULTS = {
    "missing file": lambda raw: files(raw, "voice")[0].unlink(),
    "unreadable or truncated": lambda raw: files(raw)[0].write_bytes(b"\x93NUMPY"),
    "wrong shape": lambda raw: np.save(files(raw)[0], np.zeros((224, 200, 24), np.uint8)),
    "no rows": lambda raw: np.save(files(raw, "voice")[0], np.zeros((0, 1000))),
    "NaN or infinity": lambda raw: nan(files(raw, "voice")[0]),
    "pickled array": lambda raw: np.save(files(raw)[0], np.array([{}]), allow_pickle=True),
    "not numeric": lambda raw: np.save(files(raw, "voice")[0], np.full((24, 1000), "a")),
    "too few words": lambda raw: np.save(files(raw, "voice")[0], np.zeros((23, 1000))),
    "bad id": lambda raw: [p.rename(p.with_stem("D01")) for p in (files(raw)[0],)],
    "duplicate id": lambda raw: shutil.copy(files(raw)[0], raw / "val" / "face"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_are_named_and_nothing_is_written(raw, tmp_path, kind):
    FAULTS[kind](raw)
    assert kind in refused(raw, tmp_path)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_one_recording_leaves_out_that_one(raw, tmp_path, kind):
    before = {path.stem for split in ("train", "val") for path in files(raw, "voice", split)}
    damaged = files(raw)[0].stem
    FAULTS[kind](raw)
    folder = preparation.prepare(
        "ewre", raw, data_dir=tmp_path, skip_bad=True, options=SMALL, **QUIET
    )
    assert ids(folder) == before - {damaged}


OF_ALL = {
    "words.txt: found 1;": lambda raw: (raw / "words.txt").write_text("joy\n"),
    "not UTF-8": lambda raw: (raw / "words.txt").write_bytes(b"\xff"),
    "missing file": lambda raw: [shutil.rmtree(raw / split) for split in ("train", "val")],
}


@pytest.mark.parametrize("kind", OF_ALL)
def test_a_fault_of_the_corpus_cannot_be_left_out(raw, tmp_path, kind):
    OF_ALL[kind](raw)
    message = refused(raw, tmp_path, skip_bad=True)
    assert kind in message
    assert "cannot be skipped" in message


@pytest.mark.parametrize("options", [{"face_size": 100}, {"faces": "int8"}, {"n_words": 0}])
def test_options_that_cannot_be(raw, tmp_path, options):
    assert f"{next(iter(options))}=" in refused(raw, tmp_path, **options)


def test_a_voice_in_two_splits_is_told(raw, tmp_path):
    shutil.copy(files(raw, "voice")[0], files(raw, "voice", "val")[0])
    messages = []
    preparation.prepare("ewre", raw, data_dir=tmp_path, options=SMALL, log=messages.append)
    assert any("same voice in two splits" in line for line in messages)


def test_readers_that_the_user_names(raw, tmp_path):
    stems = [path.stem for split in ("train", "val") for path in files(raw, "face", split)]
    lines = ["id,subject,age", *(f"{stem},p{n // 2},{20 + n}" for n, stem in enumerate(stems))]
    (raw / "subjects.csv").write_text("\n".join(lines))
    messages = []
    how = {"data_dir": tmp_path / "data", "options": SMALL, "log": messages.append}
    folder = preparation.prepare("ewre", raw, **how)
    split = arrays.load_split(folder, "val", {})
    assert split.subjects.tolist() == ["p3", "p3"]
    assert split.attributes["age"].tolist() == ["26", "27"]
    assert json.loads((folder / "corpus.json").read_text())["subjects_known"]
    assert not any("SUBJECT LEAKAGE" in line or "subjects.csv" in line for line in messages)

    lines = [*lines[:-2], f"{stems[-1]},p0,", "unheard,p9,"]
    (raw / "subjects.csv").write_text("\n".join(lines))
    folder = preparation.prepare("ewre", raw, **how)
    assert not json.loads((folder / "corpus.json").read_text())["subjects_known"]
    text = "\n".join(messages)
    assert "SUBJECT LEAKAGE: 1 readers are in both splits" in text
    assert "subjects.csv has no line for 1 of 8 recordings." in text
    assert "subjects.csv describes 1 recordings that the corpus does not have." in text

    (raw / "subjects.csv").write_text("subject,age\np1,20\n")
    shutil.rmtree(tmp_path / "data")
    assert "expected id,subject" in refused(raw, tmp_path)


def test_nothing_and_too_few_items(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "notes.txt").write_text("")
    assert "missing file" in refused(tmp_path / "raw", tmp_path)
    with pytest.raises(UserError, match="at least 8"):
        stand_ins.synthesize("ewre", tmp_path / "new", items=4)


def test_what_is_known_of_the_stand_in():
    known = synthetic.bayes()
    assert known["bayes_accuracy"] == pytest.approx(best_accuracy([0.85] * 4 + [0.7]))
    assert known["best_single_modality"] == pytest.approx({"visual": 0.85, "acoustic": 0.85})
    assert synthetic.bayes(0.0)["bayes_accuracy"] == 0.5


@pytest.mark.slow
def test_means_over_words_do_not_tell(tmp_path):
    """And the events do, once known: the planted words' differences from turn to turn."""
    truth = stand_ins.synthesize("ewre", tmp_path / "raw", items=400)
    folder = preparation.prepare(
        "ewre", tmp_path / "raw", data_dir=tmp_path, options={"face_size": 28}, **QUIET
    )
    train, test = (arrays.load_split(folder, split, {}) for split in ("train", "val"))
    pairs = [(s.inputs, s.targets["depression"]) for s in (train, test)]
    assert feature_columns(train.inputs).shape[1] == 784 + 1000
    scores, _, _ = LogisticRegression(standardize=True).fit_predict(pairs[0], pairs[1], test.inputs)
    assert (scores.argmax(1) == pairs[1][1]).mean() < 0.6
    planted = [synthetic.WORDS.index(w) for w in truth["parameters"]["planted_words"]]
    for first, second in (planted[:2], planted[2:]):
        shown, new = (
            split.inputs["acoustic"][:, first] - split.inputs["acoustic"][:, second]
            for split in (train, test)
        )
        direction = (2 * pairs[0][1] - 1) @ shown
        right = (new @ direction > 0) == pairs[1][1]
        assert right.mean() == pytest.approx(0.85, abs=0.02)
