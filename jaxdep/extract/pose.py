"""Head pose from landmarks: the rigid motion of a generic head that explains their positions."""

from __future__ import annotations

import numpy as np

from jaxdep.extract.packages import load

WIDTH = 6
"""Tx, Ty, Tz in millimetres and Rx, Ry, Rz in radians."""

POINTS = {
    30: (0.0, 0.0, 0.0),  # tip of the nose
    8: (0.0, 66.0, 13.0),  # chin
    36: (-45.0, -34.0, 27.0),  # outer corner of the right eye, which is on the left of the picture
    45: (45.0, -34.0, 27.0),
    48: (-30.0, 30.0, 25.0),  # right corner of the mouth
    54: (30.0, 30.0, 25.0),
}
"""Landmark -> its place on a generic head that faces the camera, in millimetres.

The proportions are those of the six points that tutorials of OpenCV use, scaled to 90 mm between
the outer corners of the eyes. x points to the right of the picture, y downwards, z away from the
camera.
"""


def camera(width: int, height: int) -> np.ndarray:
    """Matrix of a pinhole camera whose lens is unknown, [3, 3].

    As OpenFace 2.0 assumes: 500 pixels of focal length for a picture of 640 x 480, and the optical
    axis in the middle.

    Args:
      width: of the picture, in pixels.
      height: of the picture, in pixels.
    """
    focal = (500 * width / 640 + 500 * height / 480) / 2
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])


def estimate(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """Estimates the pose of a head, by SQPnP (Terzakis and Lourakis, 2020) and Levenberg-Marquardt.

    Distances are as uncertain as the size of the head and the lens: they tell changes of one
    recording, not where a person is.

    Args:
      points: [68, 2], landmarks in pixels.
      width: of the picture, in pixels.
      height: of the picture, in pixels.

    Returns:
      [6] float64. The first three values are the tip of the nose in the camera's coordinates, in
      millimetres. The others are the angles in radians of `R = Rx Ry Rz`, as in OpenFace: positive
      about x looks down, about y to the left of the picture, and about z leans clockwise. All are 0
      for a face that looks along the axis of the camera.
    """
    from scipy.spatial.transform import Rotation  # late: every command would wait for it

    cv2 = load("cv2")
    head = np.array(list(POINTS.values()))
    seen = np.ascontiguousarray(points[list(POINTS)], dtype=np.float64)
    matrix = camera(width, height)
    _, turn, shift = cv2.solvePnP(head, seen, matrix, None, flags=cv2.SOLVEPNP_SQPNP)
    turn, shift = cv2.solvePnPRefineLM(head, seen, matrix, None, turn, shift)
    angles = Rotation.from_rotvec(turn.ravel()).as_euler("XYZ")
    return np.concatenate([shift.ravel(), angles])
