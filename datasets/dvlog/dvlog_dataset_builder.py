"""TFDS builder of D-Vlog."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.dvlog import raw

_LAYOUT = """\
  labels.csv                               video_id,label,duration,gender,fold, and columns
                                           of your own
  <video_id>/<video_id>_acoustic.npy       float [T, 25], one row per second
  <video_id>/<video_id>_visual.npy         float [T, 136]
The authors distribute these features on request (Yoon et al., AAAI 2022).
To generate a synthetic corpus instead: jaxdep synthesize dvlog DIR"""


class Builder(ManualBuilder):
    """Voice and face of vlogs, one frame per second, with the label depression or normal."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.2.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "First release.",
        "1.1.0": "The gender of the speaker is an attribute.",
        "1.2.0": "The duration, and further columns of labels.csv, are attributes.",
    }
    MANUAL_DOWNLOAD_INSTRUCTIONS = _LAYOUT
    LAYOUT = _LAYOUT
    PUBLISHED = raw.SPLITS
    MEASURES: ClassVar[Mapping[str, str]] = {"depression": "depression in a vlog, annotated"}
    LABEL_SOURCE = "depression as annotated by the authors of the corpus from the content of a vlog"

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Returns two sequences of equal length and the label."""
        frames = {
            name: tfds.features.Tensor(shape=(None, width), dtype=np.float32, encoding="bytes")
            for name, width in raw.WIDTHS.items()
        }
        label = tfds.features.ClassLabel(names=list(raw.LABELS))
        return {**frames, "depression": label}

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and collects all faults."""
        return raw.scan(folder)

    @classmethod
    def recordings(cls, path: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads the arrays of all vlogs in a folder."""
        return raw.recordings(path)
