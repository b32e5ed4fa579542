"""Cases of the windows from which SMFL's sentences are cut."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_computed import NAN, HandComputed, array, linear
from hand_computed.smfl.build import PASSING, passing_tcn, table

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# 3. The whole recording as one sentence, mean over its frames. Text frames are (x, 2x).
# Row 0: windows [0, 0) (not there), [1, 3), [2, 9) clipped to 6 real frames, [3, 5), padding.
#   One window: from frame 1 (of the first sentence that is there) to frame 6 (the largest end,
#   not the last sentence's): x = 1, 2, 3, 4, 6 -> mean 16 / 5 = 3.2 -> (3.2, 6.4).
# Row 1: no sentence is there: text is zero and so is F_fuse, whatever the bias of the fusion.
# Fusion: ReLU of ((1, 0), (1, -1)) x + (1, 1): (4.2, 3.2 - 6.4 + 1 = -2.2 -> 0).
# Head: identity plus bias (1, 2, 3, 4).
# ---------------------------------------------------------------------------------------------
def doubled(x: Any) -> np.ndarray:
    return np.stack([array(x), 2 * array(x)], -1)


CASES.append(
    HandComputed(
        name="whole_recording_is_one_sentence_with_mean",
        fields={
            **PASSING,
            "modalities": ("text",),
            "channels": 2,
            "classes": 4,
            "split": False,
            "pooling": "mean",
        },
        state={
            **passing_tcn("text", 2),
            **linear("fusion", [[1, 0], [1, -1]], [1, 1]),
            **linear("head", np.eye(4), [1, 2, 3, 4]),
        },
        inputs={
            "text": doubled([[100, 1, 2, 3, 4, 6, NAN, NAN], [5, 5, 5, NAN, NAN, NAN, NAN, NAN]]),
            "text_mask": np.arange(8)[None] < np.array([[6], [3]]),
            "sentences": np.stack(
                [
                    table(
                        *[(0, 0, 0, 0, a, b) for a, b in ((0, 0), (1, 3), (2, 9), (3, 5), (0, 8))]
                    ),
                    table(
                        *[(0, 0, 0, 0, a, b) for a, b in ((2, 2), (5, 8), (1, 1), (0, 3), (0, 3))]
                    ),
                ]
            ),
            "sentences_mask": np.array([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]], bool),
        },
        outputs={"depression": array([[5.2, 2, 6.2, 10.4], [1, 2, 3, 4]])},
    )
)


# ---------------------------------------------------------------------------------------------
# 15. "a variable threshold value, M, to represent the upper limit of the number of sentences"
# (2.4), and windows clipped to the real frames. M = 2; text 1, 2, 3, 4, 5, then padding.
# Row 0: [0, 2) -> 2;  [3, 9) clipped to [3, 5) -> 5;  [0, 1) is past M;  mean 3.5
# Row 1 (3 real frames): [1, 4) clipped to [1, 3) -> 3;  the second is padding;  3
# Row 2 (3 real frames): [4, 6) lies in the padding: not there;  [0, 1) -> 1
# ---------------------------------------------------------------------------------------------
CASES.append(
    HandComputed(
        name="first_sentences_alone_and_windows_clipped",
        fields={
            **PASSING,
            "modalities": ("text",),
            "channels": 1,
            "max_sentences": 2,
        },
        state={
            **passing_tcn("text", 1),
            **linear("fusion", [[2]], [0]),
            **linear("head", np.eye(2), np.zeros(2)),
        },
        inputs={
            "text": array([[1, 2, 3, 4, 5, NAN]] + 2 * [[1, 2, 3, NAN, NAN, NAN]])[..., None],
            "text_mask": np.arange(6)[None] < np.array([[5], [3], [3]]),
            "sentences": np.stack(
                [
                    table((0, 0, 0, 0, 0, 2), (0, 0, 0, 0, 3, 9), (0, 0, 0, 0, 0, 1)),
                    table((0, 0, 0, 0, 1, 4), (0, 0, 0, 0, 0, 2), (0, 0, 0, 0, 0, 1)),
                    table((0, 0, 0, 0, 4, 6), (0, 0, 0, 0, 0, 1), (0, 0, 0, 0, 0, 2)),
                ]
            ),
            "sentences_mask": np.array([[1, 1, 1], [1, 0, 0], [1, 1, 1]], bool),
        },
        outputs={"depression": array([[7, 3.5], [6, 3], [2, 1]])},
    )
)
