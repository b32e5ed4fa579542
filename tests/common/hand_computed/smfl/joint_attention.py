"""Cases of SMFL's joint attention between text and another modality, CMJAT."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import LN3, NAN, HandComputed, affine, array, linear, matrix, relu
from hand_computed.smfl.build import PASSING, cmjat_state, passing_tcn, table
from hand_computed.smfl.equations import cmjat, mean_there

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# 8, 9. CMJAT on paper (equations 3 to 6). Only channel 0 of 4 is used; one head of width 4.
#   tokens: text 1, 2, then visual 0, 1
#   q = s z, k = z, v = 2 z + 1 = 3, 5, 1, 3
# Case 8, unscaled as eq. 6 prints it: s = ln 3, exp(q_i k_j) = 3^(z_i z_j).
# Case 9, scale=True: s = 2 ln 3, divided by sqrt(4): the same weights.
#   query 1: (3, 9, 1, 3) / 16 -> (9 + 45 + 1 + 9) / 16 = 4
#   query 2: (9, 81, 1, 9) / 100 -> (27 + 405 + 1 + 27) / 100 = 4.6
#   query 0: (1, 1, 1, 1) / 4 -> 12 / 4 = 3
#   query 1: as the first, 4
# Mixture (log 3, log 1) -> .75 of text's output, .25 of the target's:
#   .75 * 4 + .25 * 3 = 3.75;  .75 * 4.6 + .25 * 4 = 4.45;  P: 2 x - 1: 6.5, 7.9;  mean 7.2
# The fused stream has the encoder's vectors: ReLU(visual + text) = 1, 3 -> 2. Text stays: 1.5.
# ---------------------------------------------------------------------------------------------
def joint_by_hand(name: str, query: float, scale: bool) -> HandComputed:
    weights = array([[3, 9, 1, 3], [9, 81, 1, 9], [4, 4, 4, 4], [3, 9, 1, 3]])
    weights /= array([[16], [100], [16], [16]])
    return HandComputed(
        name=name,
        fields={
            **PASSING,
            "modalities": ("visual", "text"),
            "channels": 4,
            "cmjat_targets": ("visual",),
            "scale": scale,
            "classes": 3,
        },
        state={
            **passing_tcn("visual", 4),
            **passing_tcn("text", 4),
            **linear(
                "cmjat_visual.qkv",
                matrix(12, 4, {(0, 0): query, (4, 0): 1, (8, 0): 2}),
                [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
            ),
            "cmjat_visual.mixture": array([LN3, 0]),
            **linear("cmjat_visual.proj", matrix(4, 4, {(0, 0): 2}), [-1, 0, 0, 0]),
            **linear("fusion", matrix(4, 8, {(0, 0): 1, (0, 4): 1}), np.zeros(4)),
            **linear("head", matrix(3, 12, {(0, 0): 1, (1, 4): 1, (2, 8): 1}), np.zeros(3)),
        },
        inputs={
            "visual": matrix(2, 4, {(1, 0): 1})[None],
            "text": matrix(2, 4, {(0, 0): 1, (1, 0): 2})[None],
            "sentences": table((0, 0, 0, 1, 0, 1), (0, 0, 1, 2, 1, 2))[None],
        },
        outputs={"depression": array([[2, 1.5, 7.2]])},
        attention={"cmjat_visual/attention": weights[None, None]},
    )


CASES.append(joint_by_hand("cmjat_scores_without_scale", LN3, False))
CASES.append(joint_by_hand("cmjat_scores_over_root_of_head_width", 2 * LN3, True))


# ---------------------------------------------------------------------------------------------
# 10. CMJAT with two targets and the dense head of 2.6.4 ("channels them through a dense (fully
# connected) layer to make predictions"). One channel; q = ln 3 z, k = z, v = 2 z + 1.
#   text 1, 2 -> v 3, 5;  visual 0, 1 -> v 1, 3;  acoustic 0, not there -> v 1
# Both targets read the text of the encoder, and neither reads the other.
# acoustic: keys 1, 2, 0
#   query 1: (3, 9, 1) / 13 -> (9 + 45 + 1) / 13 = 55 / 13;  query 0: 9 / 3 = 3
#   mixture (0, log 4) -> .2, .8: sentence 0: .2 * 55 / 13 + .8 * 3;  P = identity
#   only sentence 0 is there: the global feature and the mean of the dense head are that number
# visual: as in case 8 with mixture (log 3, 0) and P: 2 x - 1: 7.2
# Dense heads: (1, -1) x + (0, 0.5) for the acoustic one, (2, 1) x + (0, 0) for the visual one.
# Fusion ReLU(-acoustic + visual - text + 5): 0 + 0 - 1 + 5 = 4; 0 + 1 - 2 + 5 = 4: mean 4.
# Head: logit 0 = F_fuse + text, logit 1 = acoustic - visual.
# ---------------------------------------------------------------------------------------------
def two_targets() -> HandComputed:
    acoustic = 0.2 * 55 / 13 + 0.8 * 3
    return HandComputed(
        name="cmjat_two_targets_with_dense_heads",
        fields={
            **PASSING,
            "channels": 1,
            "cmjat_targets": ("acoustic", "visual"),
            "cmjat_head": True,
        },
        state={
            **passing_tcn("acoustic", 1),
            **passing_tcn("visual", 1),
            **passing_tcn("text", 1),
            **linear("cmjat_acoustic.qkv", [[LN3], [1], [2]], [0, 0, 1]),
            "cmjat_acoustic.mixture": array([0, math.log(4)]),
            **linear("cmjat_acoustic.proj", [[1]], [0]),
            **linear("cmjat_acoustic.head", [[1], [-1]], [0, 0.5]),
            **linear("cmjat_visual.qkv", [[LN3], [1], [2]], [0, 0, 1]),
            "cmjat_visual.mixture": array([LN3, 0]),
            **linear("cmjat_visual.proj", [[2]], [-1]),
            **linear("cmjat_visual.head", [[2], [1]], [0, 0]),
            **linear("fusion", [[-1, 1, -1]], [5]),
            **linear("head", [[1, 1, 0, 0], [0, 0, 1, -1]], [0, 0]),
        },
        inputs={
            "acoustic": array([0, 9])[None, :, None],
            "visual": array([0, 1])[None, :, None],
            "text": array([1, 2])[None, :, None],
            "sentences": table((0, 1, 0, 1, 0, 1), (1, 1, 1, 2, 1, 2))[None],
        },
        outputs={
            "depression": array([[5.5, acoustic - 7.2]]),
            "cmjat_acoustic": array([[acoustic, 0.5 - acoustic]]),
            "cmjat_visual": array([[14.4, 7.2]]),
        },
    )


CASES.append(two_targets())


# ---------------------------------------------------------------------------------------------
# 11. CMJAT where a text sentence is not there but the target's is. Values as in case 10, text 1,
# not there; visual 0, 1. The missing token is no key; as a query it is zero, ln 3 * 0 = 0.
#   keys 1, 0, 1 with v 3, 1, 3
#   query 1: (3, 1, 3) / 7 -> 19 / 7;  query 0 (missing): 7 / 3;  query 0: 7 / 3;  query 1: 19 / 7
#   .75 * 19 / 7 + .25 * 7 / 3 and .75 * 7 / 3 + .25 * 19 / 7: the mean is (19 / 7 + 7 / 3) / 2
#   P: x -> x, then the dense head is that mean.
# To tell the sentences apart, an LSTM would be needed; instead sentence 0 of the target is absent
# in row 1: keys 1, 1 with v 3, 3: every output is 3.
# ---------------------------------------------------------------------------------------------
CASES.append(
    HandComputed(
        name="cmjat_missing_text_sentence_is_no_key",
        fields={
            **PASSING,
            "modalities": ("text", "visual"),
            "channels": 1,
            "cmjat_targets": ("visual",),
            "classes": 3,
        },
        state={
            **passing_tcn("visual", 1),
            **passing_tcn("text", 1),
            **linear("cmjat_visual.qkv", [[LN3], [1], [2]], [0, 0, 1]),
            "cmjat_visual.mixture": array([LN3, 0]),
            **linear("cmjat_visual.proj", [[1]], [0]),
            **linear("fusion", [[1, 1]], [0]),
            **linear("head", np.eye(3), np.zeros(3)),
        },
        inputs={
            "visual": array([[0, 1], [5, 1]])[..., None],
            "text": array([[1, NAN], [1, NAN]])[..., None],
            "text_mask": np.array([[True, False], [True, False]]),
            "sentences": np.stack(
                [
                    table((0, 0, 0, 1, 0, 1), (0, 0, 1, 2, 1, 2)),
                    table((0, 0, 0, 0, 0, 1), (0, 0, 1, 2, 1, 2)),
                ]
            ),
        },
        # F_fuse: mean of 1 + 0 and 0 + 1; text: 1 (one sentence).
        outputs={"depression": array([[1, 1, (19 / 7 + 7 / 3) / 2], [1, 1, 3]])},
    )
)


# ---------------------------------------------------------------------------------------------
# 12. CMJAT with two heads of width 2, by loops over equations 3 to 6. Sentence 1 is there in
# neither modality, sentence 3 is there in text alone. Unscaled, and over the square root of the
# head width (2, not the 4 channels).
# ---------------------------------------------------------------------------------------------
def joint_heads(name: str, scaled: bool) -> HandComputed:
    rng = np.random.default_rng(12)
    state = passing_tcn("visual", 4) | passing_tcn("text", 4) | cmjat_state(rng, "visual", 4)
    state |= linear("fusion", rng.uniform(-1, 1, (4, 8)), rng.uniform(0, 1, 4))
    state |= linear("head", np.eye(12), np.zeros(12))
    text, visual = np.round(rng.uniform(0, 2, (2, 3, 4)), 2)
    sentences = table(
        (0, 0, 0, 1, 0, 1), (0, 0, 1, 1, 1, 1), (0, 0, 1, 3, 1, 2), (0, 0, 3, 3, 2, 3)
    )
    t = [text[0], None, text[1], text[2]]
    v = [visual[0], None, visual[2], None]
    enhanced = cmjat(t, v, state, "visual", 2, 1 / math.sqrt(2) if scaled else 1.0)
    fused = []
    for a, b in zip(t, v, strict=True):
        if a is not None:
            both = np.concatenate([a, np.zeros(4) if b is None else b])
            fused.append(relu(affine(both, state, "fusion")))
    parts = [mean_there(fused), mean_there(t), mean_there(enhanced)]
    return HandComputed(
        name=name,
        fields={
            **PASSING,
            "modalities": ("text", "visual"),
            "channels": 4,
            "heads": 2,
            "cmjat_targets": ("visual",),
            "scale": scaled,
            "classes": 12,
        },
        state=state,
        inputs={"text": text[None], "visual": visual[None], "sentences": sentences[None]},
        outputs={"depression": np.concatenate(parts)[None]},
    )


CASES.append(joint_heads("cmjat_heads_and_key_mask", False))
CASES.append(joint_heads("cmjat_heads_scaled_by_their_width", True))
