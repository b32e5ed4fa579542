"""TFDS builder of MMD2023."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data import interviews
from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.mmd2023 import labels, raw, streams
from jaxdep.errors import UserError


class Builder(ManualBuilder):
    """Voice, face and words of patients in clinical interviews, by sentence; HAMD."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "First release.",
        "1.1.0": "Added subjects, and what subjects.csv says of them.",
    }
    LAYOUT = """\
  label.xlsx               sheet hamd with columns id and all, the HAMD total
  train_set, test_set      one id per line
  audio_png/<id>.png       greyscale spectrogram, 513 rows (bins), 172 columns per second
  face3d/<id>.txt          comma-separated, header; 1 leading column and 204, 30 rows per second
  text/text.ark            Kaldi archive with a matrix [sentences, 768] for each id
  txt_csv/<id>.csv         tab-separated: speaker start_time stop_time; mm:ss; the patient is 患者
  subjects.csv             subject,gender and columns of your own, by id; optional
The corpus itself says nothing of the patients: subjects.csv states what analyses of subgroups need.
The corpus is private.
To generate a synthetic corpus instead: jaxdep synthesize mmd2023 DIR"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = LAYOUT
    PUBLISHED: ClassVar[Mapping[str, int]] = labels.PUBLISHED
    LABEL_SOURCE = "clinician-rated HAMD total score of 8 or more"
    OPTIONS: ClassVar[raw.Settings] = raw.Settings()

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Checks the options; `released` uses the scaling of the published loader instead."""
        released = options["cut"] == "released"
        if options["legacy_channel_order"] and not released:
            raise UserError("mmd2023: legacy_channel_order=True needs cut=released: set both")
        return {**options, "normalize": options["normalize"] and not released}

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Returns three streams, their sentence windows, the label and the total."""
        widths = {
            "acoustic": streams.ACOUSTIC,
            "visual": streams.VISUAL,
            "text": streams.EMBEDDING,
        }
        return {
            **interviews.features(widths, options["normalize"]),
            "hamd": tfds.features.Scalar(dtype=np.float32),
        }

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and collects all faults."""
        return raw.scan(folder, raw.Settings(**options))

    @classmethod
    def recordings(cls, path: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads the interviews in a folder of the corpus's layout, without labels and lists."""
        return raw.recordings(path, raw.Settings(**options))
