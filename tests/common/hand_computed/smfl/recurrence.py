"""Cases of SMFL's LSTMs over sentences."""

from __future__ import annotations

import numpy as np

from hand_computed import HandComputed, array, linear
from hand_computed.smfl.build import PASSING, counted, counting_lstm, passing_tcn, table

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# 13. The LSTMs over sentences step once for each sentence that is there. All weights are zero,
# so are the biases of i, f, o (gates 1/2) and g = tanh(bias). From c = 0:
#   c_n = c_(n-1) / 2 + g / 2 = (1 - 2^-n) g,   h_n = tanh(c_n) / 2
# Sentences: text is there in 0 and 2, acoustic in 2 alone, visual never; sentence 3 is there in
# none, 4 is padding. Steps: text 2, acoustic 1, visual 0 (zeros), fused 2 (sentences 0 and 2).
# Biases of g: text 1, acoustic 2, visual 3, fused 1.5 (the sum of both bias vectors).
# ---------------------------------------------------------------------------------------------
CASES.append(
    HandComputed(
        name="lstm_steps_over_sentences_that_are_there",
        fields={**PASSING, "lstm": True, "channels": 1, "hidden": 1, "classes": 4},
        state={
            **passing_tcn("acoustic", 1),
            **passing_tcn("visual", 1),
            **passing_tcn("text", 1),
            **counting_lstm("lstm_acoustic", 1, 1, 2),
            **counting_lstm("lstm_visual", 1, 1, 3),
            **counting_lstm("lstm_text", 1, 1, 1),
            **counting_lstm("lstm_fusion", 1, 1, 1.5),
            **linear("fusion", [[1, 1, 1]], [0]),
            **linear("head", np.eye(4), np.zeros(4)),
        },
        inputs={
            "acoustic": array([1, 2, 3])[None, :, None],
            "visual": array([1, 2, 3])[None, :, None],
            "text": array([1, 2, 3])[None, :, None],
            "sentences": table(
                (0, 0, 1, 1, 0, 1),
                (1, 1, 1, 1, 1, 1),
                (0, 2, 1, 1, 1, 3),
                (3, 3, 3, 3, 3, 3),
                (0, 3, 0, 3, 0, 3),
            )[None],
            "sentences_mask": np.array([[1, 1, 1, 1, 0]], bool),
        },
        outputs={"depression": array([[counted(2, 1.5), counted(2, 1), counted(1, 2), 0]])},
    )
)
