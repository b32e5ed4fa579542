"""AVEC2013 and AVEC2014: what is read, what is refused, what is known of the stand-ins."""

import json
import shutil
from typing import Any

import numpy as np
import pytest
from corpus_case import check, ids

from jaxdep.data import arrays, preparation, stand_ins
from jaxdep.data.opening import open_corpus
from jaxdep.datasets.avec2014 import synthetic
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.scales import bdi

QUIET: dict[str, Any] = {"log": lambda line: None}


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A stand-in of 24 recordings of some eight seconds: 4 sessions to a partition."""
    folder = tmp_path_factory.mktemp("avec") / "raw"
    stand_ins.synthesize("avec2014", folder, items=24, mean_seconds=8)
    return folder


@pytest.fixture
def raw(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "raw")


def features(folder, pattern="*"):
    return sorted((folder / "features").rglob(f"{pattern}.npy"))


def refused(raw, tmp_path, corpus="avec2014", **how):
    with pytest.raises(UserError) as error:
        preparation.prepare(corpus, raw, data_dir=tmp_path / "data", **QUIET, **how)
    assert not (tmp_path / "data").exists()
    return str(error.value)


def test_prepared(whole, tmp_path):
    messages = []
    folder = preparation.prepare("avec2014", whole, data_dir=tmp_path, log=messages.append)
    check(folder, {"training": 8, "development": 8, "testing": 8})
    split = arrays.load_split(folder, "training", {})
    assert split.targets["depression"].dtype == np.float32
    assert split.classes == {
        "severity": bdi.NAMES,
        "depressed": ("minimal", "mild or more"),
    }
    scores = split.targets["depression"]
    np.testing.assert_array_equal(split.targets["severity"], bdi.category(scores))
    np.testing.assert_array_equal(split.targets["depressed"], scores >= 14)
    assert split.inputs["visual"].shape[2] == 2048
    assert split.inputs["acoustic"].shape[2] == 1024
    assert split.inputs["acoustic"].shape[1] > 40 * split.inputs["visual"].shape[1]
    card = json.loads((folder / "corpus.json").read_text())["card"]["training"]
    assert card["recordings"] == 8
    assert card["sessions"] == 4
    assert card["subjects"] == 3
    assert sum(card["sessions by severity (BDI-II)"].values()) == 4
    assert not [line for line in messages if "LEAKAGE" in line]


def test_avec2013_has_one_recording_a_session(tmp_path):
    stand_ins.synthesize("avec2013", tmp_path / "raw", items=12, mean_seconds=8)
    folder = preparation.prepare("avec2013", tmp_path / "raw", data_dir=tmp_path / "data", **QUIET)
    check(folder, {"training": 4, "development": 4, "testing": 4})


def test_labels_are_found_wherever_they_lie(raw, tmp_path):
    flat = raw / "AVEC2014_DepressionLabels"
    flat.mkdir()
    for path in list(raw.glob("*/DepressionLabels/*.csv")):
        path.write_text("\ufeff" + path.read_text(), encoding="utf-8")
        shutil.copy(path, flat / path.name)  # a copy that agrees is no fault
    assert preparation.prepare("avec2014", raw, data_dir=tmp_path / "data", **QUIET).is_dir()


def nan(path):
    array = np.load(path)
    array[0, 0] = np.nan
    np.save(path, array)


FAULTS = {
    "missing file": lambda raw: features(raw, "*_pose")[0].unlink(),
    "unreadable or truncated": lambda raw: features(raw)[0].write_bytes(b"\x93NUMPY"),
    "wrong shape": lambda raw: np.save(features(raw, "*_pose")[0], np.zeros((3, 11))),
    "no rows": lambda raw: np.save(features(raw, "*_pose")[0], np.zeros((0, 12))),
    "NaN or infinity": lambda raw: nan(features(raw)[0]),
    "pickled array": lambda raw: np.save(features(raw)[0], np.array([{}]), allow_pickle=True),
    "not numeric": lambda raw: np.save(features(raw, "*_pose")[0], np.full((3, 12), "a")),
    "bad id": lambda raw: features(raw)[0].rename(features(raw)[0].with_stem("face")),
    "missing label": lambda raw: next(raw.glob("Training/*/*.csv")).unlink(),
    "unknown label": lambda raw: next(raw.glob("Training/*/*.csv")).write_text("64"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_are_named_and_nothing_is_written(raw, tmp_path, kind):
    FAULTS[kind](raw)
    assert kind in refused(raw, tmp_path)


def test_labels_that_differ(raw, tmp_path):
    label = next(raw.glob("Testing/*/*.csv"))
    (raw / label.name).write_text(str((int(label.read_text()) + 1) % 64))
    assert "labels differ" in refused(raw, tmp_path)
    session = label.name.removesuffix("_Depression.csv")
    kept = preparation.prepare("avec2014", raw, data_dir=tmp_path / "d", skip_bad=True, **QUIET)
    left = {split: arrays.load_split(kept, split, {}).ids for split in arrays.splits_of(kept)}
    assert not [name for ids in left.values() for name in ids if name.startswith(session)]


def test_a_recording_in_two_partitions(raw, tmp_path):
    path = next((raw / "features" / "training").glob("*_pose.npy"))
    shutil.copy(path, raw / "features" / "testing" / path.name)
    assert "duplicate id" in refused(raw, tmp_path)


def test_all_faults_at_once(raw, tmp_path):
    nan(features(raw)[0])
    features(raw, "*_pose")[-1].unlink()
    messages = refused(raw, tmp_path)
    assert "NaN or infinity" in messages
    assert "missing file" in messages


def test_faulty_recordings_are_left_out_on_demand(raw, tmp_path):
    next((raw / "features" / "training").glob("*_pose.npy")).unlink()
    folder = preparation.prepare("avec2014", raw, data_dir=tmp_path / "d", skip_bad=True, **QUIET)
    about = json.loads((folder / "corpus.json").read_text())
    assert [fault["kind"] for fault in about["skipped"]] == ["missing file"]
    assert set(arrays.splits_of(folder)) == {"training", "development", "testing"}
    assert len(arrays.load_split(folder, "training", {})) == 7


def in_two_partitions(raw):
    path = features(raw, "*_pose")[0]
    other = "testing" if path.parent.name != "testing" else "training"
    shutil.copy(path, raw / "features" / other / path.name)


OF_ONE_RECORDING = FAULTS | {"duplicate id": in_two_partitions}
del OF_ONE_RECORDING["missing label"], OF_ONE_RECORDING["unknown label"]


@pytest.mark.parametrize("kind", OF_ONE_RECORDING)
def test_a_fault_of_one_recording_leaves_out_that_one(raw, tmp_path, kind):
    before = {path.stem.rpartition("_")[0] for path in features(raw)}
    damaged = features(raw)[0].stem.rpartition("_")[0]
    OF_ONE_RECORDING[kind](raw)
    folder = preparation.prepare("avec2014", raw, data_dir=tmp_path, skip_bad=True, **QUIET)
    assert ids(folder) == before - {damaged}


OF_ONE_SESSION = [
    ("missing label", lambda label: label.unlink()),
    ("unknown label", lambda label: label.write_text("64")),
    ("unknown label", lambda label: label.write_text("mild")),
    ("not UTF-8", lambda label: label.write_bytes(b"\xff")),
    ("unreadable file", lambda label: label.write_bytes(b"7\0")),
    ("labels differ", lambda label: (label.parents[2] / label.name).write_text("63")),
]


@pytest.mark.parametrize(("kind", "damage"), OF_ONE_SESSION)
def test_a_fault_of_one_session_leaves_out_its_recordings(raw, tmp_path, kind, damage):
    before = {path.stem.rpartition("_")[0] for path in features(raw)}
    label = next(path for path in raw.glob("Training/*/*.csv") if path.read_text().strip() != "63")
    session = label.name.removesuffix("_Depression.csv")
    damage(label)
    assert f"{kind} (1)" in refused(raw, tmp_path)
    messages = []
    folder = preparation.prepare(
        "avec2014", raw, data_dir=tmp_path / "d", skip_bad=True, log=messages.append
    )
    assert ids(folder) == before - {f"{session}_Northwind", f"{session}_Freeform"}
    assert "warning: 2 recordings were left out (--skip-bad):" in messages


@pytest.mark.parametrize("pattern", ["*_Depression.csv", "*.npy"])
def test_no_labels_or_no_features_cannot_be_left_out(raw, tmp_path, pattern):
    for path in raw.rglob(pattern):
        path.unlink()
    message = refused(raw, tmp_path, skip_bad=True)
    assert "missing file" in message
    assert "cannot be skipped" in message


@pytest.fixture
def leaking(raw):
    """The first subject of the training part is also recorded in the testing part."""
    known = next((raw / "features" / "training").glob("*_pose.npy")).name.split("_")[0]
    path = sorted((raw / "features" / "testing").glob("*.npy"))[-1]
    session = "_".join(path.name.split("_")[:2])
    for old in [*raw.rglob(f"{session}_*")]:
        old.rename(old.with_name(old.name.replace(session, f"{known}_9")))
    return raw


def test_a_subject_in_two_splits_is_a_loud_warning(leaking, tmp_path):
    messages = []
    preparation.prepare("avec2014", leaking, data_dir=tmp_path / "d", log=messages.append)
    assert [line for line in messages if "SUBJECT LEAKAGE: 1 subjects" in line]


def test_strict_subjects(leaking, tmp_path):
    messages = refused(leaking, tmp_path, skip_bad=True, options={"strict_subjects": True})
    assert "subject in two splits" in messages
    assert "testing, training" in messages


class TestStandIn:
    def test_same_seed_same_files(self, tmp_path):
        for name in "ab":
            stand_ins.synthesize("avec2014", tmp_path / name, items=12, seed=5, mean_seconds=8)
        pairs = zip(features(tmp_path / "a"), features(tmp_path / "b"), strict=True)
        assert all(a.read_bytes() == b.read_bytes() for a, b in pairs)

    def test_what_is_attainable(self):
        known = synthetic.bayes()
        # Normal noise of 6 points: 6 sqrt(2 / pi), a little less where the scale ends.
        assert known["bayes_mae"] == pytest.approx(6 * np.sqrt(2 / np.pi), abs=0.25)
        assert known["chance_mae"] > 9
        assert min(known["best_single_modality"].values()) > 1.5 * known["bayes_mae"]
        nothing = synthetic.bayes(0.0)
        assert nothing["bayes_mae"] == pytest.approx(nothing["chance_mae"], abs=0.05)
        assert nothing["chance_mae"] == pytest.approx(known["chance_mae"], abs=0.5)

    def test_time_averages_tell_little(self, tmp_path):
        """A ridge regression on them, chosen generously, stays near the best constant answer."""
        from sklearn.linear_model import RidgeCV
        from sklearn.model_selection import cross_val_predict

        stand_ins.synthesize("avec2013", tmp_path / "raw", items=120, mean_seconds=8)
        means = {}
        for path in features(tmp_path / "raw"):
            means.setdefault(path.stem.rpartition("_")[0], []).append(np.load(path).mean(0))
        labels = {
            path.name.removesuffix("_Depression.csv"): float(path.read_text())
            for path in (tmp_path / "raw").rglob("*_Depression.csv")
        }
        x = np.array([np.concatenate(means[name]) for name in sorted(means)], np.float64)
        y = np.array([labels[name] for name in sorted(means)])
        predicted = cross_val_predict(RidgeCV(np.logspace(-2, 6, 9)), x, y, cv=5)
        assert np.abs(predicted - y).mean() > 0.85 * np.abs(y - np.median(y)).mean()

    def test_mistakes(self, tmp_path):
        with pytest.raises(UserError, match="items must be at least 12"):
            stand_ins.synthesize("avec2014", tmp_path / "raw", items=3)


def test_experiments_find_their_splits(whole, tmp_path):
    experiment = EXPERIMENTS["mddr-avec2014"]
    prepared = preparation.prepare("avec2014", whole, data_dir=tmp_path, **QUIET)
    splits = open_corpus(prepared, experiment.corpus, experiment.labels).splits
    assert [splits[name].name for name in ("train", "validation", "test")] == [
        "training",
        "development",
        "testing",
    ]
