"""From a video to a prediction: features are extracted as those that the run was trained on."""

import csv
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import recordings
from small import SMALL
from tiny_encoders import tiny_images, tiny_speech

import jaxdep
from jaxdep.data import corpora, pretrained
from jaxdep.data.builder import ManualBuilder
from jaxdep.data.extraction import without_place
from jaxdep.datasets.avec2014 import raw as avec
from jaxdep.errors import UserError
from jaxdep.extract import Settings, extract, layouts, provenance, repeating
from jaxdep.inference import media
from jaxdep.inference.description import Feature, InputDescription
from jaxdep.inference.distance import TrainingData

UNUSUAL = {"rate": 2.0, "frames": 2, "detect_every": 0.5}
"""Settings of an extraction that all change its features."""


def quiet(line):
    pass


def command(*arguments):
    subprocess.run([sys.executable, "-m", "jaxdep", *map(str, arguments)], check=True)


def description(corpus, *recipes):
    """Inputs of a run, as far as they matter to videos."""
    data = TrainingData({"x": np.zeros(2)}, {"x": np.ones(2)}, np.zeros(101))
    features = {"x": Feature((None, 2), "float32", 4)}
    return InputDescription(corpus, {}, {}, features, data, recipes)


def recipe_of(**settings):
    return without_place(provenance.recipe(layouts.resolve(Settings(**settings))))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Six seconds of a moving face with sound."""
    return recordings.talking(tmp_path_factory.mktemp("media") / "anna.mkv")


@pytest.fixture(scope="module")
def unusual(video, tmp_path_factory):
    """A corpus of D-Vlog's layout: the video's features by unusual settings, and noise on them."""
    folder = tmp_path_factory.mktemp("unusual")
    extract([video], folder, Settings(**UNUSUAL), workers=1, log=quiet)
    rng, rows = np.random.default_rng(0), []
    for number in range(24):
        name = f"v{number:02d}"
        shutil.copytree(folder / "anna", folder / name)
        for path in (folder / name).iterdir():
            new = path.rename(path.with_name(path.name.replace("anna", name)))
            if new.stem.endswith(("acoustic", "visual")):
                array = np.load(new)
                np.save(new, array + rng.normal(size=array.shape).astype(np.float32))
        fold = ("train", "train", "valid", "test")[number // 2 % 4]
        rows.append((name, ("normal", "depression")[number % 2], 6, "f", fold))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.mark.slow
def test_a_video_is_predicted_as_features_like_those_of_the_run(video, unusual, tmp_path):
    options = {"overrides": {**SMALL, "training.epochs": 1}, "data_dir": tmp_path / "data"}
    run = jaxdep.run("jamfn-demo", manual_dir=unusual, out=tmp_path / "r", log=quiet, **options)
    model, said = jaxdep.load(run.folder), []
    features = model.read(unusual / "anna", log=quiet)
    found = model.read(video, log=said.append)
    assert found.keys() == features.keys() == {"anna"}
    assert found["anna"]["visual"].shape == (12, 136)
    for name, array in features["anna"].items():
        np.testing.assert_array_equal(found["anna"][name], array)
    one, other = (model.predict(each).tasks["depression"].value for each in (found, features))
    np.testing.assert_array_equal(one, other)
    assert not [line for line in said if "warning" in line]


@pytest.mark.slow
def test_a_run_that_does_not_say_how_takes_the_default_settings(video, moved, tmp_path):
    model, said = jaxdep.load(moved[0]), []
    extract([video], tmp_path / "features", workers=1, log=quiet)
    features = model.read(tmp_path / "features", log=quiet)
    found = model.read(video, log=said.append)
    assert found["anna"]["acoustic"].shape == (6, 25)
    for name, array in features["anna"].items():
        np.testing.assert_array_equal(found["anna"][name], array)
    (line,) = (line for line in said if "warning" in line)
    assert "not made by jaxdep extract, or do not say how" in line


@pytest.mark.slow
def test_extract_then_predict_by_the_command_line(video, moved, tmp_path):
    """From nothing to a table."""
    features, out = tmp_path / "features", tmp_path / "table.csv"
    command("extract", video, "--like", "dvlog", "--out", features)
    command("predict", moved[0], features, "--out", out)
    (line,) = (tmp_path / "table.jsonl").read_text().splitlines()
    probability = json.loads(line)["tasks"]["depression"]["probability"]
    assert json.loads(line)["id"] == "anna"
    assert sum(probability.values()) == pytest.approx(1)


@pytest.mark.slow
def test_a_video_like_those_of_avec_with_models_of_the_hub(video, tmp_path, monkeypatch):
    tiny_speech(tmp_path / "tiny" / "hubert", kind="hubert")
    tiny_images(tmp_path / "tiny" / "vit", kind="vit")
    monkeypatch.setattr(pretrained, "locate", lambda name, *_: (str(tmp_path / name), True))
    narrow = replace(layouts.LAYOUTS["avec2014"], widths={})  # the real models are large
    monkeypatch.setitem(layouts.LAYOUTS, "avec2014", narrow)
    monkeypatch.setattr(avec, "WIDTHS", {"visual": 12, "acoustic": 12, "pose": 12})
    path = shutil.copy(video, tmp_path / "203_1_Freeform.mkv")
    known = {"speech_encoder": "tiny/hubert", "image_encoder": "tiny/vit", "speech_layer": 1}
    settings = Settings("avec2014", rate=2.0, partition="training", without_gaze=True, **known)
    extract([path], tmp_path / "corpus", settings, workers=1, log=quiet)
    (note,) = tmp_path.rglob("*_extraction.json")
    run = description("avec2014", without_place(json.loads(note.read_text())["recipe"]))
    builder = corpora.builder_class("avec2014")
    (item,) = media.read([path], run, builder, {}, quiet).items
    assert item.id == "203_1_Freeform"
    (expected,) = builder.recordings(tmp_path / "corpus", {}).items
    found = item.load()
    assert found["visual"].shape == (12, 12)
    for name, array in expected.load().items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.slow
def test_a_video_like_those_of_a_corpus_of_ones_own(video, tmp_path):
    settings = Settings("folder", streams=("acoustic", "landmarks"), rate=2.0)
    extract([video], tmp_path / "corpus", settings, workers=1, log=quiet)
    note = json.loads((tmp_path / "corpus" / "extraction" / "anna.json").read_text())
    files = {"acoustic": "acoustic/{id}.npy", "visual": "landmarks/{id}.npy"}
    own = {
        "name": "mine",
        "recordings": "recordings.csv",
        "tasks": {"depression": {"classes": ["normal", "depression"]}},
        "align": 1.0,
        "modalities": {
            name: {"files": path, "rate": 2.0, "normalize": "zscore"}
            for name, path in files.items()
        },
    }
    builder, options = corpora.builder_class("folder"), {"description": own}
    run = description("folder", without_place(note["recipe"]))
    (item,) = media.read([video], run, builder, options, quiet).items
    (expected,) = builder.recordings(tmp_path / "corpus", options).items
    found = item.load()
    assert (item.id, found["visual"].shape) == ("anna", (6, 136))
    for name, array in expected.load().items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("recipes", [[], [{"version": 1, "like": "dvlog", "streams": [], "x": 2}]])
def test_the_file_of_a_run_keeps_the_recipes(tmp_path, recipes):
    description("dvlog", *recipes).write(tmp_path / "inputs.npz")
    assert list(InputDescription.read(tmp_path / "inputs.npz").extraction) == recipes
    with np.load(tmp_path / "inputs.npz") as stored:  # as before, where there are none
        assert ("extraction" in json.loads(str(stored["description"]))) == bool(recipes)


def test_settings_are_those_of_the_recipe():
    settings = {**UNUSUAL, "like": "folder", "streams": ("acoustic", "pose")}
    found = repeating.settings_of(json.loads(json.dumps(recipe_of(**settings))))
    assert layouts.resolve(found) == layouts.resolve(Settings(**settings))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 0}, "were made by version 0 of the extraction, and this jaxdep has version 1"),
        (
            {"predictor": {"name": "my face.dat", "sha256": "0"}},
            "models that the run does not have: my face.dat; extract the features by hand, with the"
            " original models: jaxdep extract VIDEOS --like dvlog --rate 2 --frames 2"
            " --detect-every 0.5 --predictor 'my face.dat' --speech-rate 2 --out DIR; and give DIR",
        ),
        ({"rate": -1.0}, "Settings.rate=-1.0"),
        ({"mirrored": True}, "as mirrored would not be the same; extract the features by hand"),
    ],
)
def test_features_that_cannot_be_made_in_the_same_way(tmp_path, changes, message):
    run = description("dvlog", {**recipe_of(**UNUSUAL), **changes})
    with pytest.raises(UserError, match=re.escape(message)):
        media.read([tmp_path / "x.mp4"], run, ManualBuilder, {}, quiet)


def test_another_model_of_the_same_name(tmp_path, monkeypatch):
    tiny_images(tmp_path / "tiny" / "vit", kind="vit")
    monkeypatch.setattr(pretrained, "locate", lambda name, *_: (str(tmp_path / name), True))
    settings = {"like": "folder", "streams": ("images",), "image_region": "frame"}
    recipe = recipe_of(image_encoder="tiny/vit", **settings)
    assert repeating.settings_of(recipe).image_encoder == "tiny/vit"
    changed = {**recipe, "image_encoder": {"name": "tiny/vit", "sha256": "0"}}
    with pytest.raises(UserError, match="as image_encoder would not be the same"):
        repeating.settings_of(changed)
    named = {**recipe, "image_encoder": {**recipe["image_encoder"], "name": "vit"}}
    with pytest.raises(UserError, match=r"models that the run does not have: vit; .*encoder vit"):
        repeating.settings_of(named)


@pytest.mark.parametrize(
    ("corpus", "recipes", "message"),
    [
        ("ewre", [], "cannot be extracted from videos: it has one face"),
        ("mgid", [], "cannot be extracted from videos: no extraction writes its files"),
        ("avec2014", [], "by jaxdep extract --like avec2014 --out DIR, and give DIR"),
        ("daicwoz", [{}], "by jaxdep extract --like daicwoz --out DIR, and give DIR"),
        ("dvlog", [{"rate": 1.0}, {"rate": 2.0}], "were extracted in 2 ways, so that none is"),
    ],
)
def test_other_corpora_say_what_to_do(tmp_path, corpus, recipes, message):
    with pytest.raises(UserError, match=re.escape(message)):
        media.read([tmp_path / "x.mp4"], description(corpus, *recipes), ManualBuilder, {}, quiet)
