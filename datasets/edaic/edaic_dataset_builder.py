"""TFDS builder of E-DAIC."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data import interviews, text
from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.daicwoz.raw import EMBEDDING
from jaxdep.datasets.edaic import layout, raw
from jaxdep.errors import UserError


class Builder(ManualBuilder):
    """Voice, face and words of people interviewed by a virtual agent, by sentence; PHQ-8."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "First release.",
        "1.1.0": "Columns of one's own in the split files are attributes.",
    }
    LAYOUT = """\
  <id>_P/<id>_Transcript.csv                             Start_Time,End_Time,Text,Confidence
  <id>_P/<id>_TEXT.npy                                   float [sentences, 768], optional, for your
                                                         own embeddings
  <id>_P/features/<id>_OpenSMILE2.3.0_egemaps.csv        semicolons; name, frameTime, descriptors
  <id>_P/features/<id>_OpenSMILE2.3.0_mfcc.csv           the same, for acoustic=mfcc
  <id>_P/features/<id>_OpenFace2.1.0_Pose_gaze_AUs.csv   commas; 4 leading columns and 49
  <id>_P/features/<id>_CNN_{ResNet,VGG}.mat              variable feature, for visual=resnet or vgg
  {train,dev,test}_split.csv                             Participant_ID,Gender,PHQ_Binary,PHQ_Score
The interviews may be in data/, their folders without _P, and the split files in labels/.
The corpus is distributed under an agreement: https://dcapswoz.ict.usc.edu
To generate a synthetic corpus instead: jaxdep synthesize edaic DIR"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = LAYOUT
    PUBLISHED: ClassVar[Mapping[str, int]] = raw.PUBLISHED
    MEASURES: ClassVar[Mapping[str, str]] = {
        "depression": "PHQ-8 total of 10 or more",
        "phq8": "PHQ-8 total",
    }
    PEOPLE = "DAIC"
    LABEL_SOURCE = "self-reported PHQ-8 total score of 10 or more"
    OPTIONS: ClassVar[raw.Settings] = raw.Settings()

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Checks the options, chooses the text encoder, and finds the widths of the streams."""
        encoder = options["text_encoder"]
        directories = layout.interviews(folder)
        own = any((path / f"{name}_TEXT.npy").exists() for name, path in directories.items())
        if not encoder and not own:
            encoder = text.DEFAULT
        if options["text_tokens"] and not encoder:
            raise UserError("edaic: text_tokens=True needs a text encoder: pass --text-encoder")
        if options["text_tokens"] and options["cut"] == "released":
            raise UserError(
                "edaic: cut='released' uses one embedding per sentence: set text_tokens=False"
            )
        widths = raw.found_widths(folder, raw.Settings(**options))
        return {**options, "text_encoder": encoder, **widths}

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Returns three streams, their sentence windows, the label and the score."""
        name = options["text_encoder"]
        widths = {
            "acoustic": options["acoustic_width"],
            "visual": options["visual_width"],
            "text": text.encoder(name).width if name else EMBEDDING,
        }
        return {
            **interviews.features(widths, options["normalize"]),
            "phq8": tfds.features.Scalar(dtype=np.float32),
        }

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and collects all faults."""
        name = options["text_encoder"]
        found = raw.scan(folder, raw.Settings(**options), text.embedder(name))
        if name:
            found.card["text encoder"] = text.encoder(name).name
        return found

    @classmethod
    def encoders(cls, options: Mapping[str, Any]) -> dict[str, str]:
        """Hash of the text encoder, if there is one."""
        name = options["text_encoder"]
        return {"text_encoder": text.encoder(name).identity} if name else {}

    @classmethod
    def recordings(cls, path: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads an interview, or all interviews in a folder."""
        return raw.recordings(path, raw.Settings(**options), text.embedder(options["text_encoder"]))
