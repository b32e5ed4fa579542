"""TFDS builder of LMVD."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data import functionals
from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.lmvd import labels, raw

_LAYOUT = """\
  Audio_feature/<id>.npy                   VGGish embeddings, float [T, 128], about one per second
  Video_feature/<id>.csv                   OpenFace's table with a header, 30 rows per second
  label/<id>_Depression.csv                one cell, 0 or 1
  labels.csv                               optional, index,label,fold: splits train, valid
                                           and test; without it, 7:1:2 from split_seed
Ids are texts: a leading zero is part of one.
The authors distribute the features (He et al., 2024): https://figshare.com/articles/dataset/LMVD/25698351
To generate a synthetic corpus instead: jaxdep synthesize lmvd DIR"""


class Builder(ManualBuilder):
    """Voice and face of vlogs, one frame per second, with the label depression or normal."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = _LAYOUT
    LAYOUT = _LAYOUT
    MEASURES: ClassVar[Mapping[str, str]] = {"depression": "depression in a vlog, annotated"}
    LABEL_SOURCE = "depression as annotated by the authors of the corpus from the content of a vlog"
    OPTIONS: ClassVar[raw.Settings] = raw.Settings()

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Returns two sequences of equal length and the label.

        With `normalize`, also the functionals of the face before it was standardised.
        """
        settings = raw.Settings(**{**options, "face": tuple(options["face"])})
        widths = {"acoustic": raw.VGGISH, "visual": len(settings.columns)}
        frames = {
            name: tfds.features.Tensor(shape=(None, width), dtype=np.float32, encoding="bytes")
            for name, width in widths.items()
        }
        if settings.normalize == "recording":
            size = len(functionals.FUNCTIONALS) * widths["visual"]
            vector = tfds.features.Tensor(shape=(size,), dtype=np.float32)
            frames = {**frames, raw.FACE_FUNCTIONALS: vector}
        return {**frames, "depression": tfds.features.ClassLabel(names=list(labels.LABELS))}

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Checks the options."""
        raw.Settings(**options)
        return dict(options)

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and collects all faults."""
        return raw.scan(folder, raw.Settings(**options))

    @classmethod
    def recordings(cls, path: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads the vlogs in a folder of the corpus's layout, without labels."""
        return raw.recordings(path, raw.Settings(**options))
