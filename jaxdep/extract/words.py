"""Words that are spoken, and when, by Whisper."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from jaxdep.data import pretrained
from jaxdep.errors import UserError
from jaxdep.extract.packages import require

RATE = 16_000
"""Samples per second that Whisper expects."""

_KIND = "recogniser"


class Recogniser:
    """A Whisper model, on a GPU where there is one.

    Attributes:
      identity: hash of the weights and the configuration.
    """

    def __init__(self, name: str, language: str | None):
        require("torch", "transformers")
        import torch
        from transformers import AutoProcessor, WhisperForConditionalGeneration, pipeline

        source, local = pretrained.locate(name, _KIND)
        loaders = {"processor": AutoProcessor, "model": WhisperForConditionalGeneration}
        parts, weights = pretrained.load(name, source, local, loaders, _KIND)
        self.identity = f"{weights}:{pretrained.config_text(parts['model'])}"
        self._options: dict[str, Any] = {"return_timestamps": True}
        if language:
            if not parts["model"].generation_config.is_multilingual:
                raise UserError(f"{name} knows one language only: leave out --language")
            self._options["generate_kwargs"] = {"language": language}
        self._pipeline = pipeline(
            "automatic-speech-recognition",
            model=parts["model"],
            tokenizer=parts["processor"].tokenizer,
            feature_extractor=parts["processor"].feature_extractor,
            device=0 if torch.cuda.is_available() else -1,
        )

    def recognise(self, samples: np.ndarray) -> np.ndarray:
        """Recognises the sentences of a recording.

        Args:
          samples: [samples] float32, at `RATE`.

        Returns:
          [S] records of `start` and `stop` in seconds, and `text`. The recogniser does not tell who
          speaks.
        """
        given = {"raw": samples, "sampling_rate": RATE}
        found: Any = self._pipeline(given, **self._options)
        chunks = found["chunks"]
        return as_records(
            [(*chunk["timestamp"], chunk["text"]) for chunk in chunks], len(samples) / RATE
        )


def as_records(chunks: list[tuple[float | None, float | None, str]], end: float) -> np.ndarray:
    """Sentences as a structured array, each on one line; those without words are left out.

    Args:
      chunks: start, stop and text; Whisper leaves out a time where a sentence is cut.
      end: length of the recording in seconds, to which all times are limited.
    """
    rows = []
    for start, stop, text in chunks:
        if line := " ".join(text.split()):
            first = min(max(start or 0.0, rows[-1][1] if start is None and rows else 0.0), end)
            rows.append((first, min(end if stop is None else max(stop, first), end), line))
    longest = max((len(text) for *_, text in rows), default=1)
    kind = [("start", np.float64), ("stop", np.float64), ("text", f"<U{longest}")]
    return np.array(rows, dtype=kind)


@cache
def recogniser(name: str, language: str | None) -> Recogniser:
    """Loads a recogniser, once in a process."""
    return Recogniser(name, language)
