"""Cases of MDDR's attention over the modalities of a step, Eq. 1, and of the mean."""

from __future__ import annotations

import numpy as np

from hand_computed import Arrays, HandComputed
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
    score_state,
    softmax,
)

CASES: list[HandComputed] = []


# 1. Eq. 1: F = sum_i softmax(W_m X^T) X, the softmax over the modalities of one step.
#    "multi-layer fully connected network with shared weights"
#    Face 0 1 2, voice 1 0 3, head 3 2 1. Scores, from the table:
#        t = 0: face  0.75, voice -2.25, head  0.25
#        t = 1: face -1.25, voice  1.75, head  5.75
#        t = 2: face  1.75, voice  0.25, head -3.25
#    F_t = w_face 1 e + w_voice 2 e + w_head 3 e; sea=False: E is the mean of F over the steps.
_W = [softmax([0.75, -2.25, 0.25]), softmax([-1.25, 1.75, 5.75]), softmax([1.75, 0.25, -3.25])]
_F = [
    np.array([_W[0][0] * 1, _W[0][1] * 2, 0, _W[0][2] * 3]),
    np.array([_W[1][1] * 2, _W[1][0] * 1, _W[1][2] * 3, 0]),
    np.array([0, _W[2][2] * 3, _W[2][0] * 1, _W[2][1] * 2]),
]
CASES.append(
    HandComputed(
        name="softmax_over_modalities_of_each_step",
        fields={**FIELDS, "modalities": ALL, "sea": False},
        state={**one_hot_state(ALL), **score_state("faa"), **head_state()},
        inputs={
            "visual": frames([0, 1, 2], length=3),
            "acoustic": frames([1, 0, 3], length=3),
            "pose": frames([3, 2, 1], length=3),
        },
        outputs=depression(head((_F[0] + _F[1] + _F[2]) / 3)),
        attention={
            "faa/visual": np.array([[w[0] for w in _W]]),
            "faa/acoustic": np.array([[w[1] for w in _W]]),
            "faa/pose": np.array([[w[2] for w in _W]]),
        },
    )
)


# 2. "with the attention weights for each modality learned separately": one score network for each.
#    All frames are at 0, so the rows are e_0, 2 e_0 and 3 e_0. The networks differ:
#        face:  1 * relu(1 x0)        + 0     = 1
#        voice: 2 * relu(-1 x0 + 2.5) + 0.5   = 2 * 0.5 + 0.5 = 1.5
#        head: -1 * relu(1 x0 - 1)    + 2     = -2 + 2 = 0
#    softmax(1, 1.5, 0) = (a, b, c); F = (a + 2 b + 3 c) e_0. The second bias differs between
#    modalities, so it matters. The state's order of keys is not that of `modalities`.
def _separate(name: str, w0: float, b0: float, w2: float, b2: float) -> Arrays:
    return {
        f"faa.{name}.score.0.weight": np.array([[w0, 0, 0, 0], [0, 0, 0, 0]]),
        f"faa.{name}.score.0.bias": np.array([b0, 0]),
        f"faa.{name}.score.2.weight": np.array([[w2, 0]]),
        f"faa.{name}.score.2.bias": np.array([b2]),
    }


_ABC = softmax([1, 1.5, 0])
CASES.append(
    HandComputed(
        name="separate_score_networks",
        fields={
            **FIELDS,
            "modalities": ("pose", "visual", "acoustic"),
            "faa_weights": "separate",
            "sea": False,
        },
        state={
            **one_hot_state(ALL),
            **_separate("acoustic", -1, 2.5, 2, 0.5),
            **_separate("pose", 1, -1, -1, 2),
            **_separate("visual", 1, 0, 1, 0),
            **head_state(),
        },
        inputs={
            "visual": frames([0], length=1),
            "acoustic": frames([0], length=1),
            "pose": frames([0], length=1),
        },
        outputs=depression(head(e(0, _ABC[0] + 2 * _ABC[1] + 3 * _ABC[2]))),
        attention={
            "faa/visual": np.array([[_ABC[0]]]),
            "faa/acoustic": np.array([[_ABC[1]]]),
            "faa/pose": np.array([[_ABC[2]]]),
        },
    )
)


# 4. faa=False: the mean over the PRESENT modalities of each step, then the mean over the steps that
#    count. Face 0 1 (third frame padding), voice 2, head 3 3 3:
#        t = 0: (1 e_0 + 2 e_2 + 3 e_3) / 3 = (1/3, 0, 2/3, 1)
#        t = 1: (1 e_1 + 3 e_3) / 2         = (0, 1/2, 0, 3/2)
#        t = 2: does not count
#    E = (1/6, 1/4, 1/3, 5/4). y = 2 (1/6 + 1/2 + 1 + 5 + 1/2) - 3 (1/3 - 1/6) + 1
#      = 43/3 - 1/2 + 1 = 89/6.
CASES.append(
    HandComputed(
        name="mean_over_present_modalities_without_faa",
        fields={**FIELDS, "modalities": ALL, "faa": False, "sea": False},
        state={**one_hot_state(ALL), **head_state()},
        inputs={
            "visual": frames([0, 1], length=3),
            "visual_mask": real(2, length=3),
            "acoustic": frames([2], length=3),
            "acoustic_mask": real(1, length=3),
            "pose": frames([3, 3, 3], length=3),
        },
        outputs=depression(89 / 6),
    )
)
