"""Cases of padding before and inside of JAMFN's attention."""

from __future__ import annotations

import numpy as np

from hand_computed import LN2, NAN, HandComputed, array, linear
from hand_computed.jamfn.build import conv, drive, frames, memoryless

CASES: list[HandComputed] = []


# 8. masked=False: masked frames of the input become zeros and are ordinary frames from there on
# (README §5). L = 3, one acoustic frame is padding (NaN), vision has no mask. The acoustic LSTM has
# the bias drive(0.5), so that a frame of zeros gives F = 0.5.
#
# F_A = (0.25, -0.5, 0.5 at padding), conv_a: 4 F + 1:  X_A = (2, -1, 3)
# F_V = (0.5, 0.25, -0.25), conv_v: 4 F:                X_V = (2, 1, -1)
# FC1 and FC2 are the identity: T_A = (2, -1, 3), T_V = (2, 1, -1)
# FC3, times ln 2: A scores = T_A; V scores = (T_A3, T_V2, -T_V3):
#     T_Mixed = ln 2 * (2, -1, 3, 3, 1, 1)
# A: 4 : 1/2 : 8 = (0.32, 0.04, 0.64), V: 8 : 2 : 2 = (2/3, 1/6, 1/6)
# Fusion, summed: 0.64 - 0.04 + 1.92 + 4/3 + 1/6 - 1/6 = 2.52 + 4/3
# The readout "mean" divides that sum by the number of frames (README §4): / 3
# (14) FC = [[3], [-9]], bias (0, 1): (2.52 + 4/3, -7.56 - 4 + 1)

CASES.append(
    HandComputed(
        name="unmasked_padding_is_a_frame_of_zeros",
        fields={
            "length": 3,
            "hidden": 1,
            "layers": 1,
            "scales": (1,),
            "channels": 1,
            "readout": "mean",
        },
        state={
            **memoryless("bilstm_a", 1, bias=float(drive(0.5))),
            **memoryless("bilstm_v", 1),
            **conv("conv_a.0", [[4.0]], [1.0]),
            **conv("conv_v.0", [[4.0]], [0.0]),
            **linear("jaf.0.fc1", [[1.0]], [0.0]),
            **linear("jaf.0.fc2", [[1.0]], [0.0]),
            **linear(
                "jaf.0.fc3",
                LN2
                * array(
                    [
                        [1, 0, 0, 0, 0, 0],
                        [0, 1, 0, 0, 0, 0],
                        [0, 0, 1, 0, 0, 0],
                        [0, 0, 1, 0, 0, 0],
                        [0, 0, 0, 0, 1, 0],
                        [0, 0, 0, 0, 0, -1],
                    ]
                ),
                [0, 0, 0, 0, 0, 0],
            ),
            **linear("classifier", [[3], [-9]], [0, 1]),
        },
        inputs={
            "acoustic": frames([[*(drive([0.25, -0.5]) - drive(0.5)), NAN]]),
            "visual": drive(frames([[0.5, 0.25, -0.25]])),
            "acoustic_mask": np.asarray([[True, True, False]]),
        },
        outputs={"depression": array([[2.52 + 4 / 3, -10.56]])},
        attention={
            "jaf.0/T_A": array([[2, -1, 3]]),
            "jaf.0/T_V": array([[2, 1, -1]]),
            "jaf.0/T_mixed": LN2 * array([[2, -1, 3, 3, 1, 1]]),
            "jaf.0/A_A": array([[0.32, 0.04, 0.64]]),
            "jaf.0/A_V": array([[2 / 3, 1 / 6, 1 / 6]]),
        },
    )
)


# 9. masked=True in the convolutions, in JAF and in the mean (README §5). L = 3, one scale of kernel
# size 3. The acoustic LSTM would give F = 0.5 at a frame of zeros (bias drive(0.5)), but gives 0 at
# padding.
#
#     conv_a: w = 4 (0, 1, 1), b = 2:  X_A,p = a_p + a_{p+1} + 2
#     conv_v: w = 4 (1, 1, 0), b = -1: X_V,p = v_{p-1} + v_p - 1
#     FC1: T = X; FC2: T = X + 1
#     FC3, times ln 2: A scores = (T_V1, T_V2 + T_V3, T_A1)
#                      V scores = (T_A1 + T_A3, T_A2, T_V3 + 1)
# [] marks padding.
#
# Row 0: a = (2, -1, []), v = (2, [], []).
#     X_A = (2 - 1 + 2, -1 + 0 + 2, [0 + 0 + 2]) = (3, 1, [2]);  T_A = (3, 1, 0)
#     X_V = (2 - 1, [2 - 1], [-1]) = (1, [1], [-1]);             T_V = (2, 0, 0)
#     T_Mixed / ln 2 = (2, 0, 3, 3, 1, 1)
#     A over frames 1 and 2: 4 : 1 = (0.8, 0.2, 0);  V over frame 1: (1, 0, 0)
#     Fusion = (0.8 * 3 + 1 * 1, 0.2 * 1, 0) = (3.4, 0.2, 0);  3.6 over 2 frames = 1.8
# Row 1: all acoustic frames are padding, v = (2, 1, -1).
#     T_A = (0, 0, 0);  X_V = (2 - 1, 2 + 1 - 1, 1 - 1 - 1) = (1, 2, -1);  T_V = (2, 3, 0)
#     T_Mixed / ln 2 = (2, 3, 0, 0, 0, 1)
#     A: (0, 0, 0);  V: 1 : 1 : 2 = (0.25, 0.25, 0.5)
#     Fusion, summed: 0.25 + 0.5 - 0.5 = 0.25, over 3 frames = 1/12
# Row 2: everything is padding. T_Mixed / ln 2 = FC3's bias = (0, 0, 0, 0, 0, 1), all weights 0, and
#     0 over at least 1 frame = 0: only the classifier's bias is left.
# Row 3: nothing is padding, a = (2, 1, -1), v = (1, 2, -2).
#     X_A = (5, 2, 1) = T_A;  X_V = (0, 2, -1);  T_V = (1, 3, 0)
#     T_Mixed / ln 2 = (1, 3, 5, 6, 2, 1)
#     A: 2 : 8 : 32 = (1, 4, 16) / 21;  V: 64 : 4 : 2 = (32, 2, 1) / 35
#     Fusion, summed: (5 + 8 + 16) / 21 + (0 + 4 - 1) / 35 = 29/21 + 3/35 = 22/15; over 3 = 22/45
# (14) FC = [[5], [-10]], bias (1, 2).

MASKED_MEANS = array([1.8, 1 / 12, 0, 22 / 45])

CASES.append(
    HandComputed(
        name="masked_jaf_leaves_padding_out",
        fields={
            "length": 3,
            "hidden": 1,
            "layers": 1,
            "scales": (3,),
            "channels": 1,
            "readout": "mean",
            "masked": True,
        },
        state={
            **memoryless("bilstm_a", 1, bias=float(drive(0.5))),
            **memoryless("bilstm_v", 1),
            **conv("conv_a.0", [[0.0, 4.0, 4.0]], [2.0]),
            **conv("conv_v.0", [[4.0, 4.0, 0.0]], [-1.0]),
            **linear("jaf.0.fc1", [[1.0]], [0.0]),
            **linear("jaf.0.fc2", [[1.0]], [1.0]),
            **linear(
                "jaf.0.fc3",
                LN2
                * array(
                    [
                        [0, 0, 0, 1, 0, 0],
                        [0, 0, 0, 0, 1, 1],
                        [1, 0, 0, 0, 0, 0],
                        [1, 0, 1, 0, 0, 0],
                        [0, 1, 0, 0, 0, 0],
                        [0, 0, 0, 0, 0, 1],
                    ]
                ),
                LN2 * array([0, 0, 0, 0, 0, 1]),
            ),
            **linear("classifier", [[5], [-10]], [1, 2]),
        },
        inputs={
            "acoustic": drive(frames([[0.5, -0.25, NAN], [NAN] * 3, [NAN] * 3, [0.5, 0.25, -0.25]]))
            - drive(0.5),
            "visual": drive(
                frames([[0.5, NAN, NAN], [0.5, 0.25, -0.25], [NAN] * 3, [0.25, 0.5, -0.5]])
            ),
            "acoustic_mask": np.asarray(
                [[True, True, False], [False] * 3, [False] * 3, [True] * 3]
            ),
            "visual_mask": np.asarray([[True, False, False], [True] * 3, [False] * 3, [True] * 3]),
        },
        outputs={"depression": np.stack([5 * MASKED_MEANS + 1, -10 * MASKED_MEANS + 2], axis=1)},
        attention={
            "jaf.0/T_A": array([[3, 1, 0], [0, 0, 0], [0, 0, 0], [5, 2, 1]]),
            "jaf.0/T_V": array([[2, 0, 0], [2, 3, 0], [0, 0, 0], [1, 3, 0]]),
            "jaf.0/T_mixed": LN2
            * array(
                [[2, 0, 3, 3, 1, 1], [2, 3, 0, 0, 0, 1], [0, 0, 0, 0, 0, 1], [1, 3, 5, 6, 2, 1]]
            ),
            "jaf.0/A_A": array([[0.8, 0.2, 0], [0, 0, 0], [0, 0, 0], [1 / 21, 4 / 21, 16 / 21]]),
            "jaf.0/A_V": array(
                [[1, 0, 0], [0.25, 0.25, 0.5], [0, 0, 0], [32 / 35, 2 / 35, 1 / 35]]
            ),
        },
    )
)
