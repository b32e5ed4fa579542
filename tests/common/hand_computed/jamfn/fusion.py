"""Cases of JAMFN's plain fusions, which take the place of the joint attention."""

from __future__ import annotations

import numpy as np

from hand_computed import NAN, HandComputed, array, linear
from hand_computed.jamfn.build import conv, drive, frames, memoryless

CASES: list[HandComputed] = []


# 10. Plain fusion "add" (README §6) with masked=True: maps are zeros at padding, the convolution's
# bias included, and the mean is over the frames that are real in at least one modality (README §5).
# L = 3, scales (1, 3). The readout "flatten" is not read.
#
#     conv_a: k = 1: a_p + 1;    k = 3, w = 4 (0, 0, 1): a_{p+1} + 2
#     conv_v: k = 1: 2 v_p + 1;  k = 3, w = 4 (1, 0, 0): v_{p-1} + 3
# Row 0: a = (2, -1, []), v = (1, [], []), where [] is padding.
#     A: k = 1: (3, 0, 0), k = 3: (1, 2, 0);  V: k = 1: (3, 0, 0), k = 3: (3, 0, 0)
#     (13) 3 + 1 + 3 + 3 = 10, 0 + 2 = 2, 0: (10, 2, 0);  12 over 2 frames = 6
# Row 1: no padding, a = (1, 2, -2), v = (2, -1, 1).
#     A: k = 1: (2, 3, -1), k = 3: (4, 0, 2);  V: k = 1: (5, -1, 3), k = 3: (3, 5, 2)
#     (13) (14, 7, 6);  27 over 3 frames = 9
# Row 2: only padding: 0.
# (14) FC = [[1], [-0.5]], bias (0.25, 1).

CASES.append(
    HandComputed(
        name="masked_add_zeroes_maps_and_counts_real_frames",
        fields={
            "length": 3,
            "hidden": 1,
            "layers": 1,
            "scales": (1, 3),
            "channels": 1,
            "fusion": "add",
            "readout": "flatten",
            "masked": True,
        },
        state={
            **memoryless("bilstm_a", 1),
            **memoryless("bilstm_v", 1),
            **conv("conv_a.0", [[4.0]], [1.0]),
            **conv("conv_a.1", [[0.0, 0.0, 4.0]], [2.0]),
            **conv("conv_v.0", [[8.0]], [1.0]),
            **conv("conv_v.1", [[4.0, 0.0, 0.0]], [3.0]),
            **linear("classifier", [[1], [-0.5]], [0.25, 1]),
        },
        inputs={
            "acoustic": drive(frames([[0.5, -0.25, NAN], [0.25, 0.5, -0.5], [NAN] * 3])),
            "visual": drive(frames([[0.25, NAN, NAN], [0.5, -0.25, 0.25], [NAN] * 3])),
            "acoustic_mask": np.asarray([[True, True, False], [True] * 3, [False] * 3]),
            "visual_mask": np.asarray([[True, False, False], [True] * 3, [False] * 3]),
        },
        outputs={"depression": array([[6.25, -2], [9.25, -3.5], [0.25, 1]])},
    )
)


# 11. Plain fusion "multiply" (README §6) with masked=False: padding is a frame of zeros, the mean
# is over all frames, products are added over scales. L = 2, scales (1, 3). a = (2, 0 at padding),
# v = (1, -1).
#
#     conv_a: k = 1: a_p + 1 = (3, 1);  k = 3, w = 4 (1, 0, 0): a_{p-1} = (0, 2)
#     conv_v: k = 1: v_p + 2 = (3, 1);  k = 3, w = 4 (0, 0, 1): v_{p+1} + 2 = (1, 2)
#     (13) (3 * 3 + 0 * 1, 1 * 1 + 2 * 2) = (9, 5);  mean 7
#     The product of the sums would be (12, 9).
# (14) FC = [[1], [-1]], bias (0, 1): (7, -6)

CASES.append(
    HandComputed(
        name="multiply_then_add_scales_then_mean_over_all_frames",
        fields={
            "length": 2,
            "hidden": 1,
            "layers": 1,
            "scales": (1, 3),
            "channels": 1,
            "fusion": "multiply",
        },
        state={
            **memoryless("bilstm_a", 1),
            **memoryless("bilstm_v", 1),
            **conv("conv_a.0", [[4.0]], [1.0]),
            **conv("conv_a.1", [[4.0, 0.0, 0.0]], [0.0]),
            **conv("conv_v.0", [[4.0]], [2.0]),
            **conv("conv_v.1", [[0.0, 0.0, 4.0]], [2.0]),
            **linear("classifier", [[1], [-1]], [0, 1]),
        },
        inputs={
            "acoustic": drive(frames([[0.5, NAN]])),
            "visual": drive(frames([[0.25, -0.25]])),
            "acoustic_mask": np.asarray([[True, False]]),
        },
        outputs={"depression": array([[7.0, -6.0]])},
    )
)


# 12. Plain fusion "concat" (README §6) with masked=True, acoustic first; vision has no mask and is
# real everywhere, so that the mean is over all frames (README §5). Inputs of case 11, but conv_a at
# k = 3 has the bias 1.
#
#     A: k = 1: (3, 0), k = 3: (1, 0), zeros at padding;  V: k = 1: (3, 1), k = 3: (1, 2)
#     (13) [(3 + 1, 3 + 1), (0, 1 + 2)] = [(4, 4), (0, 3)];  mean (2, 3.5)
# (14) FC = [[1, 10], [-2, 1]], bias (1, 0): (2 + 35 + 1, -4 + 3.5) = (38, -0.5)

CASES.append(
    HandComputed(
        name="concat_is_acoustic_first_and_no_mask_means_real",
        fields={
            "length": 2,
            "hidden": 1,
            "layers": 1,
            "scales": (1, 3),
            "channels": 1,
            "fusion": "concat",
            "masked": True,
        },
        state={
            **memoryless("bilstm_a", 1),
            **memoryless("bilstm_v", 1),
            **conv("conv_a.0", [[4.0]], [1.0]),
            **conv("conv_a.1", [[4.0, 0.0, 0.0]], [1.0]),
            **conv("conv_v.0", [[4.0]], [2.0]),
            **conv("conv_v.1", [[0.0, 0.0, 4.0]], [2.0]),
            **linear("classifier", [[1, 10], [-2, 1]], [1, 0]),
        },
        inputs={
            "acoustic": drive(frames([[0.5, NAN]])),
            "visual": drive(frames([[0.25, -0.25]])),
            "acoustic_mask": np.asarray([[True, False]]),
        },
        outputs={"depression": array([[38.0, -0.5]])},
    )
)
