"""Computes the streams of features of one recording, each file being decoded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.errors import BadFileError, Faults
from jaxdep.extract import face, media, voice
from jaxdep.extract.settings import Settings

FEWEST_FACES = 0.5
"""Smallest share of the rows that must show a face."""


@dataclass
class Streams:
    """Features of one recording.

    Attributes:
      arrays: rows of each stream, `[T, width]` float32; NaN where nothing was found.
      facts: what was found in the file, for the provenance.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def compute(path: Path, names: Sequence[str], settings: Settings, faults: Faults) -> Streams:
    """Computes streams of a recording.

    Args:
      path: the media file.
      names: any of `acoustic` (the 25 descriptors of eGeMAPS) and `landmarks` (68 x in pixels from
        the left, then 68 y from the top).
      settings: settings of the extraction.
      faults: receives all faults of the file.
    """
    found = Streams()
    parts: list[tuple[set[str], Callable[[Path, Settings, Streams], None]]] = [
        ({"acoustic"}, _sound),
        ({"landmarks"}, _pictures),
    ]
    for provided, part in parts:
        if provided & set(names):
            try:
                part(path, settings, found)
            except BadFileError as error:
                if (error.kind, error.detail) not in {(f.kind, f.detail) for f in faults.found}:
                    faults.add_file(error, path, str(path))
    return found


def _sound(path: Path, settings: Settings, found: Streams) -> None:
    samples = media.audio(path, voice.RATE)
    found.facts["audio_seconds"] = round(len(samples) / voice.RATE, 3)
    found.arrays["acoustic"] = voice.descriptors(samples, settings.rate)


def _pictures(path: Path, settings: Settings, found: Streams) -> None:
    tracker = face.FaceTracker(face.predictor_file(settings.predictor), settings.detect_every)
    points, shape = [], None
    for frame in media.frames(path, settings.rate * settings.frames):
        seen = tracker(frame)
        shape = shape if frame.image is None else frame.image.shape
        points.append(np.full((face.POINTS, 2), np.nan) if seen is None else seen.points)
    if len(points) < settings.frames:
        detail = f"the video lasts less than {1 / settings.rate:g} s, the length of a row"
        raise BadFileError("too short", detail)
    rows = mean_of_found(np.stack(points), settings.frames)
    share = float(np.isfinite(rows[:, 0, 0]).mean())
    assert shape is not None
    found.facts |= {
        "video_seconds": round(len(points) / settings.frames / settings.rate, 3),
        "width": shape[1],
        "height": shape[0],
        "face_share": round(share, 4),
    }
    if share < FEWEST_FACES:
        shown = round(share * len(rows))
        raise BadFileError("no face", f"a face in {shown} of {len(rows)} rows; half are needed")
    found.arrays["landmarks"] = np.concatenate([rows[..., 0], rows[..., 1]], 1).astype(np.float32)


def mean_of_found(values: np.ndarray, size: int) -> np.ndarray:
    """Averages every `size` consecutive entries, leaving out those that are NaN.

    Args:
      values: [N, ...]; an entry is NaN throughout, or nowhere.
      size: entries for each row; what remains at the end is dropped.

    Returns:
      [N // size, ...]; NaN where all entries are.
    """
    number = len(values) // size
    groups = values[: number * size].reshape(number, size, *values.shape[1:])
    there = np.isfinite(groups)
    counts = there.sum(1)
    sums = np.where(there, groups, 0).sum(1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
