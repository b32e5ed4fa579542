"""TFDS builder of DAIC-WOZ."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data import interviews, text
from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.daicwoz import emotions, labels, raw
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
  <id>_P/<id>_TRANSCRIPT.csv               tab-separated start_time stop_time speaker value; seconds
  <id>_P/<id>_COVAREP.csv                  no header, 74 columns, 100 rows per second
  <id>_P/<id>_FORMANT.csv                  no header, 5 columns, 100 rows per second
  <id>_P/<id>_CLNF_features3D.txt          header; 4 leading columns and 204, 30 rows per second
  <id>_P/<id>_CLNF_{AUs,gaze,pose}.txt     header; 4 leading columns and 20, 12, 6
  <id>_P/<id>_TEXT.npy                     float [sentences, 768], optional, for your own embeddings
  <id>_P/<id>_EGEMAPS.npy                  float [T, 25], 100 rows per second, for acoustic=egemaps
  {train,dev}_split_Depression_AVEC2017.csv, full_test_split.csv
  emotion.csv                              optional, Participant_ID,start_time,emotion; your own
                                           annotation ("sad" or "not sad"), for items=segments
The corpus is distributed under an agreement: https://dcapswoz.ict.usc.edu
To generate a synthetic corpus instead: jaxdep synthesize daicwoz DIR"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = LAYOUT
    PUBLISHED: ClassVar[Mapping[str, int]] = labels.PUBLISHED
    MEASURES: ClassVar[Mapping[str, str]] = {
        "depression": "PHQ-8 total of 10 or more",
        "phq8": "PHQ-8 total",
    }
    PEOPLE = "DAIC"
    LABEL_SOURCE = (
        "self-reported PHQ-8 total score of 10 or more; emotions, if any, as annotated by the user"
    )
    OPTIONS: ClassVar[raw.Settings] = raw.Settings()

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Checks the options and chooses the text encoder."""
        encoder = options["text_encoder"]
        if not encoder and not any(folder.glob("*_P/*_TEXT.npy")):
            encoder = text.DEFAULT
        if options["text_tokens"] and not encoder:
            raise UserError("daicwoz: text_tokens=True needs a text encoder: pass --text-encoder")
        if options["items"] == "segments" and options["cut"] == "released":
            raise UserError("daicwoz: cut='released' reads whole interviews: set items=interviews")
        if options["text_tokens"] and options["cut"] == "released":
            raise UserError(
                "daicwoz: cut='released' uses one embedding per sentence: set text_tokens=False"
            )
        return {**options, "text_encoder": encoder}

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Returns three streams, their sentence windows, the label and the score.

        Segments also have the emotion, and a vector of the participant's gender.
        """
        name = options["text_encoder"]
        text_width = text.encoder(name).width if name else raw.EMBEDDING
        widths = {
            "acoustic": raw.ACOUSTIC[options["acoustic"]],
            "visual": raw.VISUAL,
            "text": text_width,
        }
        found = {
            **interviews.features(widths, options["normalize"]),
            "phq8": tfds.features.Scalar(dtype=np.float32),
        }
        if options["items"] == "segments":
            width = text_width if name else len(raw.GENDERS)
            found["emotion"] = tfds.features.ClassLabel(names=list(emotions.EMOTIONS))
            found["gender"] = tfds.features.Tensor(shape=(width,), dtype=np.float32)
        return found

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and collects all faults."""
        embed = text.embedder(options["text_encoder"])
        found = raw.scan(folder, raw.Settings(**options), embed)
        if options["text_encoder"]:
            found.card["text encoder"] = options["text_encoder"]
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
