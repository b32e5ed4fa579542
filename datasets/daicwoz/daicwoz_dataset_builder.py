"""TFDS builder of DAIC-WOZ."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data import interviews, text
from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.daicwoz import labels, raw
from jaxdep.errors import UserError


class Builder(ManualBuilder):
    """Voice, face and words of people whom an avatar interviews, sentence by sentence; PHQ-8."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    LAYOUT = """\
  <id>_P/<id>_TRANSCRIPT.csv               by tabs: start_time stop_time speaker value; seconds
  <id>_P/<id>_COVAREP.csv                  no header, 74 columns, 100 rows a second
  <id>_P/<id>_FORMANT.csv                  no header, 5 columns, 100 rows a second
  <id>_P/<id>_CLNF_features3D.txt          header; 4 leading columns and 204, 30 rows a second
  <id>_P/<id>_CLNF_{AUs,gaze,pose}.txt     header; 4 leading columns and 20, 12, 6
  <id>_P/<id>_TEXT.npy                     float [sentences, 768], if you have made your own
  <id>_P/<id>_EGEMAPS.npy                  float [T, 25], 100 rows a second, for acoustic=egemaps
  {train,dev}_split_Depression_AVEC2017.csv, full_test_split.csv
The corpus is given under an agreement: https://dcapswoz.ict.usc.edu
Without it: jaxdep synthesize daicwoz DIR"""
    MANUAL_DOWNLOAD_INSTRUCTIONS = LAYOUT
    PUBLISHED: ClassVar[Mapping[str, int]] = labels.PUBLISHED
    LABEL_SOURCE = (
        "the total that the recorded people scored in the PHQ-8 questionnaire, from 10 on"
    )
    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "acoustic": "covarep",
        "speakers": "participant",
        "max_sentences": 0,
        "cut": "paper",
        "fix_audio_start": False,
        "absolute_time": False,
        "split": "official",
        "split_seed": 0,
        "text_encoder": None,
        "text_tokens": False,
        "normalize": True,
    }
    """Options: features of the voice (`covarep`, with formants, as the corpus ships them, or
    `egemaps`, the 25 descriptors of SMFL's paper, which you extract); whose sentences
    (`participant`, `both`); how many at most (0: all); cut by their own
    times or as the published network cuts them (`paper`, `released`), two of its faults mended if
    you say so (`data.dialogue.released_windows`); splits (`official`, or `stratified` 8:2 by
    `split_seed`); encoder of the words (None: `TEXT.npy` where there is one); its tokens instead of
    their mean; whether each interview's features are standardised."""

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Chooses where the words' embeddings come from."""
        interviews.refuse_unknown("daicwoz", options, **_CHOICES)
        encoder = options["text_encoder"]
        if not encoder and not any(folder.glob("*_P/*_TEXT.npy")):
            encoder = text.DEFAULT
        if options["text_tokens"] and not encoder:
            raise UserError("daicwoz: text_tokens=True needs a --text-encoder")
        if options["text_tokens"] and options["cut"] == "released":
            raise UserError("daicwoz: cut='released' has one embedding for a sentence, not tokens")
        return {**options, "text_encoder": encoder}

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Three streams, where their sentences are, the label and the score."""
        name = options["text_encoder"]
        words = text.encoder(name).width if name else raw.EMBEDDING
        widths = {
            "acoustic": raw.ACOUSTIC[options["acoustic"]],
            "visual": raw.VISUAL,
            "text": words,
        }
        return {
            **interviews.features(widths, options["normalize"]),
            "phq8": tfds.features.Scalar(dtype=np.float32),
        }

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and reports all faults."""
        name = options["text_encoder"]
        names = [each.name for each in dataclasses.fields(raw.Settings)]
        fields = {key: options[key] for key in names}
        if not name:
            return raw.scan(folder, raw.Settings(**fields), None)
        encoder = text.encoder(name)

        def embed(texts: Sequence[str]) -> list[np.ndarray]:
            return text.embed(texts, encoder)

        found = raw.scan(folder, raw.Settings(**fields), embed)
        found.card["text encoder"] = encoder.name
        return found


_CHOICES: dict[str, tuple[str, ...]] = {
    "acoustic": tuple(raw.ACOUSTIC),
    "speakers": ("participant", "both"),
    "split": ("official", "stratified"),
}
