"""Cases of the histories and the joint attention of the released SMFL network."""

from __future__ import annotations

import numpy as np

from hand_computed import HandComputed, linear
from hand_computed.smfl.build import counted, counting_lstm, table
from hand_computed.smfl.released.build import released_state

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# R1, R2, R3. Histories, joint attention and head on paper. The second LSTMs only count (case 13):
#   h_n = tanh((1 - 2^-n) tanh(g)) / 2
# Three real sentences (a fourth is padding). Audio and fused run over 3. Face and text run over
# the last sentence twice, n = 2; with fix_history over 3.
# Biases of g: audio 1, face 1.5, text 0.5, fused 2.
# Joint attention: softmax over length one is one, so A' = P(.75 V(Tx) + .25 V(A)),
#   V = 2 x + 1, P = 3 x - 2 in each of the 8 channels (queries and keys random: no effect):
#   A' = 3 (2 (.75 Tx + .25 A) + 1) - 2
# The fusion attention is the identity. Head: identity on [A', Fv, Tx, U] (38 classes).
# R3: the joint attention strengthens the face instead: [A, F', Tx, U].
# ---------------------------------------------------------------------------------------------
def histories(name: str, fix_history: bool, target: str) -> HandComputed:
    rng = np.random.default_rng(101)
    state = released_state(rng, 2, 2, 38)
    state |= counting_lstm("conv_audio_all", 16, 8, 1)
    state |= counting_lstm("conv_face_all", 16, 8, 1.5)
    state |= counting_lstm("conv_text_all", 16, 8, 0.5)
    state |= counting_lstm("conv_fusion_all", 14, 14, 2)
    qkv, bias = state["jointAtt.qkv.weight"].copy(), state["jointAtt.qkv.bias"].copy()
    qkv[16:], bias[16:] = 2 * np.eye(8), 1
    state |= linear("jointAtt.qkv", qkv, bias)
    state |= linear("jointAtt.proj", 3 * np.eye(8), np.full(8, -2))
    state |= linear("linear", np.eye(38), np.zeros(38))
    n = 3 if fix_history else 2
    a, f, t, u = counted(3, 1), counted(n, 1.5), counted(n, 0.5), counted(3, 2)
    if target == "acoustic":
        a = 3 * (2 * (0.75 * t + 0.25 * a) + 1) - 2
    else:
        f = 3 * (2 * (0.75 * t + 0.25 * f) + 1) - 2
    sentences = table(
        (0, 2, 0, 1, 0, 1), (2, 4, 1, 2, 1, 2), (4, 6, 2, 4, 2, 3), (0, 6, 0, 4, 0, 3)
    )
    return HandComputed(
        name=name,
        fields={
            "fix_history": fix_history,
            "cmjat_target": target,
            "classes": 38,
        },
        state=state,
        inputs={
            "acoustic": rng.uniform(-1, 1, (1, 6, 2)),
            "visual": rng.uniform(-1, 1, (1, 4, 2)),
            "text": rng.uniform(-1, 1, (1, 3, 768)),
            "sentences": sentences[None],
            "sentences_mask": np.array([[1, 1, 1, 0]], bool),
        },
        outputs={
            "depression": np.concatenate(
                [np.full(8, a), np.full(8, f), np.full(8, t), np.full(14, u)]
            )[None]
        },
    )


CASES.append(histories("released_last_sentence_twice", False, "acoustic"))
CASES.append(histories("released_true_history", True, "acoustic"))
CASES.append(histories("released_joint_attention_on_face", False, "visual"))
