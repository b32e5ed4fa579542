"""Cases of DEP-Former's cross-attention, its head, and one or two modalities."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import HandComputed
from hand_computed.depformer.build import constructor_fields, recordings, set_ones, zeros
from hand_computed.depformer.network import looped


def fusion_head_counts_the_shared_bias_three_times() -> HandComputed:
    """README §9: logits = fc(flat m) + sum_k z_k fc4(flat branch_k); here z_k = probability.

    All layer norms have weight 0, so each returns its bias at every step:
      m      = encoder.norm.bias = (1, 2)
      y      = encoder_fv.norm.bias = (3, -1), and y + LN_enc(en_fv(y, S)) with LN_enc
               used a second time and no norm after the sum (§6): face = voice = (6, -2)
      cross  = cross.norm.bias = (-4, 5)
    Two words, one stack, one layer: flat = the pair twice.
      fc  = [[1, 1, 2, 0], [0, -1, 1, 3]] + (0.5, -0.5)
        fc(m)      = (1 + 2 + 2 + 0.5, -2 + 1 + 6 - 0.5)             = (5.5, 4.5)
      fc4 = [[1, 0, 0, 2], [2, 1, -1, 0]] + (10, 20)
        fc4(cross) = (-4 + 10 + 10, -8 + 5 + 4 + 20)                 = (16, 21)
        fc4(face)  = fc4(voice) = (6 - 4 + 10, 12 - 2 - 6 + 20)      = (12, 24)
      probability 0.25: (5.5 + (16 + 12 + 12) / 4, 4.5 + (21 + 24 + 24) / 4) = (15.5, 21.75)
    """
    fields = {"words": 2, "features": 2, "probability": 0.25}
    state = zeros(fields, 3, 2)
    state["encoder.norm.bias"] = np.array([1.0, 2.0])
    state["encoder_fv.norm.bias"] = np.array([3.0, -1.0])
    state["cross.norm.bias"] = np.array([-4.0, 5.0])
    state["fc.weight"] = np.array([[1.0, 1.0, 2.0, 0.0], [0.0, -1.0, 1.0, 3.0]])
    state["fc.bias"] = np.array([0.5, -0.5])
    state["fc4.weight"] = np.array([[1.0, 0.0, 0.0, 2.0], [2.0, 1.0, -1.0, 0.0]])
    state["fc4.bias"] = np.array([10.0, 20.0])
    return HandComputed(
        name="fusion_head_counts_the_shared_bias_three_times",
        fields=constructor_fields(fields),
        state=state,
        inputs=recordings(1, 2, (2, 3), (2, 2)),
        outputs={"depression": np.array([[15.5, 21.75], [15.5, 21.75]])},
    )


def residual_of_the_cross_attention_is_the_query() -> HandComputed:
    """README §8: cross = LN(query + context W_O); here the voice queries.

    Separate encoders, query = voice. The norms inside the encoders have weight 0, so that
      m     = (1, 0, 0)            at both steps
      face  = 2 (5, 0, 0)          = (10, 0, 0), twice the bias, as y + LN_enc(...)
      voice = 2 (0, 1, 2)          = (0, 2, 4)
    All keys are equal, so the context is the value of m, one head of width 1:
      W_V = (3, 0, 0) -> 3;  Wo = (1, -1, 2)^T -> (3, -3, 6)
      + the query's stream (0, 2, 4) -> (3, -1, 10), mean 4, centred (-1, -5, 6), variance 62 / 3
      LN with weight 1 and bias 0: (-1, -5, 6) / sqrt(62 / 3 + 1e-5)
    (with the face as residual it were (13, -3, 6).)
    A regression; fc = 0 but its bias 0.5; fc4 reads channels 0 and 2 of the first step with
    weights 1 and 2, no bias:
      fc4(cross) = (-1 + 12) / s = 11 / s,  fc4(face) = 10,  fc4(voice) = 8
      output = 0.5 + 0.1 (11 / s + 18)
    """
    fields = {
        "words": 2,
        "features": 3,
        "heads": 1,
        "width": 1,
        "share_encoder": False,
        "cross_query": "acoustic",
        "classes": None,
    }
    state = zeros(fields, 2, 2)
    state["encoder.norm.bias"] = np.array([1.0, 0.0, 0.0])
    state["encoder_f.norm.bias"] = np.array([5.0, 0.0, 0.0])
    state["encoder_v.norm.bias"] = np.array([0.0, 1.0, 2.0])
    state["cross.W_Q.weight"] = np.array([[1.0, 1.0, 1.0]])
    state["cross.W_K.weight"] = np.array([[1.0, 2.0, 3.0]])
    state["cross.W_V.weight"] = np.array([[3.0, 0.0, 0.0]])
    state["cross.fc.weight"] = np.array([[1.0], [-1.0], [2.0]])
    set_ones(state, "cross.norm.weight")
    state["fc.bias"] = np.array([0.5])
    state["fc4.weight"] = np.array([[1.0, 0.0, 2.0, 0.0, 0.0, 0.0]])
    value = 0.5 + 0.1 * (11 / math.sqrt(62 / 3 + 1e-5) + 18)
    return HandComputed(
        name="residual_of_the_cross_attention_is_the_query",
        fields=constructor_fields(fields),
        state=state,
        inputs=recordings(2, 2, (2, 2), (2, 2)),
        outputs={"depression": np.array([value, value])},
    )


def separate_encoders_and_acoustic_query() -> HandComputed:
    """README §6, §8: encoder_f for faces, encoder_v for voices; query = voice, key = face."""
    fields = {
        "features": 3,
        "share_encoder": False,
        "cross_query": "acoustic",
        "probability": 0.4,
        "classes": None,
    }
    return looped(
        "separate_encoders_and_acoustic_query", fields, 20, recordings(20, 3, (4, 3), (4, 2))
    )


def faces_alone() -> HandComputed:
    """fc1, LN, fc3, encoder (its embedding reads `adapted` channels) and fc; 8-bit faces."""
    inputs = recordings(21, 2, (4, 3), (4, 2))
    inputs["visual"] = np.random.default_rng(21).integers(0, 256, (2, 5, 3)).astype(np.uint8)
    inputs["visual_mask"] = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], dtype=bool)
    return looped("faces_alone", {"modalities": ("visual",), "layers": 2}, 21, inputs)


def voices_alone() -> HandComputed:
    """The same with fc2; three classes."""
    fields = {"modalities": ("acoustic",), "words": 8, "stacks": 2, "layers": 2, "classes": 3}
    return looped("voices_alone", fields, 22, recordings(22, 2, (8, 3), (8, 2)))


CASES: list[HandComputed] = [
    fusion_head_counts_the_shared_bias_three_times(),
    residual_of_the_cross_attention_is_the_query(),
    separate_encoders_and_acoustic_query(),
    faces_alone(),
    voices_alone(),
]
