"""Loads the models of an extraction before it begins, and tells them apart."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from jaxdep.errors import UserError
from jaxdep.extract import deep, face, layouts, sentences, streams, words
from jaxdep.extract.packages import require
from jaxdep.extract.settings import Settings

SETTINGS = ("predictor", "speech_encoder", "image_encoder", "recogniser", "text_encoder")
"""Settings that name models."""


def identities(settings: Settings) -> dict[str, Any]:
    """Names and hashes of all models that the features depend on.

    Args:
      settings: settings of the extraction, as `layouts.resolve` returns them.

    Raises:
      UserError: a model or a package is missing, or a model does not fit the corpus.
    """
    names = set(settings.streams)
    require("av", *(["opensmile"] if names & {"acoustic", "functionals"} else []))
    found: dict[str, Any] = {}
    if streams.needs_face(names, settings):
        require("dlib", "cv2")
        path = face.predictor_file(settings.predictor)
        found["predictor"] = {"name": path.name, "sha256": sha256(path)}
    widths = layouts.LAYOUTS[settings.like].widths
    if "speech" in names:
        assert settings.speech_encoder is not None
        encoder = deep.speech(settings.speech_encoder, settings.speech_layer)
        _check_width("--speech-encoder", encoder, widths.get("speech"), settings.like)
        found["speech_encoder"] = _named(encoder.name, encoder.identity)
    if "images" in names:
        assert settings.image_encoder is not None
        pictures = deep.images(settings.image_encoder, settings.image_layer, settings.image_pooling)
        _check_width("--image-encoder", pictures, widths.get("images"), settings.like)
        found["image_encoder"] = _named(pictures.name, pictures.identity)
    if "words" in names:
        assert settings.recogniser is not None
        recogniser = words.recogniser(settings.recogniser, settings.language)
        found["recogniser"] = _named(settings.recogniser, recogniser.identity)
    if "text" in names:
        assert settings.text_encoder is not None
        embedder = sentences.encoder(settings.text_encoder)
        found["text_encoder"] = _named(embedder.name, embedder.identity)
    return found


def sha256(path: Path) -> str:
    """SHA-256 of a file, which is read in parts."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_width(option: str, encoder: Any, width: int | None, like: str) -> None:
    if width is not None and encoder.width != width:
        raise UserError(
            f"{option} {encoder.name} has {encoder.width} features; {like} is read with {width}"
        )


def _named(name: str, identity: str) -> dict[str, str]:
    # The path of a folder is that of this machine; a name of the Hub finds the model anywhere.
    shown = Path(name).name if Path(name).expanduser().is_dir() else name
    return {"name": shown, "sha256": hashlib.sha256(identity.encode()).hexdigest()}
