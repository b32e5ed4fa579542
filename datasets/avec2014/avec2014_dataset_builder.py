"""TFDS builder of AVEC2014."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep import severity
from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.avec2014 import raw

LAYOUT = """\
  **/<subject>_<session>_Depression.csv            the BDI-II total, one bare number
  features/<partition>/<recording>_visual.npy      float [T, 2048], of ResNet-50
  features/<partition>/<recording>_acoustic.npy    float [T, 1024], of HuBERT-large, 50 a second
  features/<partition>/<recording>_pose.npy        float [T, 12], head pose and gaze of OpenFace
with partitions training, development, testing; a recording is <subject>_<session>{task}.
The corpus is given under an agreement by its authors; features are your own extraction.
Without them: jaxdep synthesize {name} DIR"""


class Builder(ManualBuilder):
    """Face, voice and head of people who read a fable or answer questions; BDI-II score 0-63."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.2.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "First release.",
        "1.1.0": "Categories of severity.",
        "1.2.0": "A binary label.",
    }
    LAYOUT = LAYOUT.format(name="avec2014", task="_<Northwind|Freeform>")
    MANUAL_DOWNLOAD_INSTRUCTIONS = LAYOUT
    OPTIONS: ClassVar[Mapping[str, Any]] = {"strict_subjects": False}
    PUBLISHED: ClassVar[Mapping[str, int]] = dict.fromkeys(raw.PARTITIONS, 100)
    LABEL_SOURCE = "the total that the recorded people scored in the BDI-II questionnaire"
    TASKS: ClassVar[tuple[str, ...]] = raw.TASKS

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Three sequences of their own lengths, the score and its categories, and the session."""
        frames = {
            name: tfds.features.Tensor(shape=(None, width), dtype=np.float32, encoding="bytes")
            for name, width in raw.WIDTHS.items()
        }
        return {
            **frames,
            "depression": tfds.features.Scalar(dtype=np.float32),
            "severity": tfds.features.ClassLabel(names=list(severity.NAMES)),
            "depressed": tfds.features.ClassLabel(names=["minimal", "mild or more"]),
            "session": tfds.features.Text(),
        }

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and reports all faults."""
        sessions = cls.PUBLISHED["training"] // max(len(cls.TASKS), 1)
        return raw.scan(folder, cls.TASKS, sessions, options["strict_subjects"])
