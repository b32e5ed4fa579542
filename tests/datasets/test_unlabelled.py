"""Recordings without labels are read as those of the corpus, whatever folder they come from."""

import shutil

import numpy as np
import pytest

from jaxdep.data import corpora
from jaxdep.errors import UserError

SIZES = {
    "dvlog": {"items": 10, "mean_length": 40},
    "avec2014": {"items": 12, "mean_seconds": 8},
    "ewre": {"items": 12},
    "mmd2023": {"items": 12, "mean_seconds": 40},
    "daicwoz": {"items": 12, "mean_seconds": 45},
    "mgid": {"items": 40},
    "lmvd": {"items": 20, "mean_length": 40},
    "edaic": {"items": 12, "mean_seconds": 45},
    "folder": {"items": 20, "mean_seconds": 10},
}
LABELS = {
    "dvlog": ["labels.csv"],
    "avec2014": ["**/*_Depression.csv"],
    "ewre": [],
    "mmd2023": ["label.xlsx", "train_set", "test_set"],
    "daicwoz": ["*_AVEC2017.csv", "full_test_split.csv"],
    "mgid": [],
    "lmvd": ["label/*.csv"],
    "edaic": ["**/*_split.csv"],
    "folder": ["recordings.csv", "corpus.yaml"],
}


def opened(name, folder):
    builder = corpora.builder_class(name)
    return builder, builder.resolve(folder, corpora.with_defaults(name, {}))


@pytest.mark.parametrize("name", SIZES)
def test_features_are_those_of_the_corpus(name, tmp_path):
    folder = tmp_path / "raw"
    corpora.generator(name).write(folder, seed=1, **SIZES[name])
    builder, options = opened(name, folder)
    known = {item.id: item.load() for item in builder.scan(folder, options).items}
    for pattern in LABELS[name]:
        files = list(folder.glob(pattern))
        assert files
        for file in files:
            file.unlink()
    found = builder.recordings(folder, options)
    assert not found.faults.found
    assert {item.id for item in found.items} == set(known)
    for item in found.items:
        features = item.load()
        assert features
        for key, value in features.items():
            np.testing.assert_array_equal(value, known[item.id][key])
        left = {key for key in known[item.id] if np.ndim(known[item.id][key])} - set(features)
        assert not left


def test_a_folder_of_one_recording(tmp_path):
    corpora.generator("dvlog").write(tmp_path / "raw", seed=1, **SIZES["dvlog"])
    builder, options = opened("dvlog", tmp_path / "raw")
    copy = shutil.copytree(tmp_path / "raw" / "v00003", tmp_path / "renamed")
    [item] = builder.recordings(copy, options).items
    assert item.id == "v00003"
    assert set(item.load()) == {"acoustic", "visual"}


@pytest.mark.parametrize(
    "name", ["dvlog", "avec2013", "ewre", "mmd2023", "daicwoz", "mgid", "lmvd", "edaic"]
)
def test_an_empty_folder_is_a_fault(name, tmp_path):
    builder = corpora.builder_class(name)
    options = {**corpora.with_defaults(name, {}), "text_encoder": None, "faces": "uint8"}
    known = {key: options[key] for key in vars(builder.OPTIONS)}
    faults = builder.recordings(tmp_path, known).faults
    assert [fault.kind in ("missing file", "no rows") for fault in faults.found] == [True]


@pytest.mark.parametrize("suffix", ["_P", ""])
def test_the_folder_of_one_interview(tmp_path, suffix):
    folder = tmp_path / "raw"
    corpora.generator("edaic").write(folder, seed=1, **SIZES["edaic"])
    builder, options = opened("edaic", folder)
    first = next(folder.rglob("*_P"))
    name = first.name.removesuffix("_P")
    [item] = builder.recordings(first.rename(tmp_path / (name + suffix)), options).items
    assert item.id == name
    assert "sentences" in item.load()


def test_segments_of_interviews_need_an_annotation(tmp_path):
    builder = corpora.builder_class("daicwoz")
    options = corpora.with_defaults("daicwoz", {"items": "segments"})
    with pytest.raises(UserError, match="use a run on whole interviews"):
        builder.recordings(tmp_path, options)
