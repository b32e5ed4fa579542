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
    """Voice, face and words of patients in clinical interviews, sentence by sentence; HAMD."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    LAYOUT = """\
  label.xlsx               sheet hamd with columns id and all, the HAMD total
  train_set, test_set      one id in each line
  audio_png/<id>.png       grey, 513 rows: the spectrogram's bins; 172 columns a second
  face3d/<id>.txt          header; by commas: 1 leading column and 204, 30 rows a second
  text/text.ark            Kaldi archive: a matrix [sentences, 768] of each id
  txt_csv/<id>.csv         by tabs: speaker start_time stop_time; mm:ss; the patient is 患者
The corpus is a hospital's and private.
Without it: jaxdep synthesize mmd2023 DIR"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = LAYOUT
    PUBLISHED: ClassVar[Mapping[str, int]] = labels.PUBLISHED
    LABEL_SOURCE = "the total of the Hamilton scale that a clinician filled in, from 8 on"
    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "max_sentences": 0,
        "cut": "paper",
        "fix_audio_start": False,
        "absolute_time": False,
        "normalize": True,
        "hamd_from": 8,
        "acoustic_rate": 172.0,
        "visual_rate": 30.0,
        "legacy_channel_order": False,
    }
    """Options: how many sentences at most (0: all); cut by their own times, each interview's
    features standardised or not, or as the published loader and network have them (`paper`,
    `released`), two of whose faults can be mended (`data.dialogue.released_windows`) and a third
    made again (`legacy_channel_order`); the least HAMD total that counts as depressed; rows a
    second."""

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Leaves the scaling to the published loader where that is followed."""
        interviews.refuse_unknown("mmd2023", options)
        released = options["cut"] == "released"
        if options["legacy_channel_order"] and not released:
            raise UserError("mmd2023: legacy_channel_order=True needs cut=released")
        return {**options, "normalize": options["normalize"] and not released}

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Three streams, where their sentences are, the label and the total."""
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
        """Reads every file once and reports all faults."""
        return raw.scan(folder, raw.Settings(**options))
