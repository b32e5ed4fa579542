"""Cases of JAMFN's convolutions at several scales."""

from __future__ import annotations

from hand_computed import LN2, HandComputed, array, linear
from hand_computed.jamfn.build import chosen, conv, drive, frames, memoryless

CASES: list[HandComputed] = []


# 3. Equations (6) and (13): "convolution kernel sizes of 1, 3 and 5", "we set the padding
# parameters to 0, 1, and 2", "we simply add the fusion features at different scales". L = 3.
#
# A convolution is sum_j w_j x_{p + j - (k - 1) / 2}, with zeros outside of the sequence.
# a = 4 F_A = (2, -1, 3):
#     k = 1, w = 4 (1),             b = 0:  (2, -1, 3)
#     k = 3, w = 4 (1, 0, -1),      b = 1:  (0 - a2, a1 - a3, a2 - 0) + 1 = (1, -1, -1) + 1
#                                           = (2, 0, 0)
#     k = 5, w = 4 (1, 0, 0, 0, 2), b = -1: (2 a3, 0, a1) - 1 = (6, 0, 2) - 1 = (5, -1, 1)
# v = 4 F_V = (1, 2, -2):
#     k = 1, w = 4 (-1),            b = 1:  (0, -1, 3)
#     k = 3, w = 4 (0, 1, 1),       b = 0:  (v1 + v2, v2 + v3, v3) = (3, 0, -2)
#     k = 5, w = 4 (0, 0, 0, 1, 1), b = 2:  (v2 + v3, v3, 0) + 2 = (2, 0, 2)
# (12), summed over time, each scale with its own JAF:
#     k = 1, A (1/2, 1/4, 1/4), V (1/4, 1/4, 1/2): (1 - 0.25 + 0.75) + (0 - 0.25 + 1.5) = 2.75
#     k = 3, A (1/4, 1/2, 1/4), V (1/2, 1/4, 1/4): (0.5 + 0 + 0) + (1.5 + 0 - 0.5) = 1.5
#     k = 5, A (1/4, 1/4, 1/2), V (1/4, 1/2, 1/4): (1.25 - 0.25 + 0.5) + (0.5 + 0 + 0.5) = 2.5
# (13) 2.75 + 1.5 + 2.5 = 6.75
# (14) FC = [[1], [-2]], bias (0, 1): (6.75, -12.5)

CASES.append(
    HandComputed(
        name="three_kernels_with_their_padding_are_added",
        fields={"length": 3, "hidden": 1, "layers": 1, "scales": (1, 3, 5), "channels": 1},
        state={
            **memoryless("bilstm_a", 1),
            **memoryless("bilstm_v", 1),
            **conv("conv_a.0", [[4.0]], [0.0]),
            **conv("conv_a.1", [[4.0, 0.0, -4.0]], [1.0]),
            **conv("conv_a.2", [[4.0, 0.0, 0.0, 0.0, 8.0]], [-1.0]),
            **conv("conv_v.0", [[-4.0]], [1.0]),
            **conv("conv_v.1", [[0.0, 4.0, 4.0]], [0.0]),
            **conv("conv_v.2", [[0.0, 0.0, 0.0, 4.0, 4.0]], [2.0]),
            **chosen("jaf.0", 1, (0.5, 0.25, 0.25), (0.25, 0.25, 0.5)),
            **chosen("jaf.1", 1, (0.25, 0.5, 0.25), (0.5, 0.25, 0.25)),
            **chosen("jaf.2", 1, (0.25, 0.25, 0.5), (0.25, 0.5, 0.25)),
            **linear("classifier", [[1], [-2]], [0, 1]),
        },
        inputs={
            "acoustic": drive(frames([[0.5, -0.25, 0.75]])),
            "visual": drive(frames([[0.25, 0.5, -0.5]])),
        },
        outputs={"depression": array([[6.75, -12.5]])},
        attention={
            "jaf.0/A_A": array([[0.5, 0.25, 0.25]]),
            "jaf.0/A_V": array([[0.25, 0.25, 0.5]]),
            "jaf.1/A_A": array([[0.25, 0.5, 0.25]]),
            "jaf.1/A_V": array([[0.5, 0.25, 0.25]]),
            "jaf.2/A_A": array([[0.25, 0.25, 0.5]]),
            "jaf.2/A_V": array([[0.25, 0.5, 0.25]]),
        },
    )
)


# 4. One JAF for all scales (share_jaf), L = 2, scales (1, 3). FC3 exchanges the halves: acoustic
# weights come from T_V and visual weights from T_A.
#
# a = 4 F_A = (2, 1):  k = 1, w = 4 (1): (2, 1);   k = 3, w = 4 (0, 0, 2): (2 a2, 0) = (2, 0)
# v = 4 F_V = (1, -1): k = 1, w = 4 (1): (1, -1);  k = 3, w = 4 (1, 0, 0): (0, v1) = (0, 1)
# FC1 and FC2 multiply by ln 2.
# Scale 1: A from T_V = ln 2 * (1, -1): 2 : 1/2 = (0.8, 0.2);
#          V from T_A = ln 2 * (2, 1):  4 : 2 = (2/3, 1/3)
#          sum over time: 0.8 * 2 + 0.2 * 1 + 2/3 * 1 - 1/3 * 1 = 1.8 + 1/3
# Scale 3: A from T_V = ln 2 * (0, 1):  1 : 2 = (1/3, 2/3);
#          V from T_A = ln 2 * (2, 0):  4 : 1 = (0.8, 0.2)
#          sum over time: 1/3 * 2 + 0.8 * 0 + 0.2 * 1 = 2/3 + 0.2
# (13) 1.8 + 1/3 + 2/3 + 0.2 = 3
# (14) FC = [[2], [-1]], bias (0, 1): (6, -2)
# The recorded maps are those of the last scale (README, attention maps).

CASES.append(
    HandComputed(
        name="shared_jaf_records_the_last_scale",
        fields={
            "length": 2,
            "hidden": 1,
            "layers": 1,
            "scales": (1, 3),
            "channels": 1,
            "share_jaf": True,
        },
        state={
            **memoryless("bilstm_a", 1),
            **memoryless("bilstm_v", 1),
            **conv("conv_a.0", [[4.0]], [0.0]),
            **conv("conv_a.1", [[0.0, 0.0, 8.0]], [0.0]),
            **conv("conv_v.0", [[4.0]], [0.0]),
            **conv("conv_v.1", [[4.0, 0.0, 0.0]], [0.0]),
            **linear("jaf.0.fc1", [[LN2]], [0.0]),
            **linear("jaf.0.fc2", [[LN2]], [0.0]),
            **linear(
                "jaf.0.fc3",
                [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]],
                [0, 0, 0, 0],
            ),
            **linear("classifier", [[2], [-1]], [0, 1]),
        },
        inputs={
            "acoustic": drive(frames([[0.5, 0.25]])),
            "visual": drive(frames([[0.25, -0.25]])),
        },
        outputs={"depression": array([[6.0, -2.0]])},
        attention={
            "jaf.0/T_A": LN2 * array([[2, 0]]),
            "jaf.0/T_V": LN2 * array([[0, 1]]),
            "jaf.0/T_mixed": LN2 * array([[0, 1, 2, 0]]),
            "jaf.0/A_A": array([[1 / 3, 2 / 3]]),
            "jaf.0/A_V": array([[0.8, 0.2]]),
        },
    )
)
