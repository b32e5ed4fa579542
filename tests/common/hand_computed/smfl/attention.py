"""Cases of SMFL's self-attention over sentences."""

from __future__ import annotations

import numpy as np

from hand_computed import HandComputed, linear
from hand_computed.smfl.build import PASSING, attention_state, passing_tcn, table
from hand_computed.smfl.equations import self_attention

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# 6, 7. "a self-attention mechanism is inserted. This self-attention mechanism processes
# sentence-level features" (2.5): LN(x + attention(x)) by loops, heads 2, channels 4, scores over
# sqrt(2). Case 6: every sentence is there, with the map. Case 7: sentence 1 of 3 is not there and
# a fourth is padding; neither is a key nor enters the mean.
# ---------------------------------------------------------------------------------------------
def attended(name: str, windows: tuple[tuple[int, int], ...], real: list[bool]) -> HandComputed:
    rng = np.random.default_rng(6)
    state = passing_tcn("acoustic", 4) | attention_state(rng, "acoustic", 4)
    state |= linear("fusion", np.eye(4), np.zeros(4))
    state |= linear("head", np.eye(8), np.zeros(8))
    frames = np.round(rng.uniform(0, 2, (4, 4)), 2)
    x = [
        frames[end - 1] for (start, end), r in zip(windows, real, strict=True) if r and end > start
    ]
    rows, weights = self_attention(x, state, "acoustic", 2)
    fused = sum(x) / len(x)  # the fused stream does not pass the self-attention
    complete = len(x) == len(windows)
    return HandComputed(
        name=name,
        fields={
            **PASSING,
            "modalities": ("acoustic",),
            "channels": 4,
            "heads": 2,
            "self_attention": True,
            "classes": 8,
        },
        state=state,
        inputs={
            "acoustic": frames[None],
            "sentences": table(*[(a, b, 0, 0, 0, 0) for a, b in windows])[None],
            "sentences_mask": np.array([real]),
        },
        outputs={"depression": np.concatenate([fused, sum(rows) / len(rows)])[None]},
        attention={"attention_acoustic/attention": weights[None]} if complete else {},
    )


CASES.append(
    attended("self_attention_residual_and_norm", ((0, 1), (1, 3), (3, 4)), [True, True, True])
)
CASES.append(
    attended(
        "self_attention_ignores_sentences_that_are_not_there",
        ((0, 1), (1, 1), (3, 4), (0, 3)),
        [True, True, True, False],
    )
)
