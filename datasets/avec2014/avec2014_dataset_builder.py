"""TFDS builder of AVEC2014."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.avec2014 import raw
from jaxdep.scales import bdi

LAYOUT = """\
  **/<subject>_<session>_Depression.csv            the BDI-II total, a single number
  features/<partition>/<recording>_visual.npy      float [T, 2048], ResNet-50
  features/<partition>/<recording>_acoustic.npy    float [T, 1024], HuBERT-large, 50 rows per second
  features/<partition>/<recording>_pose.npy        float [T, 12], OpenFace head pose and gaze
  subjects.csv                                     subject,gender and columns of your own; optional
<partition> is training, development or testing; <recording> is <subject>_<session>{task}.
The corpus itself says nothing of the subjects: subjects.csv states what analyses of subgroups need.
The authors distribute the corpus under an agreement; the features are extracted by the user.
To generate a synthetic corpus instead: jaxdep synthesize {name} DIR"""


class Builder(ManualBuilder):
    """Face, voice and head pose of subjects reading or answering questions; BDI-II score 0-63."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.3.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "First release.",
        "1.1.0": "Added severity categories.",
        "1.2.0": "Added a binary label.",
        "1.3.0": "Added subjects, tasks, and what subjects.csv says of the subjects.",
    }
    LAYOUT = LAYOUT.format(name="avec2014", task="_<Northwind|Freeform>")
    MANUAL_DOWNLOAD_INSTRUCTIONS = LAYOUT
    OPTIONS: ClassVar[raw.Settings] = raw.Settings()
    PUBLISHED: ClassVar[Mapping[str, int]] = dict.fromkeys(raw.PARTITIONS, 100)
    TRAIN = raw.PARTITIONS[0]
    TEST = ("testing",)
    MEASURES: ClassVar[Mapping[str, str]] = {
        "depression": "BDI-II total",
        "severity": "category of the BDI-II total",
        "depressed": "BDI-II total of 14 or more",
    }
    PEOPLE = "AVEC"
    LABEL_SOURCE = "self-reported BDI-II total score"
    TASKS: ClassVar[tuple[str, ...]] = raw.TASKS

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Three sequences of different lengths, the score, its categories and the session."""
        frames = {
            name: tfds.features.Tensor(shape=(None, width), dtype=np.float32, encoding="bytes")
            for name, width in raw.WIDTHS.items()
        }
        return {
            **frames,
            "depression": tfds.features.Scalar(dtype=np.float32),
            "severity": tfds.features.ClassLabel(names=list(bdi.NAMES)),
            "depressed": tfds.features.ClassLabel(names=["minimal", "mild or more"]),
            "session": tfds.features.Text(),
        }

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and collects all faults."""
        sessions = cls.PUBLISHED["training"] // max(len(cls.TASKS), 1)
        return raw.scan(folder, cls.TASKS, sessions, options["strict_subjects"])

    @classmethod
    def recordings(cls, path: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads the arrays of all recordings in a folder."""
        return raw.recordings(path)
