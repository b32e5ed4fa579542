"""Cases of MDDR's alignment in time by resampling."""

from __future__ import annotations

import numpy as np

from hand_computed import HandComputed
from hand_computed.mddr.build import (
    ALL,
    FIELDS,
    depression,
    e,
    frames,
    head,
    head_state,
    one_hot_state,
    real,
    score,
    score_state,
    softmax,
)

CASES: list[HandComputed] = []


# 7. "resample": target row t of n reads p = (t + 1/2) (m / n) - 1/2 of m rows, clipped.
#    Recording 1: face 3 3 3 3 (n = 4 of 5).
#        Voice 0 1 (m = 2 of 3): p = -1/4 -> 0, 1/4, 3/4, 5/4 -> 1. Rows, times 2:
#            e_0, 3/4 e_0 + 1/4 e_1, 1/4 e_0 + 3/4 e_1, e_1.
#        Head 0 2 3 (m = 3): p = -1/8 -> 0, 5/8, 11/8, 17/8 -> 2. Rows, times 3:
#            e_0, 3/8 e_0 + 5/8 e_2, 5/8 e_2 + 3/8 e_3, e_3.
#    Recording 2: face 0 1 (n = 2 of 5).
#        Voice 1 2 3 (m = 3): p = 1/4, 7/4. Rows, times 2: 3/4 e_1 + 1/4 e_2, 1/4 e_2 + 3/4 e_3.
#        Head: no real frame, so present nowhere.
#    E is the mean of F over the n steps that count.
_A = [e(0, 2), e(0, 1.5) + e(1, 0.5), e(0, 0.5) + e(1, 1.5), e(1, 2)]
_P = [e(0, 3), e(0, 9 / 8) + e(2, 15 / 8), e(2, 15 / 8) + e(3, 9 / 8), e(3, 3)]
_W = [softmax([0.25, score(a), score(p)]) for a, p in zip(_A, _P, strict=True)]
_E1 = sum(w[0] * e(3) + w[1] * a + w[2] * p for w, a, p in zip(_W, _A, _P, strict=True)) / 4
_A = [e(1, 1.5) + e(2, 0.5), e(2, 0.5) + e(3, 1.5)]
_V = [softmax([0.75, score(_A[0])]), softmax([-1.25, score(_A[1])])]
_E2 = (_V[0][0] * e(0) + _V[0][1] * _A[0] + _V[1][0] * e(1) + _V[1][1] * _A[1]) / 2
CASES.append(
    HandComputed(
        name="resample_on_a_half_pixel_grid_of_real_rows",
        fields={**FIELDS, "modalities": ALL, "align": "resample", "sea": False},
        state={**one_hot_state(ALL), **score_state("faa"), **head_state()},
        inputs={
            "visual": frames([3, 3, 3, 3], [0, 1], length=5),
            "visual_mask": real(4, 2, length=5),
            "acoustic": frames([0, 1], [1, 2, 3], length=3),
            "acoustic_mask": real(2, 3, length=3),
            "pose": frames([0, 2, 3], [], length=3),
            "pose_mask": real(3, 0, length=3),
        },
        outputs=depression(head(_E1), head(_E2)),
        attention={
            "faa/visual": np.array([[w[0] for w in _W] + [0], [_V[0][0], _V[1][0], 0, 0, 0]]),
            "faa/acoustic": np.array([[w[1] for w in _W] + [0], [_V[0][1], _V[1][1], 0, 0, 0]]),
            "faa/pose": np.array([[w[2] for w in _W] + [0], [0.0] * 5]),
        },
    )
)


# 8. "resample" without a real face: the first other modality in the order of `modalities` that has
#    a real row is kept as it is. L = 3 is the face's. modalities = head, face, voice.
#    Recording 1: head 0 3 (m = 2) leads, kept: 3 e_0, 3 e_3, nothing. Voice 2 2 0 0 (m = 4) over
#        the head's two rows: p = 1/2, 5/2. Rows 2 e_2 and 2 e_0.
#        t = 0: softmax(2.75, 3.75); t = 1: softmax(0.25, 1.75). Two steps count.
#    Recording 2: no head either; voice 0 1 is kept: 2 e_0, 2 e_1. Weights 1. E = (1, 1, 0, 0),
#        y = 2 (1 + 2 + 1/2) - 3 * 0 + 1 = 8.
#    Recording 3: the face 2 is real (n = 1) and leads again: head 0 1 (m = 2): p = 1/2, row
#        3/2 e_0 + 3/2 e_1 with score relu(3/2) - relu(3/2 + 1/2) + 1/4 = -0.25. No voice.
_W = [softmax([2.75, 3.75]), softmax([0.25, 1.75])]
_E1 = (e(0, 3 * _W[0][0]) + e(2, 2 * _W[0][1]) + e(3, 3 * _W[1][0]) + e(0, 2 * _W[1][1])) / 2
_V = softmax([1.75, -0.25])
CASES.append(
    HandComputed(
        name="resample_without_the_leading_modality",
        fields={
            **FIELDS,
            "modalities": ("pose", "visual", "acoustic"),
            "align": "resample",
            "sea": False,
        },
        state={**one_hot_state(ALL), **score_state("faa"), **head_state()},
        inputs={
            "visual": frames([], [], [2], length=3),
            "visual_mask": real(0, 0, 1, length=3),
            "acoustic": frames([2, 2, 0, 0], [0, 1], [], length=4),
            "acoustic_mask": real(4, 2, 0, length=4),
            "pose": frames([0, 3], [], [0, 1], length=2),
            "pose_mask": real(2, 0, 2, length=2),
        },
        outputs=depression(
            head(_E1), 8.0, head(e(2, _V[0]) + e(0, 1.5 * _V[1]) + e(1, 1.5 * _V[1]))
        ),
        attention={
            "faa/visual": np.array([[0.0, 0, 0], [0, 0, 0], [_V[0], 0, 0]]),
            "faa/acoustic": np.array([[_W[0][1], _W[1][1], 0], [1, 1, 0], [0, 0, 0]]),
            "faa/pose": np.array([[_W[0][0], _W[1][0], 0], [0, 0, 0], [_V[1], 0, 0]]),
        },
    )
)


# 9. "resample" without a real face, where the modality that takes its place is longer than L = 2.
#    Head 0 1 3 (m = 3) is truncated to 3 e_0, 3 e_1, its n = 2 real rows that are left. Voice
#    2 2 1 0 (m = 4) over n = 2 rows: p = 1/2, 5/2: 2 e_2, e_1 + e_0, of scores 3.75 and
#    1 - 3/2 + 1/4 = -0.25. (Over all three rows of the head, then truncated, it would be p = 1/6,
#    3/2: 2 e_2, e_2 + e_1.)
#        t = 0: softmax(2.75, 3.75); t = 1: softmax(-3.25, -0.25).
_W = [softmax([2.75, 3.75]), softmax([-3.25, -0.25])]
_E1 = (e(0, 3 * _W[0][0]) + e(2, 2 * _W[0][1])) / 2
_E1 += (e(1, 3 * _W[1][0]) + e(0, _W[1][1]) + e(1, _W[1][1])) / 2
CASES.append(
    HandComputed(
        name="resample_over_the_truncated_rows_of_a_substitute",
        fields={
            **FIELDS,
            "modalities": ("visual", "pose", "acoustic"),
            "align": "resample",
            "sea": False,
        },
        state={**one_hot_state(ALL), **score_state("faa"), **head_state()},
        inputs={
            "visual": frames([], length=2),
            "visual_mask": real(0, length=2),
            "acoustic": frames([2, 2, 1, 0], length=4),
            "pose": frames([0, 1, 3], length=3),
        },
        outputs=depression(head(_E1)),
        attention={
            "faa/visual": np.array([[0.0, 0]]),
            "faa/acoustic": np.array([[_W[0][1], _W[1][1]]]),
            "faa/pose": np.array([[_W[0][0], _W[1][0]]]),
        },
    )
)
