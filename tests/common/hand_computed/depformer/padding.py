"""Cases of DEP-Former's words: the first steps or segments, padded or missing."""

from __future__ import annotations

import numpy as np

from hand_computed import HandComputed
from hand_computed.depformer.build import recordings
from hand_computed.depformer.network import looped


def padded_words_are_silent() -> HandComputed:
    """A word is zeros in the INPUT where it is padded or missing; it is still a word.

    Four words. Faces: six steps, of which the first four count; a hole at step 1 of the first
    recording; the second recording has real steps only after the fourth. Voices: three steps, so
    that the fourth word is missing; the second recording has one real step. The masks of the
    third recording are full. Padding is NaN.
    """
    inputs = recordings(4512, 3, (6, 3), (3, 2))
    inputs["visual_mask"] = np.array(
        [[1, 0, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1]], dtype=bool
    )
    inputs["acoustic_mask"] = np.array([[1, 1, 1], [0, 1, 0], [1, 1, 1]], dtype=bool)
    for name in ("visual", "acoustic"):
        inputs[name][~inputs[f"{name}_mask"]] = np.nan
    return looped("padded_words_are_silent", {"stacks": 2, "layers": 2}, 4512, inputs)


def masks_count_at_the_exact_length() -> HandComputed:
    """README §1: recordings with exactly `words` frames obey masks like all others."""
    inputs = recordings(13, 2, (4, 3), (4, 2))
    inputs["acoustic_mask"] = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], dtype=bool)
    inputs["acoustic"][0, 2:] = 7.0
    return looped("masks_count_at_the_exact_length", {}, 13, inputs)


def segments_overlap() -> HandComputed:
    """Part i reads the steps from floor(i T / n) to before ceil((i + 1) T / n), n = 4.

    T = 6: [0, 2), [1, 3), [3, 5), [4, 6).  T = 5: [0, 2), [1, 3), [2, 4), [3, 5).
    T = 2: [0, 1), [0, 1), [1, 2), [1, 2).  T = 0: zeros.  No mask: T = L = 3 gives
    [0, 1), [0, 2), [1, 3), [2, 3).  A hole is closed before the cut.
    """
    inputs = recordings(14, 4, (6, 3), (3, 2))
    inputs["visual_mask"] = np.array(
        [[1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [0] * 6], dtype=bool
    )
    inputs["visual"][~inputs["visual_mask"]] = np.nan
    return looped("segments_overlap", {"words_from": "segments"}, 14, inputs)


CASES: list[HandComputed] = [
    padded_words_are_silent(),
    masks_count_at_the_exact_length(),
    segments_overlap(),
]
