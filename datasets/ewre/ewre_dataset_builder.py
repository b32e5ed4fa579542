"""TFDS builder of EWRE."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.ewre import raw

_LAYOUT = """\
  <train|val>/face/<stem>.npy      [224, 224, T], a grey map of the face at each of T words
  <train|val>/voice/<stem>.npy     [T, 1000]
  words.txt                        the words, one a line; optional
The 4th-last letter of a stem is D of a depressed reader, and anything else of another one.
EWRE is given on request by its authors (Ye et al., IEEE TCSVT 2025).
Without it: jaxdep synthesize ewre DIR"""


class Builder(ManualBuilder):
    """Face and voice at each word of a reading, with the label depressed or not."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = _LAYOUT
    LAYOUT = _LAYOUT
    LABEL_SOURCE = "the letter of the file's name; how readers were diagnosed is not documented"
    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "n_words": 24,  # the first ones that are kept
        "face_size": raw.SIZE,  # less: means over squares of pixels
        "faces": "",  # uint8 or float32; empty: as the files
    }

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Faces are bytes where all files hold bytes."""
        return {**options, "faces": options["faces"] or raw.format_of(folder)}

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """A flat face and a voice for each word, and the label."""
        tensor = lambda width, dtype: tfds.features.Tensor(
            shape=(None, width), dtype=dtype, encoding="bytes"
        )
        return {
            "visual": tensor(options["face_size"] ** 2, np.dtype(options["faces"])),
            "acoustic": tensor(raw.WIDTH, np.float32),
            "depression": tfds.features.ClassLabel(names=list(raw.LABELS)),
        }

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and reports all faults."""
        return raw.scan(folder, raw.Settings(**options))
