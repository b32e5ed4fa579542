"""Head pose: known poses are found again, with the signs that are documented."""

import numpy as np
import pytest
import recordings
from scipy.spatial.transform import Rotation

from jaxdep.extract import face, pose
from jaxdep.extract.media import Frame


def seen(shift, angles, width=640, height=480):
    """Landmarks of the generic head in a pose, [68, 2]; those that are not used are zero."""
    head = np.array(list(pose.POINTS.values()))
    there = Rotation.from_euler("XYZ", angles).apply(head) + shift
    image = there @ pose.camera(width, height).T
    points = np.zeros((68, 2))
    points[list(pose.POINTS)] = image[:, :2] / image[:, 2:]
    return points


@pytest.mark.parametrize(
    ("shift", "angles"),
    [
        ((0, 0, 600), (0, 0, 0)),
        ((100, -50, 800), (0.2, -0.3, 0.1)),
        ((-80, 40, 400), (-0.35, 0.5, -0.4)),
    ],
)
@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (480, 854)])
def test_a_known_pose_is_found_again(shift, angles, size):
    found = pose.estimate(seen(shift, angles, *size), *size)
    np.testing.assert_allclose(found[:3], shift, atol=0.5)
    np.testing.assert_allclose(found[3:], angles, atol=1e-3)


def test_axes():
    """Right and downwards in the picture are positive, and a nearer head is larger."""
    straight = seen((0, 0, 500), (0, 0, 0))
    right = pose.estimate(straight + (20, 0), 640, 480)  # noqa: RUF005
    below = pose.estimate(straight + (0, 20), 640, 480)  # noqa: RUF005
    assert right[0] > 5
    assert below[1] > 5
    larger = pose.estimate((straight - (320, 240)) * 2 + (320, 240), 640, 480)
    assert larger[2] == pytest.approx(250, rel=0.05)
    wide = lambda points: points[45, 0] - points[36, 0]
    down = seen((0, 0, 500), (0.3, 0, 0))
    assert wide(down) > wide(straight)  # the eyes come nearer, and the chin goes away
    left = seen((0, 0, 500), (0, 0.3, 0))
    assert left[45, 0] - left[30, 0] > left[30, 0] - left[36, 0]  # the nose points to the left
    leaning = seen((0, 0, 500), (0, 0, 0.3))
    assert leaning[45, 1] > leaning[36, 1]


def test_a_photograph():
    """The astronaut looks at the camera, with her head bent to her right shoulder."""
    tracker = face.FaceTracker(face.predictor_file(None), 1.0)
    found = tracker(Frame(0.0, recordings.astronaut()))
    assert found is not None
    turned = pose.estimate(found.points, 512, 512)
    eyes = found.points[42:48].mean(0) - found.points[36:42].mean(0)
    assert turned[5] == pytest.approx(np.arctan2(eyes[1], eyes[0]), abs=0.12)
    assert abs(turned[4]) < 0.6
    assert 300 < turned[2] < 1000
