"""Layouts: their files are what builders read, and what cannot be made is refused with a reason."""

import json
from dataclasses import replace

import numpy as np
import pytest
import recordings
from tiny_encoders import tiny_images, tiny_speech

from jaxdep.data.formats import npy
from jaxdep.errors import Faults, UserError
from jaxdep.extract import Settings, deep, extract, job, layouts, models, recording
from jaxdep.extract.words import as_records


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"like": "mmd2023"}, "68 points in space, of which one camera and dlib give no depth"),
        ({"like": "ewre"}, "the authors say neither what these features are"),
        ({"like": "folder"}, "--like folder needs --streams"),
        ({"streams": ("pose",)}, "--streams is for --like folder; dvlog has its own"),
        ({"speech_encoder": "x"}, "--speech-encoder has no effect: dvlog holds no speech"),
        ({"partition": "training"}, "--partition and --without-gaze are for avec2013 and"),
        ({"like": "daicwoz", "rate": 1.0}, "--rate 1: daicwoz has 100 rows a second"),
        ({"like": "folder", "streams": ("words",)}, "folder needs --recogniser"),
        ({"like": "folder", "streams": ("words", "text")}, "folder needs --text-encoder"),
        (
            {"like": "folder", "streams": ("text",), "text_encoder": "hashing"},
            "--streams text needs words as well, whose sentences it embeds",
        ),
        ({"text_encoder": "hashing"}, "--text-encoder has no effect: dvlog holds no text"),
        (
            {"like": "avec2014"},
            "avec2014 needs --speech-encoder: a Hugging Face name or folder\n"
            "avec2014 needs --image-encoder: a Hugging Face name or folder\n"
            "--partition is missing: training, development or testing\n"
            "the pose files hold gaze, which landmarks do not show",
        ),
    ],
)
def test_settings_that_cannot_be_followed(settings, message):
    with pytest.raises(UserError) as error:
        layouts.resolve(Settings(**settings))
    assert message in str(error.value)


def test_rates_are_those_of_the_corpus():
    assert layouts.resolve(Settings()).rate == 1.0
    assert layouts.resolve(Settings(like="daicwoz")).rate == 100.0
    options = {"partition": "testing", "without_gaze": True}
    names = {"speech_encoder": "a", "image_encoder": "b"}
    found = layouts.resolve(Settings(like="avec2013", **names, **options))
    assert (found.rate, found.speech_rate) == (1.0, 50.0)


def test_voice_and_face_of_dvlog_are_cut_to_the_shorter_one():
    streams = lambda rows: {
        "acoustic": np.ones((rows, 25), np.float32),
        "landmarks": np.ones((40, 136), np.float32),
    }
    cut = layouts.LAYOUTS["dvlog"].arrays(streams(36), Settings())
    assert {len(array) for array in cut.values()} == {36}


def test_the_voice_of_daicwoz(tmp_path):
    media = recordings.write(tmp_path / "300_AUDIO.wav", None, recordings.voice(3.0))
    other = recordings.write(tmp_path / "mine.wav", None, recordings.voice(3.0))
    out = tmp_path / "corpus"
    outcome = extract(
        [media, other], out, Settings(like="daicwoz"), workers=1, skip_bad=True, log=str
    )
    assert outcome.extracted == ["300"]
    assert "its face files hold points in space" in outcome.faults[0].detail
    found = npy.read(out / "300_P" / "300_EGEMAPS.npy", out, (None, 25))
    assert 290 <= len(found) <= 300


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    top = tmp_path_factory.mktemp("encoders")
    speech = tiny_speech(top / "hubert", kind="hubert")
    return {
        "speech_encoder": str(speech),
        "image_encoder": str(tiny_images(top / "vit", kind="vit")),
    }


def test_encoders_of_another_width_are_refused(encoders, tmp_path):
    settings = Settings(like="avec2014", partition="training", without_gaze=True, **encoders)
    with pytest.raises(UserError, match=r"hubert has 12 features; avec2014 is read with 1024"):
        extract([tmp_path / "1_1_Freeform.mp4"], tmp_path / "out", settings, workers=1, log=str)


@pytest.mark.slow
def test_files_of_avec_are_what_its_builder_reads(encoders, tmp_path, talking, monkeypatch):
    narrow = {"images": 12, "speech": 12}  # the real models are large
    changed = replace(layouts.LAYOUTS["avec2014"], widths=narrow)
    monkeypatch.setitem(layouts.LAYOUTS, "avec2014", changed)
    media = tmp_path / "203_1_Freeform_video.mkv"
    media.write_bytes(talking.read_bytes())
    settings = Settings(like="avec2014", partition="training", without_gaze=True, **encoders)
    out = tmp_path / "corpus"
    extract([media], out, settings, workers=1, log=str)
    files = {p.name: p for p in (out / "features" / "training").glob("*.npy")}
    shapes = {name: np.load(path).shape for name, path in files.items()}
    assert shapes == {
        "203_1_Freeform_visual.npy": (6, 12),
        "203_1_Freeform_acoustic.npy": (299, 12),
        "203_1_Freeform_pose.npy": (6, 12),
    }
    pose = np.load(files["203_1_Freeform_pose.npy"])
    assert (pose[:, 6:] == 0).all()
    assert (pose[:, 2] > 200).all()
    path = out / "features" / "training" / "203_1_Freeform_extraction.json"
    note = json.loads(path.read_text())
    assert note["recipe"]["without_gaze"] is True
    assert note["recipe"]["image_encoder"]["name"] == "vit"


@pytest.mark.slow
def test_any_streams_in_folders(encoders, tmp_path, talking):
    streams = ("acoustic", "functionals", "landmarks", "pose", "speech", "images")
    settings = Settings(like="folder", streams=streams, rate=2.0, frames=2, **encoders)
    extract([talking], tmp_path, settings, workers=1, log=str)
    shapes = {p.parent.name: np.load(p).shape for p in tmp_path.rglob("*.npy")}
    assert shapes == {
        "acoustic": (12, 25),
        "functionals": (1, 88),
        "landmarks": (12, 136),
        "landmarks_mask": (12,),
        "pose": (12, 6),
        "pose_mask": (12,),
        "speech": (12, 12),
        "images": (12, 12),
        "images_mask": (12,),
    }
    assert (tmp_path / "extraction" / "anna.json").is_file()


def test_whole_frames_need_no_face(encoders, tmp_path):
    blank = lambda time: np.full((48, 64, 3), round(20 * time), np.uint8)
    media = recordings.write(tmp_path / "a.mkv", blank, None, 3.0)
    settings = Settings(
        like="folder",
        streams=("images",),
        image_region="frame",
        image_encoder=encoders["image_encoder"],
    )
    arrays = recording.extract_file(media, settings)
    assert arrays["images"].shape == (3, 12)
    assert arrays["images_mask"].all()
    encoder = deep.images(encoders["image_encoder"], -1, "mean")
    expected = encoder.encode([blank(time) for time in (0.5, 1.5, 2.5)])
    np.testing.assert_allclose(arrays["images"], expected, atol=1e-5)
    with pytest.raises(UserError, match="no face"):
        recording.extract_file(media, replace(settings, image_region="face"))


def test_sound_and_pictures_that_differ_by_more_than_a_little_are_a_fault(encoders, tmp_path):
    """At a row a second by five rows, in every layout; other faults are named as well."""
    blank = lambda time: np.full((48, 64, 3), 99, np.uint8)
    media = [  # in a container whose tracks have lengths of their own
        recordings.write(tmp_path / f"{s}.mp4", blank, recordings.voice(s), 3.0, lossless=False)
        for s in (7.5, 8.5)
    ]
    settings = Settings(
        like="folder",
        streams=("acoustic", "images"),
        image_region="frame",
        image_encoder=encoders["image_encoder"],
    )
    arrays = recording.extract_file(media[0], settings)
    assert (len(arrays["acoustic"]), len(arrays["images"])) == (7, 3)
    differ = r"(?s)lengths differ \(1\):.*: 8\.5\d* s of sound, 3 s of pictures"
    with pytest.raises(UserError, match=differ):
        recording.extract_file(media[1], settings)
    with pytest.raises(UserError, match=differ + ".*no face"):
        recording.extract_file(media[1])


def test_words_are_a_table(tmp_path, monkeypatch):
    """The recogniser's sentences, in seconds; empty ones and missing times are mended."""
    chunks = [(0.0, 1.5, " I am fine."), (1.5, 1.7, "  "), (1.7, None, " Quite,\nyes.")]
    records = as_records(chunks, 3.0)
    assert records.tolist() == [(0.0, 1.5, "I am fine."), (1.7, 3.0, "Quite, yes.")]
    job._write(tmp_path / "words" / "anna", records)
    assert (tmp_path / "words" / "anna.csv").read_text() == (
        'start,stop,text\n0.0,1.5,I am fine.\n1.7,3.0,"Quite, yes."\n'
    )
    assert len(as_records([], 3.0)) == 0


def test_models_are_told_apart_by_their_weights(encoders, tmp_path):
    name = encoders["speech_encoder"]
    settings = Settings(like="folder", streams=("speech",), speech_encoder=name)
    first = models.identities(layouts.resolve(settings))
    other = tiny_speech(tmp_path / "hubert", seed=1, kind="hubert")
    second = models.identities(layouts.resolve(replace(settings, speech_encoder=str(other))))
    assert first["speech_encoder"]["name"] == second["speech_encoder"]["name"] == "hubert"
    assert first != second
    assert str(tmp_path) not in json.dumps(second)


def test_faults_of_one_recording_are_collected(tmp_path):
    faults = Faults()
    arrays, _ = recording.arrays_and_facts(
        tmp_path / "none.mkv", layouts.resolve(Settings()), faults
    )
    assert (arrays, [fault.kind for fault in faults.found]) == ({}, ["missing file"])
