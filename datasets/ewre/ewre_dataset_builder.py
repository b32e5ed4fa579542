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
  <train|val>/face/<stem>.npy      [224, 224, T], a greyscale map of the face for each of T words
  <train|val>/voice/<stem>.npy     [T, 1000]
  words.txt                        the words, one per line; optional
  subjects.csv                     id,subject and columns of your own, by <stem>; optional
The fourth-to-last letter of <stem> is D if the reader is depressed, otherwise any other letter.
The authors distribute EWRE on request (Ye et al., IEEE TCSVT 2025).
To generate a synthetic corpus instead: jaxdep synthesize ewre DIR"""


class Builder(ManualBuilder):
    """Face and voice for each word that a subject reads aloud; depressed or healthy."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "First release.",
        "1.1.0": "An optional subjects.csv names the reader of each recording.",
    }
    MANUAL_DOWNLOAD_INSTRUCTIONS = _LAYOUT
    LAYOUT = _LAYOUT
    LABEL_SOURCE = "letter in the file name; the diagnostic procedure is not documented"
    OPTIONS: ClassVar[raw.Settings] = raw.Settings()

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Stores faces as uint8 by default if all files do."""
        return {**options, "faces": options["faces"] or raw.format_of(folder)}

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Returns flattened faces and voice features of each word, and the label."""
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
        """Reads every file once and collects all faults."""
        return raw.scan(folder, raw.Settings(**options))

    @classmethod
    def recordings(cls, path: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads the faces and voices in a folder."""
        return raw.recordings(path, raw.Settings(**options))
