"""Sentence windows of a dialogue: which frames of each stream belong to which sentence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

Times = Float[np.ndarray, "sentence 2"]
"""Start and end of each sentence, in seconds."""

Windows = Int[np.ndarray, "sentence 2"]
"""First frame of each sentence, and the frame after its last one."""


def windows(times: Times, rate: float, frames: int) -> Windows:
    """Converts sentence times to frame windows, clipped to the stream.

    Args:
      times: start and end of each sentence.
      rate: frames per second.
      frames: number of frames in the stream.
    """
    return np.clip(np.rint(np.asarray(times).reshape(-1, 2) * rate), 0, frames).astype(np.int64)


def pack(stream: np.ndarray, cut: Windows) -> tuple[np.ndarray, Windows]:
    """Concatenates the sentences of a stream.

    Frames between sentences are dropped, and frames in two sentences are repeated. A window that
    ends before it begins is empty.

    Args:
      stream: frames [T, D].
      cut: window of each sentence.

    Returns:
      The concatenated frames [T', D], and the windows of the sentences in them.
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
    """Computes windows into the uncut streams as the network published by SMFL's authors does.

    Durations are truncated to whole seconds. A visual window begins at the total duration of the
    preceding sentences, not at the start time of its sentence; an acoustic window begins at as many
    seconds as there are preceding sentences.

    Args:
      times: start and end of each sentence.
      rates: frames per second of `acoustic` and `visual`.
      fix_audio_start: whether acoustic windows begin where the visual ones do.
      absolute_time: whether all windows begin and end at the times of their sentences.
    """
    start, stop = np.asarray(times).reshape(-1, 2).T
    stop = np.where(stop == start, start + 1, stop)
    spans = (stop - start).astype(np.int64)
    ends = spans.cumsum()
    begins = ends - spans
    if absolute_time:
        begins, ends = start.astype(np.int64), stop.astype(np.int64)
    index = np.arange(len(spans))
    voice = begins if fix_audio_start or absolute_time else index
    starts = {"acoustic": voice, "visual": begins}
    return {
        name: np.stack([starts[name] * rate, ends * rate], 1).astype(np.int64)
        for name, rate in rates.items()
    }


def waste(lengths: np.ndarray) -> float:
    """Share of padding in an array [N, max(lengths)] of recordings with these lengths."""
    lengths = np.asarray(lengths)
    padded = len(lengths) * lengths.max(initial=0)
    return float(1 - lengths.sum() / padded) if padded else 0.0
