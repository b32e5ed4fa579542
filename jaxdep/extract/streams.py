"""Computes the streams of features of one recording, whose sound and pictures are decoded once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.errors import BadFileError, Faults
from jaxdep.extract import deep, face, media, pooling, pose, sentences, voice, words
from jaxdep.extract.settings import Settings

FEWEST_FACES = 0.5
"""Smallest share of the rows that must show a face."""

SLACK_ROWS, SLACK = 5, 0.05
"""Rows by which sound and pictures may differ, or share of the longer if that is more."""

SOUND = frozenset({"acoustic", "functionals", "speech", "words", "text"})
FACE = frozenset({"landmarks", "pose"})
PICTURES = FACE | {"images"}


@dataclass
class Streams:
    """Features of one recording.

    Attributes:
      arrays: rows of each stream, `[T, width]` float32, NaN where no face was found; and `words`,
        see `words.Recogniser`.
      facts: what was found in the file, for the provenance.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def needs_face(names: Collection[str], settings: Settings) -> bool:
    """Whether the streams are of a face, so that recordings without one are refused."""
    return bool(FACE & set(names)) or ("images" in names and settings.image_region == "face")


def compute(path: Path, names: Collection[str], settings: Settings, faults: Faults) -> Streams:
    """Computes streams of a recording.

    Args:
      path: the media file.
      names: any of

        - `acoustic` [T, 25], `functionals` [1, 88]: the voice, by openSMILE (`voice`);
        - `landmarks` [T, 136]: x of the 68 points in pixels from the left, then y from the top;
        - `pose` [T, 6]: place and angles of the head (`pose`);
        - `speech` [T, D], `images` [T, D]: hidden states of models (`deep`);
        - `words`: what is said, and when (`words`);
        - `text` [S, D], with `words` only: its sentences, embedded (`sentences`).
      settings: settings of the extraction, as `layouts.resolve` returns them.
      faults: receives all faults of the file.
    """
    found = Streams()
    parts: list[tuple[Collection[str], Callable[..., None]]] = [
        (SOUND, _sound),
        (PICTURES, _pictures),
    ]
    for provided, part in parts:
        if wanted := set(provided) & set(names):
            try:
                part(path, wanted, settings, found)
            except BadFileError as error:
                # A file that cannot be opened has the same fault for sound and pictures.
                if (error.kind, error.detail) not in {(f.kind, f.detail) for f in faults.found}:
                    faults.add_file(error, path, str(path))
    if problem := _difference(found.facts, settings):
        faults.add("lengths differ", path, problem, str(path))
    return found


def _difference(facts: Mapping[str, Any], settings: Settings) -> str:
    """How long sound and pictures last, if they are too different to belong together."""
    assert settings.rate is not None
    if not {"audio_seconds", "video_seconds"} <= facts.keys():
        return ""
    sound, pictures = facts["audio_seconds"], facts["video_seconds"]
    if abs(sound - pictures) <= max(SLACK_ROWS / settings.rate, SLACK * max(sound, pictures)):
        return ""
    return f"{sound:g} s of sound, {pictures:g} s of pictures"


def _sound(path: Path, names: set[str], settings: Settings, found: Streams) -> None:
    assert settings.rate is not None
    samples = media.audio(path, voice.RATE)
    found.facts["audio_seconds"] = round(len(samples) / voice.RATE, 3)
    if "acoustic" in names:
        found.arrays["acoustic"] = voice.descriptors(samples, settings.rate)
    if "functionals" in names:
        found.arrays["functionals"] = voice.functionals(samples)
    if "speech" in names:
        assert settings.speech_encoder is not None
        encoder = deep.speech(settings.speech_encoder, settings.speech_layer)
        found.arrays["speech"] = encoder.encode(samples, settings.speech_rate or settings.rate)
    if "words" in names:
        assert settings.recogniser is not None
        recogniser = words.recogniser(settings.recogniser, settings.language)
        found.arrays["words"] = recogniser.recognise(samples)
    if "text" in names:
        assert settings.text_encoder is not None
        encoder = sentences.encoder(settings.text_encoder)
        found.arrays["text"] = sentences.embed(found.arrays["words"], encoder)


def _pictures(path: Path, names: set[str], settings: Settings, found: Streams) -> None:
    assert settings.rate is not None
    followed, encoder = needs_face(names, settings), None
    locate = face.tracker(settings.predictor, settings.detect_every) if followed else None
    if "images" in names:
        assert settings.image_encoder is not None
        encoder = deep.images(settings.image_encoder, settings.image_layer, settings.image_pooling)
    there, points, poses, encoded, size = [], [], [], _Encoded(encoder), None
    for frame in media.frames(path, settings.rate * settings.frames):
        seen = locate(frame) if locate else None
        image = frame.image
        size = size if image is None else image.shape[1::-1]
        there.append(image is not None if locate is None else seen is not None)
        points.append(np.full((face.POINTS, 2), np.nan) if seen is None else seen.points)
        if "pose" in names:
            unknown = np.full(pose.WIDTH, np.nan)
            poses.append(pose.estimate(seen.points, *size) if seen and size else unknown)
        if encoder and image is not None and seen is not None:
            image = deep.crop(image, seen.points)
        encoded.add(image if there[-1] else None)
    if len(there) < settings.frames:
        detail = f"the video lasts less than {1 / settings.rate:g} s, the length of a row"
        raise BadFileError("too short", detail)
    assert size is not None
    rows = len(there) // settings.frames
    groups = np.array(there[: rows * settings.frames]).reshape(rows, -1).any(1)
    found.facts |= {
        "video_seconds": round(len(there) / settings.frames / settings.rate, 3),
        "width": size[0],
        "height": size[1],
    }
    if followed:
        found.facts["face_share"] = round(float(groups.mean()), 4)
        if groups.mean() < FEWEST_FACES:
            detail = f"a face in {groups.sum()} of {rows} rows; half are needed"
            raise BadFileError("no face", detail)
    means = lambda values: pooling.of_found(np.array(values), settings.frames).astype(np.float32)
    if "landmarks" in names:
        found.arrays["landmarks"] = np.concatenate(np.moveaxis(means(points), 2, 0), 1)
    if "pose" in names:
        found.arrays["pose"] = means(poses)
    if "images" in names:
        found.arrays["images"] = means(encoded.rows())


class _Encoded:
    """Features of pictures, which wait for a batch; NaN for those that are missing."""

    def __init__(self, encoder: deep.ImageEncoder | None):
        self._encoder = encoder
        self._waiting: list[np.ndarray] = []
        self._there: list[bool] = []
        self._found: list[np.ndarray] = []

    def add(self, image: np.ndarray | None) -> None:
        if self._encoder is None:
            return
        self._there.append(image is not None)
        if image is not None:
            self._waiting.append(image)
        if len(self._waiting) == deep.BATCH:
            self._encode()

    def rows(self) -> np.ndarray:
        assert self._encoder is not None
        if self._waiting:
            self._encode()
        rows = np.full((len(self._there), self._encoder.width), np.nan, np.float32)
        if self._found:
            rows[np.array(self._there)] = np.concatenate(self._found)
        return rows

    def _encode(self) -> None:
        assert self._encoder is not None
        self._found.append(self._encoder.encode(self._waiting))
        self._waiting = []
