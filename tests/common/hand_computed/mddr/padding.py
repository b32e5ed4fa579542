"""Cases of MDDR's alignment in time by padding, and of the modality that leads."""

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
    score_state,
    softmax,
)

CASES: list[HandComputed] = []


# 3. "pad": rows beyond the real ones of a modality are not present, so the softmax is over the
#    others. L = 4 is the face's. Face real at 0 1 2 of 4, voice real at 0 only, head has five
#    frames, of which the first four real and kept: no frame is moved.
#        t = 0: face e_0, voice 2 e_1, head 3 e_3: softmax(0.75, -2.25, 0.25)
#        t = 1: face e_1, head 3 e_2:              softmax(-1.25, 5.75)
#        t = 2: face e_2, head 3 e_0:              softmax(1.75, 2.75)
#        t = 3: head alone, weight 1; the step does not count, as the face is not real there.
#    E is the mean over the three steps that count. Recording 2 has no padding at the face: the
#    head's fifth frame, at 3, is cut off. Face 3 3 3 3, no voice at all, head 0 0 0 0 (3):
#        every step: softmax(0.25, 2.75); E = F.
_W = [softmax([0.75, -2.25, 0.25]), softmax([-1.25, 5.75]), softmax([1.75, 2.75])]
_E = np.zeros(4)
_E += e(0, _W[0][0]) + e(1, 2 * _W[0][1]) + e(3, 3 * _W[0][2])
_E += e(1, _W[1][0]) + e(2, 3 * _W[1][1])
_E += e(2, _W[2][0]) + e(0, 3 * _W[2][1])
_V = softmax([0.25, 2.75])
CASES.append(
    HandComputed(
        name="pad_attends_to_present_modalities_only",
        fields={**FIELDS, "modalities": ALL, "align": "pad", "sea": False},
        state={**one_hot_state(ALL), **score_state("faa"), **head_state()},
        inputs={
            "visual": frames([0, 1, 2], [3, 3, 3, 3], length=4),
            "visual_mask": real(3, 4, length=4),
            "acoustic": frames([1], [], length=2),
            "acoustic_mask": real(1, 0, length=2),
            "pose": frames([3, 2, 0, 1], [0, 0, 0, 0, 3], length=5),
            "pose_mask": real(4, 5, length=5),
        },
        outputs=depression(head(_E / 3), head(e(3, _V[0]) + e(0, 3 * _V[1]))),
        attention={
            "faa/visual": np.array([[_W[0][0], _W[1][0], _W[2][0], 0], [_V[0]] * 4]),
            "faa/acoustic": np.array([[_W[0][1], 0, 0, 0], [0.0] * 4]),
            "faa/pose": np.array([[_W[0][2], _W[1][1], _W[2][1], 1], [_V[1]] * 4]),
        },
    )
)


# 10. "pad" without a real face: the steps count where any other modality is present. L = 3 is the
#     face's. Voice 0, head 1 2 (third frame padding):
#         t = 0: softmax(1.75, -3.25), t = 1: the head alone, 3 e_2, t = 2: nothing, does not count.
#     Recording 2: nothing real at all: E = 0 and y(0) = 2 * 1/2 + 1 = 2.
_W = softmax([1.75, -3.25])
CASES.append(
    HandComputed(
        name="pad_without_the_leading_modality_and_without_any",
        fields={**FIELDS, "modalities": ALL, "align": "pad", "sea": False},
        state={**one_hot_state(ALL), **score_state("faa"), **head_state()},
        inputs={
            "visual": frames([], [], length=3),
            "visual_mask": real(0, 0, length=3),
            "acoustic": frames([0], [], length=2),
            "acoustic_mask": real(1, 0, length=2),
            "pose": frames([1, 2], [], length=3),
            "pose_mask": real(2, 0, length=3),
        },
        outputs=depression(head((e(0, 2 * _W[0]) + e(1, 3 * _W[1]) + e(2, 3)) / 2), 2.0),
        attention={
            "faa/visual": np.zeros((2, 3)),
            "faa/acoustic": np.array([[_W[0], 0, 0], [0, 0, 0]]),
            "faa/pose": np.array([[_W[1], 1, 0], [0, 0, 0]]),
        },
    )
)


# 11. The face leads whatever the order of `modalities`. modalities = head, face; the head has one
#     frame (at 0), the face three (1 1 3): L = 3 and all three steps count.
#         t = 0: softmax(head 2.75, face -1.25); t = 1, 2: the face alone, e_1 and e_3.
_W = softmax([2.75, -1.25])
CASES.append(
    HandComputed(
        name="the_face_leads_whatever_the_order",
        fields={**FIELDS, "modalities": ("pose", "visual"), "align": "pad", "sea": False},
        state={**one_hot_state(("visual", "pose")), **score_state("faa"), **head_state()},
        inputs={"visual": frames([1, 1, 3], length=3), "pose": frames([0], length=1)},
        outputs=depression(head((e(0, 3 * _W[0]) + e(1, _W[1]) + e(1) + e(3)) / 3)),
        attention={
            "faa/visual": np.array([[_W[1], 1, 1]]),
            "faa/pose": np.array([[_W[0], 0, 0]]),
        },
    )
)
