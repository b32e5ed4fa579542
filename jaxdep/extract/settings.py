"""Settings of an extraction: what to compute, how often, and by which models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt, Interval, Le

Like = Literal[
    "dvlog", "avec2013", "avec2014", "daicwoz", "mmd2023", "ewre", "folder"
]  # the two that are refused are named, so that the message says why
Stream = Literal[
    "acoustic", "functionals", "landmarks", "pose", "speech", "images", "words", "text"
]
Partition = Literal["training", "development", "testing"]
RowsPerSecond = Annotated[float, Gt(0), Le(100)]
Layer = Annotated[int, Interval(ge=-1000, le=1000)]


@dataclass(frozen=True)
class Settings:
    """Settings of an extraction; the defaults are those of D-Vlog.

    Attributes:
      like: Corpus whose files to write; folder for one folder of arrays a stream.
      streams: What to write with --like folder.
      rate: Rows of features per second; by default 1, with --like daicwoz 100.
      frames: Video frames that are looked at for each row, whose features are averaged.
      detect_every: Seconds after which the face is searched again in the whole picture.
      predictor: File with dlib's predictor of 68 landmarks; by default the one in the package
        face_recognition_models.
      speech_encoder: Hugging Face name or folder of a wav2vec 2.0, HuBERT or WavLM.
      speech_layer: Layer of its hidden states; 0 for the embeddings, -1 for the last.
      speech_rate: Rows of its features per second; by default as --rate, with --like avec2013 and
        avec2014 50.
      image_encoder: Hugging Face name or folder of a ViT, CLIP or ResNet.
      image_layer: Layer of its hidden states; 0 for the embeddings, -1 for the last.
      image_pooling: Mean over the patches of a picture, or its class token.
      image_region: What the image encoder sees: a square of the face, or the whole frame.
      recogniser: Hugging Face name or folder of a Whisper, for the words.
      language: Language of the words, such as en; by default the recogniser detects it.
      text_encoder: Hugging Face name or folder of a text encoder, for the sentences of the words;
        hashing for a dry run.
      partition: Partition of the recordings (avec2013, avec2014).
      without_gaze: Write zeros for the six columns of gaze, which landmarks do not show (avec2013,
        avec2014).
    """

    like: Like = "dvlog"
    streams: tuple[Stream, ...] = ()
    rate: RowsPerSecond | None = None
    frames: Annotated[int, Gt(0), Le(1000)] = 1
    detect_every: Annotated[float, Gt(0), Le(60)] = 1.0
    predictor: str | None = None
    speech_encoder: str | None = None
    speech_layer: Layer = -1
    speech_rate: RowsPerSecond | None = None
    image_encoder: str | None = None
    image_layer: Layer = -1
    image_pooling: Literal["mean", "cls"] = "mean"
    image_region: Literal["face", "frame"] = "face"
    recogniser: str | None = None
    language: str | None = None
    text_encoder: str | None = None
    partition: Partition | None = None
    without_gaze: bool = False

    def __post_init__(self) -> None:
        """Checks the settings."""
        from jaxdep.settings.checking import check  # imports JAX, which workers can do without

        check(self)
