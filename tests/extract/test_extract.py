"""Whole extractions: from media files to a prepared corpus, faults together, and going on."""

import json
import subprocess
import sys

import numpy as np
import opensmile
import pytest
import recordings

from jaxdep.data.preparation import prepare
from jaxdep.errors import UserError
from jaxdep.extract import Settings, extract, extract_file, job
from jaxdep.extract.face import TERMS, predictor_file
from jaxdep.extract.packages import load

dlib = load("dlib")


def shutter(time):
    """A face that is covered in the third and fourth of six seconds."""
    image = recordings.moved(recordings.astronaut(), time)
    return np.full_like(image, 128) if 2 <= time < 4 else image


@pytest.fixture(scope="module")
def covered(tmp_path_factory):
    path = tmp_path_factory.mktemp("covered") / "bert.mkv"
    return recordings.write(path, shutter, recordings.voice(6.0, seed=1), 6.0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, talking, covered):
    """Two recordings in the layout of D-Vlog, and the messages."""
    out, messages = tmp_path_factory.mktemp("out") / "dvlog", []
    extract([talking, covered], out, workers=1, log=messages.append)
    return out, messages


def test_files_are_those_of_dvlog(corpus):
    out, messages = corpus
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*.*")) == [
        f"{name}/{name}_{part}"
        for name in ("anna", "bert")
        for part in ("acoustic.npy", "extraction.json", "visual.npy", "visual_mask.npy")
    ]
    assert np.load(out / "anna" / "anna_acoustic.npy").shape == (6, 25)
    assert np.load(out / "anna" / "anna_visual.npy").shape == (6, 136)
    assert messages == [TERMS]


def test_values_are_those_of_the_tools(corpus, talking):
    arrays = extract_file(talking)
    level = opensmile.FeatureLevel.LowLevelDescriptors
    features = opensmile.FeatureSet.eGeMAPSv02
    smile = opensmile.Smile(feature_set=features, feature_level=level)
    rounded = np.round(recordings.voice(6.0) * 32768) / 32768  # as the file holds them
    table = smile.process_signal(rounded.astype(np.float32), 16_000).to_numpy()
    first = table[:100].mean(0)
    np.testing.assert_allclose(arrays["acoustic"][0], first, rtol=0.02, atol=0.01)

    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(predictor_file(None)))
    for second in range(6):
        image = recordings.moved(recordings.astronaut(), second + 0.5)
        boxes, scores, _ = detector.run(image, 0, 0.0)
        shape = predictor(image, boxes[int(np.argmax(scores))])
        expected = [p.x for p in shape.parts()] + [p.y for p in shape.parts()]
        np.testing.assert_array_equal(arrays["visual"][second], expected)


def test_the_files_hold_what_extract_file_returns(corpus, talking):
    out, _ = corpus
    for name, array in extract_file(talking).items():
        np.testing.assert_array_equal(np.load(out / "anna" / f"anna_{name}.npy"), array)


def test_a_covered_face_is_a_gap(corpus):
    out, _ = corpus
    mask = np.load(out / "bert" / "bert_visual_mask.npy")
    visual = np.load(out / "bert" / "bert_visual.npy")
    assert mask.tolist() == [True, True, False, False, True, True]
    assert (visual[~mask] == 0).all()
    assert (visual[mask] > 0).all()


def test_the_provenance_says_how(corpus, talking):
    out, _ = corpus
    text = (out / "anna" / "anna_extraction.json").read_text()
    found = json.loads(text)
    assert found["media"]["name"] == "anna.mkv"
    assert len(found["media"]["sha256"]) == 64
    assert found["media"]["audio_seconds"] == found["media"]["video_seconds"] == 6.0
    assert found["media"]["face_share"] == 1.0
    assert found["recipe"]["rate"] == 1.0
    assert found["recipe"]["predictor"]["name"] == "shape_predictor_68_face_landmarks.dat"
    assert {"jaxdep", "av", "opensmile", "dlib-bin"} <= found["versions"].keys()
    assert found["arrays"] == {"acoustic": [6, 25], "visual": [6, 136], "visual_mask": [6]}
    assert str(talking.parent) not in text


def test_finished_recordings_are_kept_and_others_are_made_again(corpus, talking, monkeypatch):
    out, _ = corpus
    made = []
    compute = job.arrays_and_facts
    monkeypatch.setattr(
        job, "arrays_and_facts", lambda path, *rest: made.append(path.stem) or compute(path, *rest)
    )
    again = lambda **other: extract([talking], out, Settings(**other), workers=1, log=str)
    assert (again().kept, made) == (["anna"], [])
    note = out / "anna" / "anna_extraction.json"
    note.write_text(note.read_text()[:-20])  # as if another program had cut it
    assert (again().extracted, made) == (["anna"], ["anna"])
    assert (again().kept, made) == (["anna"], ["anna"])
    assert again(rate=2.0).extracted == ["anna"]
    assert np.load(out / "anna" / "anna_visual.npy").shape == (12, 136)
    assert again().extracted == ["anna"]


def test_an_interrupted_one_is_made_again(corpus, talking, monkeypatch, tmp_path):
    """Killed between the files of a recording, it has no provenance, and the next time is whole."""
    write = job.write_json
    monkeypatch.setattr(job, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        extract([talking], tmp_path, workers=1, log=str)
    assert not list(tmp_path.rglob("*.json"))
    monkeypatch.setattr(job, "write_json", write)
    assert extract([talking], tmp_path, workers=1, log=str).extracted == ["anna"]


@pytest.fixture
def bad(tmp_path, talking):
    """A folder with one good recording and five faulty ones."""
    folder = tmp_path / "media"
    folder.mkdir()
    blank = lambda time: np.full((64, 64, 3), 99, np.uint8)
    recordings.write(folder / "faceless.mkv", blank, recordings.voice(3.0), 3.0)
    recordings.write(folder / "dumb.mkv", blank, None, 3.0)
    recordings.write(folder / "heard.wav", None, recordings.voice(3.0))
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("no media " * 99)
    (folder / "good.mkv").write_bytes(talking.read_bytes())
    return folder


def test_all_faults_are_reported_together_and_leave_nothing(bad, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(UserError) as error:
        extract([bad, bad / "none.mkv"], out, workers=1, log=str)
    message = str(error.value)
    for line in (
        "no face (2):",
        "faceless.mkv: a face in 0 of 3 rows; half are needed",
        "no audio track (1):",
        "no video track (1):",
        "zero length (1):",
        "empty.mp4: an empty file",
        "corrupt file (1):",
        "missing file (1):",
        "none.mkv",
        "--skip-bad",
    ):
        assert line in message
    assert message.count("dumb.mkv") == 2  # without a voice and without a face
    assert [path.name for path in out.iterdir()] == ["good"]

    messages = []
    outcome = extract([bad], out, workers=1, skip_bad=True, log=messages.append)
    assert outcome.kept == ["good"]
    assert "5 recordings were left out (--skip-bad):" in messages
    assert not [path for path in out.rglob("*") if path.suffix == ".part"]


def test_one_file_s_faults_are_all_named(bad):
    with pytest.raises(UserError, match=r"(?s)no audio track.*no face"):
        extract_file(bad / "dumb.mkv")


def test_ids_are_names_and_unique(tmp_path, talking):
    other = tmp_path / "anna.mp4"
    other.write_bytes(talking.read_bytes())
    with pytest.raises(UserError, match=r"duplicate id.*\n.*anna is also the id of"):
        extract([talking, other], tmp_path / "out", workers=1, log=str)


def test_settings_are_checked():
    with pytest.raises(UserError, match=r"Settings\.rate=0.*expected"):
        Settings(rate=0)
    with pytest.raises(UserError, match=r"Settings\.like=dvlg: expected dvlog, avec2013"):
        Settings(like="dvlg")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="no media files"):
        extract([], "out")


def test_a_missing_package_is_one_message(talking, tmp_path, monkeypatch):
    from jaxdep.extract import packages

    packages._import.cache_clear()
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'jaxdep\[extract\]'"):
        extract([talking], tmp_path, workers=1, log=str)


def test_importing_jaxdep_imports_none_of_the_packages():
    code = (
        "import sys, jaxdep, jaxdep.cli.main, jaxdep.extract;"
        "print(sorted(set(sys.modules) & {'av', 'opensmile', 'dlib', 'cv2', 'torch'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_command_then_prepare(tmp_path, talking, covered):
    out = tmp_path / "dvlog"
    command = [sys.executable, "-m", "jaxdep", "extract", talking, covered, "--like", "dvlog"]
    command += ["--out", out, "--workers", "2"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "iBUG 300-W, whose licence excludes commercial use" in done.stdout
    assert "recording 2/2" in done.stdout
    assert "features of 2 recordings" in done.stdout
    assert "add labels.csv (video_id,label,duration,gender,fold)" in done.stdout
    (out / "labels.csv").write_text(
        "video_id,label,duration,gender,fold\nanna,depression,6,f,train\nbert,normal,6,m,train\n"
    )
    folder = prepare("dvlog", out, data_dir=tmp_path / "data")
    assert json.loads((folder / "corpus.json").read_text())["skipped"] == []

    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"")
    command = [sys.executable, "-m", "jaxdep", "extract", bad, "--out", out]
    failed = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert failed.returncode == 2
    assert "zero length" in failed.stderr
    assert "Traceback" not in failed.stderr
