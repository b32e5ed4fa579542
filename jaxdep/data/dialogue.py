"""Sentences of a dialogue: which frames of each stream are whose, cut and laid end to end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

Times = Float[np.ndarray, "sentence 2"]
"""Start and stop of each sentence, in seconds."""

Windows = Int[np.ndarray, "sentence 2"]
"""First frame of each sentence, and the frame after its last."""


def windows(times: Times, rate: float, frames: int) -> Windows:
    """The frames that begin within each sentence, as far as the stream has any.

    Args:
      rate: frames a second.
      frames: of the stream.
    """
    return np.clip(np.rint(np.asarray(times).reshape(-1, 2) * rate), 0, frames).astype(np.int64)


def pack(stream: np.ndarray, cut: Windows) -> tuple[np.ndarray, Windows]:
    """Lays the sentences of a stream end to end; what is between them goes, overlaps are repeated.

    Args:
      stream: [T, D].

    Returns:
      [T', D], and where the sentences are in it. A window that ends before it begins is empty.
    """
    counts = np.maximum(cut[:, 1] - cut[:, 0], 0)
    ends = counts.cumsum()
    begins = ends - counts
    rows = np.repeat(cut[:, 0] - begins, counts) + np.arange(counts.sum())
    return stream[rows], np.stack([begins, ends], 1)


def released_windows(
    times: Times,
    rates: Mapping[str, float],
    fix_audio_start: bool = False,
    absolute_time: bool = False,
) -> dict[str, Windows]:
    """Windows as the network that SMFL's authors published cuts them, into streams as they are.

    Seconds are whole numbers. A sentence's frames begin at the seconds of speech before it, not at
    its own time; those of the voice at as many seconds as there are sentences before it.

    Args:
      rates: frames a second of `acoustic` and `visual`.
      fix_audio_start: the voice begins where the face does.
      absolute_time: both begin and end at the sentence's own times.
    """
    start, stop = np.asarray(times).reshape(-1, 2).T
    stop = np.where(stop == start, start + 1, stop)
    spans = (stop - start).astype(np.int64)
    ends = spans.cumsum()
    begins = ends - spans
    if absolute_time:
        begins, ends = start.astype(np.int64), stop.astype(np.int64)
    number = np.arange(len(spans))
    voice = begins if fix_audio_start or absolute_time else number
    second = {"acoustic": voice, "visual": begins}
    return {
        name: np.stack([second[name] * rate, ends * rate], 1).astype(np.int64)
        for name, rate in rates.items()
    }


def waste(lengths: np.ndarray) -> float:
    """The share of padding in arrays [N, max(lengths)] that hold recordings of these lengths."""
    lengths = np.asarray(lengths)
    held = len(lengths) * lengths.max(initial=0)
    return float(1 - lengths.sum() / held) if held else 0.0
