"""Cases of JAMFN's joint attention, at one scale or without scales, and of its readout."""

from __future__ import annotations

from hand_computed import LN3, HandComputed, array, linear
from hand_computed.jamfn.build import conv, drive, frames, memoryless

CASES: list[HandComputed] = []


# 1. Equations (7) to (12) and (14) at one scale, L = 2, two channels.
#
# F_A = (0.5, -0.5): conv_a has the kernels (2), (4) and the biases 0, 1:
#     X_A = [[2 * 0.5, 4 * 0.5 + 1], [2 * -0.5, 4 * -0.5 + 1]] = [[1, 3], [-1, -1]]
# F_V = (0.25, 0.75): conv_v has the kernels (4), (-4) and the biases 0, 1:
#     X_V = [[1, 0], [3, -2]]
# (7)  FC1: x1 + x2 - 1:  T_A = (1 + 3 - 1, -1 - 1 - 1) = (3, -3)
# (8)  FC2: 2 x1 + x2:    T_V = (2, 6 - 2) = (2, 4)
# (9)  T_Joint = (3, -3, 2, 4), the acoustic half first
# (10) FC3 = ln 3 * [[1, 0, -1, 0], [0, 0, 1, -1], [1, 1, 0, 0], [1, 0, 0, -1]] and bias
#      ln 3 * (0, 1, 0, 2):
#      T_Mixed = ln 3 * (3 - 2, 2 - 4 + 1, 3 - 3, 3 - 4 + 2) = ln 3 * (1, -1, 0, 1)
# (11) T_A.mixed = ln 3 * (1, -1), T_V.mixed = ln 3 * (0, 1)
# (12) each half has its own softmax: 3 : 1/3 = (0.9, 0.1), and 1 : 3 = (0.25, 0.75)
#      Fusion, frame 1: 0.9 * [1, 3] + 0.25 * [1, 0] = [1.15, 2.7]
#      Fusion, frame 2: 0.1 * [-1, -1] + 0.75 * [3, -2] = [2.15, -1.6]
# Sum over time: [3.3, 1.1].
# (14) FC = [[1, 2], [-1, 1]], bias (0.5, 0): (3.3 + 2.2 + 0.5, -3.3 + 1.1) = (6.0, -2.2)
#
# One softmax over all 2L scores, T_A instead of T_Mixed, scores multiplied by T_A, or the visual
# half first, all give other numbers.

JAF_STATE = {
    **memoryless("bilstm_a", 1),
    **memoryless("bilstm_v", 1),
    **conv("conv_a.0", [[2.0], [4.0]], [0.0, 1.0]),
    **conv("conv_v.0", [[4.0], [-4.0]], [0.0, 1.0]),
    **linear("jaf.0.fc1", [[1.0, 1.0]], [-1.0]),
    **linear("jaf.0.fc2", [[2.0, 1.0]], [0.0]),
    **linear(
        "jaf.0.fc3",
        LN3 * array([[1, 0, -1, 0], [0, 0, 1, -1], [1, 1, 0, 0], [1, 0, 0, -1]]),
        LN3 * array([0, 1, 0, 2]),
    ),
}
JAF_INPUTS = {
    "acoustic": drive(frames([[0.5, -0.5]])),
    "visual": drive(frames([[0.25, 0.75]])),
}
JAF_FIELDS = {"length": 2, "hidden": 1, "layers": 1, "scales": (1,), "channels": 2}

CASES.append(
    HandComputed(
        name="joint_scores_and_a_softmax_for_each_modality",
        fields=JAF_FIELDS,
        state={**JAF_STATE, **linear("classifier", [[1, 2], [-1, 1]], [0.5, 0.0])},
        inputs=JAF_INPUTS,
        outputs={"depression": array([[6.0, -2.2]])},
        attention={
            "jaf.0/T_A": array([[3, -3]]),
            "jaf.0/T_V": array([[2, 4]]),
            "jaf.0/T_mixed": LN3 * array([[1, -1, 0, 1]]),
            "jaf.0/A_A": array([[0.9, 0.1]]),
            "jaf.0/A_V": array([[0.25, 0.75]]),
        },
    )
)


# 2. Readout "flatten" is row-major [L * channels] (README §4): the Fusion of case 1 is read as
#     (1.15, 2.7, 2.15, -1.6), frame after frame.
# FC = [[1, 2, 3, 4], [-1, 0, 1, 0]], bias (0, 0.5):
#     1.15 + 5.4 + 6.45 - 6.4 = 6.6,   -1.15 + 2.15 + 0.5 = 1.5
# Channel after channel it would be (1.15, 2.15, 2.7, -1.6): 7.15 and 2.05.

CASES.append(
    HandComputed(
        name="flatten_is_frame_after_frame",
        fields={**JAF_FIELDS, "readout": "flatten"},
        state={**JAF_STATE, **linear("classifier", [[1, 2, 3, 4], [-1, 0, 1, 0]], [0.0, 0.5])},
        inputs=JAF_INPUTS,
        outputs={"depression": array([[6.6, 1.5]])},
    )
)


# 5. No scales (Table 2, the MG module removed): one JAF reads F_m, of width hidden = 2. L = 2.
#
# F_A = [[0.5, -0.5], [0.25, 0.25]], F_V = [[-0.25, 0.5], [0.5, 0.75]]
# (7)  FC1 = (2, -2), bias 0: T_A = (1 + 1, 0) = (2, 0)
# (8)  FC2 = (4, 0), bias 1:  T_V = (-1 + 1, 2 + 1) = (0, 3)
# (10) FC3 = ln 3 * [[1, 0, 0, 0], [0, 1, 0, 1/3], [1/2, 0, 0, 0], [0, 0, 1, 0]], bias
#      ln 3 * (0, 0, 0, -1): T_Mixed = ln 3 * (2, 1, 1, -1)
# (12) A: 9 : 3 = (0.75, 0.25), V: 3 : 1/3 = (0.9, 0.1)
#      frame 1: 0.75 * [0.5, -0.5] + 0.9 * [-0.25, 0.5] = [0.15, 0.075]
#      frame 2: 0.25 * [0.25, 0.25] + 0.1 * [0.5, 0.75] = [0.1125, 0.1375]
# Sum over time: [0.2625, 0.2125].
# (14) FC = [[4, 0], [0, -8]], bias (0, 0.5): (1.05, -1.7 + 0.5) = (1.05, -1.2)

CASES.append(
    HandComputed(
        name="without_scales_jaf_reads_the_bilstm",
        fields={"length": 2, "hidden": 2, "layers": 1, "scales": ()},
        state={
            **memoryless("bilstm_a", 2),
            **memoryless("bilstm_v", 2),
            **linear("jaf.0.fc1", [[2.0, -2.0]], [0.0]),
            **linear("jaf.0.fc2", [[4.0, 0.0]], [1.0]),
            **linear(
                "jaf.0.fc3",
                LN3 * array([[1, 0, 0, 0], [0, 1, 0, 1 / 3], [0.5, 0, 0, 0], [0, 0, 1, 0]]),
                LN3 * array([0, 0, 0, -1]),
            ),
            **linear("classifier", [[4, 0], [0, -8]], [0, 0.5]),
        },
        inputs={
            "acoustic": drive([[[0.5, -0.5], [0.25, 0.25]]]),
            "visual": drive([[[-0.25, 0.5], [0.5, 0.75]]]),
        },
        outputs={"depression": array([[1.05, -1.2]])},
        attention={
            "jaf.0/T_A": array([[2, 0]]),
            "jaf.0/T_V": array([[0, 3]]),
            "jaf.0/T_mixed": LN3 * array([[2, 1, 1, -1]]),
            "jaf.0/A_A": array([[0.75, 0.25]]),
            "jaf.0/A_V": array([[0.9, 0.1]]),
        },
    )
)
