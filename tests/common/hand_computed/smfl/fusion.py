"""Cases of SMFL's fused stream and of the cross-attention with it."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import LN3, NAN, HandComputed, array, linear
from hand_computed.smfl.build import PASSING, passing_tcn, table

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# 5. Two orders of concatenation. modalities = (visual, text, acoustic); one channel; two sentences
#   visual 1, 3   text 10, 20   acoustic 100, not there
# Fusion (in the order of modalities): ReLU(1 * visual + 2 * text - 0.5 * acoustic)
#   sentence 0: 1 + 20 - 50 = -29 -> 0;  sentence 1: 3 + 40 - 0 = 43;  mean 21.5
# Head [F_fuse, text, acoustic, visual]: means 21.5, 15, 100 (of one sentence), 2
#   logit 0: 1 * 21.5 + 2 * 15 + 3 * 100 + 4 * 2 = 359.5
#   logit 1: 15 - 2 + 0.25 = 13.25
# ---------------------------------------------------------------------------------------------
CASES.append(
    HandComputed(
        name="fusion_in_order_of_modalities_and_head_in_its_own",
        fields={**PASSING, "modalities": ("visual", "text", "acoustic"), "channels": 1},
        state={
            **passing_tcn("visual", 1),
            **passing_tcn("text", 1),
            **passing_tcn("acoustic", 1),
            **linear("fusion", [[1, 2, -0.5]], [0]),
            **linear("head", [[1, 2, 3, 4], [0, 1, 0, -1]], [0, 0.25]),
        },
        inputs={
            "visual": array([1, 3])[None, :, None],
            "text": array([10, 20])[None, :, None],
            "acoustic": array([100, NAN])[None, :, None],
            "acoustic_mask": np.array([[True, False]]),
            "sentences": table((0, 1, 0, 1, 0, 1), (1, 2, 1, 2, 1, 2))[None],
        },
        outputs={"depression": array([[359.5, 13.25]])},
    )
)


# ---------------------------------------------------------------------------------------------
# 14. Cross-attention on paper (2.7: "The normalized modality mappings are multiplied element-wise
# with F_fuse"). d = 2; one sentence; text (1, 0); fusion ((1, 0), (2, 0)) -> F_fuse = (1, 2).
#   q_i = (sqrt 2 ln 3 f_i, 0), k_j = (m_j, 0), v_j = (m_j, 0)
#   q_i k_j / sqrt 2 = ln 3 f_i m_j:  query 1: (3, 1) / 4 -> .75;  query 2: (9, 1) / 10 -> .9
#   out: (ln 2 / .15) x: the second exceeds the first by ln 2 -> softmax (1/3, 2/3)
#   CA = (1/3 * 1, 2/3 * 2) = (1/3, 4/3)
# Head [F_fuse, CA_text] as it is.
# ---------------------------------------------------------------------------------------------
CASES.append(
    HandComputed(
        name="cross_attention_over_features",
        fields={
            **PASSING,
            "modalities": ("text",),
            "channels": 2,
            "cross_attention": True,
            "classes": 4,
        },
        state={
            **passing_tcn("text", 2),
            **linear("fusion", [[1, 0], [2, 0]], [0, 0]),
            **linear("cross_text.q", [[math.sqrt(2) * LN3], [0]], [0, 0]),
            **linear("cross_text.k", [[1], [0]], [0, 0]),
            **linear("cross_text.v", [[1], [0]], [0, 0]),
            **linear("cross_text.out", [[math.log(2) / 0.15, 7]], [3]),
            **linear("head", np.eye(4), np.zeros(4)),
        },
        inputs={
            "text": array([[[1, 0]]]),
            "sentences": table((0, 0, 0, 0, 0, 1))[None],
        },
        outputs={"depression": array([[1, 2, 1 / 3, 4 / 3]])},
        attention={"cross_text/weights": array([[1 / 3, 2 / 3]])},
    )
)
