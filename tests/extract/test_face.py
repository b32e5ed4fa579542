"""Landmarks: dlib's own positions, tracking between detections, and gaps that stay gaps."""

import numpy as np
import pytest
import recordings

from jaxdep.errors import UserError
from jaxdep.extract import face
from jaxdep.extract.media import Frame
from jaxdep.extract.packages import load
from jaxdep.extract.pooling import of_found

dlib = load("dlib")
PREDICTOR = face.predictor_file(None)


@pytest.fixture(scope="module")
def direct():
    """The photograph's landmarks by dlib alone, [68, 2]."""
    image = recordings.astronaut()
    [box] = dlib.get_frontal_face_detector()(image, 0)[:1]
    shape = dlib.shape_predictor(str(PREDICTOR))(image, box)
    return np.array([(part.x, part.y) for part in shape.parts()])


@pytest.fixture
def tracker():
    return face.FaceTracker(PREDICTOR, detect_every=1.0)


def test_landmarks_are_those_of_dlib(tracker, direct):
    found = tracker(Frame(0.0, recordings.astronaut()))
    np.testing.assert_array_equal(found.points, direct)
    # Where a person sees them in the photograph: tip of the nose, chin, corners of the eyes.
    assert np.abs(found.points[30] - (224, 128)).max() < 12
    assert found.points[8, 1] > found.points[57, 1] > found.points[33, 1] > found.points[27, 1]
    assert found.points[36, 0] < found.points[39, 0] < found.points[42, 0] < found.points[45, 0]


def test_of_several_faces_the_largest_is_taken(tracker, direct):
    image = np.full((512, 900, 3), 90, np.uint8)
    small = recordings.astronaut(384)
    image[:384, :384] = small
    image[:, 388:] = recordings.astronaut()
    found = tracker(Frame(0.0, image))
    assert np.abs(found.points - (direct + np.array([388, 0]))).mean() < 4


def test_large_pictures_have_landmarks_in_their_own_pixels(tracker, direct):
    found = tracker(Frame(0.0, np.repeat(np.repeat(recordings.astronaut(), 3, 0), 3, 1)))
    assert np.abs(found.points - 3 * direct).mean() < 12


def test_between_detections_the_face_is_followed(tracker, direct, monkeypatch):
    times = np.arange(0, 1.0, 0.1)
    image = recordings.astronaut()
    tracker(Frame(0.0, recordings.moved(image, 0.0)))
    monkeypatch.setattr(tracker, "_detected", lambda image: None)
    for time in times[1:]:
        angle = 2 * np.pi * time / 4
        shift = (round(20 * np.cos(angle)), round(20 * np.sin(angle)))
        found = tracker(Frame(time, recordings.moved(image, time)))
        assert np.abs(found.points - direct - shift).mean() < 3
    assert tracker(Frame(1.0, image)) is None  # after a second, the detector is asked


def test_without_a_face_there_is_none_and_it_is_searched_again(tracker):
    blank = np.full((512, 512, 3), 120, np.uint8)
    assert tracker(Frame(0.0, recordings.astronaut())) is not None
    assert tracker(Frame(0.1, blank)) is None
    assert tracker(Frame(0.2, recordings.astronaut())) is not None
    assert tracker(Frame(0.3, None)) is None


def test_means_leave_out_what_was_not_found():
    values = np.array([1.0, 3.0, np.nan, 5.0, np.nan, np.nan, 9.0])[:, None]
    np.testing.assert_array_equal(of_found(values, 2)[:, 0], [2.0, 5.0, np.nan])


def test_a_predictor_that_is_none(tmp_path):
    with pytest.raises(UserError, match=r"--predictor .*none\.dat: missing file; give dlib's"):
        face.predictor_file(str(tmp_path / "none.dat"))
    (tmp_path / "text.dat").write_text("nothing")
    with pytest.raises(UserError, match=r"text\.dat: not a predictor of dlib"):
        face.FaceTracker(tmp_path / "text.dat", 1.0)
    five = PREDICTOR.with_name("shape_predictor_5_face_landmarks.dat")
    with pytest.raises(UserError, match="it has 5 landmarks; 68 are needed"):
        face.FaceTracker(five, 1.0)(Frame(0.0, recordings.astronaut()))
