"""Cases of AMM's bidirectional GRU over padded text."""

from __future__ import annotations

import numpy as np

from hand_computed import NAN, Arrays, HandComputed, array, linear
from hand_computed.amm.build import TEXT_ONLY, clear_lstm, tt
from hand_computed.amm.equations import encoded


def bidirectional_text_recurrence() -> HandComputed:
    """Sec. III-B.1: the backward direction of the BiGRU starts at the last real word."""
    # "bidirectional Gated Recurrent Unit". Text alone, No I_e, one task: GRU, Eq. 2, LSTM, mean.
    # Row 0 has three words, row 1 two, row 2 two with a hole between them. Ordinary weights; loops
    # over the real words.
    rng = np.random.default_rng(3)
    w: Arrays = {
        f"text_gru.{part}{suffix}": rng.uniform(-1.5, 1.5, shape)
        for suffix in ("", "_reverse")
        for part, shape in {
            "weight_ih_l0": (6, 2),
            "weight_hh_l0": (6, 2),
            "bias_ih_l0": (6,),
            "bias_hh_l0": (6,),
        }.items()
    }
    w |= linear("text_attention.proj", rng.uniform(-1, 1, (4, 4)), rng.uniform(-1, 1, 4))
    w["text_attention.score.weight"] = array([[2, -2, 3, 1]])
    w |= clear_lstm("lstm_dep", 2 * np.eye(4), forget=True)
    w |= linear("classifier.dep", np.eye(4), np.zeros(4))
    x = rng.uniform(-2, 2, (3, 3, 2))
    mask = np.array([[True, True, True], [True, True, False], [True, False, True]])
    x[~mask] = NAN
    logits, alphas = [], np.zeros((3, 3))
    for row in range(3):
        tokens, alpha = encoded(w, "text", list(x[row][mask[row]]), np.zeros(0))
        alphas[row, mask[row]] = alpha
        logits.append(np.mean([tt(2 * token) for token in tokens], 0))
    return HandComputed(
        name="bidirectional_text_recurrence",
        fields={**TEXT_ONLY, "tasks": {"depression": 4}, "text_hidden": 2, "task_hidden": 4},
        state=w,
        inputs={"text": x, "text_mask": mask},
        outputs={"depression": np.stack(logits)},
        attention={"alpha_text": alphas},
    )


CASES: list[HandComputed] = [
    bidirectional_text_recurrence(),
]
