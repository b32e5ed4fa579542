"""From a video to a prediction: features are extracted as for the corpus of the run."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import recordings

import jaxdep
from jaxdep.data.builder import ManualBuilder
from jaxdep.errors import UserError
from jaxdep.extract import extract
from jaxdep.inference import media


def quiet(line):
    pass


def command(*arguments):
    subprocess.run([sys.executable, "-m", "jaxdep", *map(str, arguments)], check=True)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Six seconds of a moving face with sound."""
    return recordings.talking(tmp_path_factory.mktemp("media") / "anna.mkv")


@pytest.mark.slow
def test_a_video_is_predicted_as_its_features(video, moved, tmp_path):
    model = jaxdep.load(moved[0])
    extract([video], tmp_path / "features", workers=1, log=quiet)
    features = model.read(tmp_path / "features", log=quiet)
    found = model.read(video, log=quiet)
    assert found.keys() == features.keys() == {"anna"}
    assert found["anna"]["acoustic"].shape == (6, 25)
    assert found["anna"]["visual"].shape == (6, 136)
    for name, array in features["anna"].items():
        np.testing.assert_array_equal(found["anna"][name], array)
    one, other = (model.predict(each).tasks["depression"].value for each in (found, features))
    np.testing.assert_array_equal(one, other)


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


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ("ewre", "cannot be extracted from videos: it has one face"),
        ("mgid", "cannot be extracted from videos: no extraction writes its files"),
        ("avec2014", "by jaxdep extract --like avec2014 --out DIR, and give DIR"),
    ],
)
def test_other_corpora_say_what_to_do(tmp_path, corpus, message):
    with pytest.raises(UserError, match=re.escape(message)):
        media.read([tmp_path / "x.mp4"], corpus, ManualBuilder, {}, quiet)
