"""Cases of the text and the face encoder of the released SMFL network."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import NAN, HandComputed, array, linear, matrix
from hand_computed.smfl.build import counted, counting_lstm, table
from hand_computed.smfl.released.build import norm_state, reading_lstm, released_state

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# R4. Order of the text encoder: convolution, ReLU, batch norm. All convolutions have zero weights,
# the last a bias of -1: ReLU gives 0 at all 16 places (norm before ReLU would give
# ReLU((-1 - 2) * 3 + 4) = 0). Running mean 2, variance 1 - 1e-5 (so that with epsilon the root is
# 1), weight 3, bias 4: t = (0 - 2) * 3 + 4 = -2 at all places.
# One sentence, so the text LSTM takes one step (no doubling): input weights read place 0 into g
# alone, 0.5 t: g = tanh(-1), c = g / 2, h = tanh(c) / 2 in all 8 channels.
# The face LSTM of a sentence is a counting one (2 frames of its window), read likewise.
# The audio window is empty: zeros, so its second LSTM has g = 0 and gives 0.
# Head: logit 0 = sum of Tx, logit 1 = sum of Fv, logit 2 = sum of A' with V = x, P = x: .75 Tx.
# ---------------------------------------------------------------------------------------------
def text_order() -> HandComputed:
    rng = np.random.default_rng(104)
    state = released_state(rng, 2, 2, 3)
    for conv, kernel in ((0, 7), (3, 5), (6, 5)):
        state |= linear(f"conv_text.{conv}", np.zeros((1, 1, kernel)), [-1])
    state |= norm_state("conv_text.8", [2], [1 - 1e-5], [3], [4])
    state |= counting_lstm("conv_audio.0", 2, 16, 1)  # not zero for any frame
    state |= counting_lstm("conv_face.0", 2, 16, 1)
    state |= reading_lstm("conv_audio_all", 16, 8, 4)
    state |= reading_lstm("conv_face_all", 16, 8, 4)
    state |= reading_lstm("conv_text_all", 16, 8, 0.5)
    qkv = np.concatenate([rng.uniform(-1.5, 1.5, (16, 8)), np.eye(8)])
    state |= linear("jointAtt.qkv", qkv, np.zeros(24))
    state |= linear("jointAtt.proj", np.eye(8), np.zeros(8))
    head = np.zeros((3, 38))
    head[0, 16:24], head[1, 8:16], head[2, :8] = 1, 1, 1
    state |= linear("linear", head, np.zeros(3))
    text = math.tanh(math.tanh(-1) / 2) / 2
    face = math.tanh(math.tanh(4 * counted(2, 1)) / 2) / 2
    return HandComputed(
        name="released_text_relu_before_norm_and_empty_audio",
        fields={"classes": 3},
        state=state,
        inputs={
            "acoustic": rng.uniform(-1, 1, (1, 3, 2)),
            "visual": rng.uniform(-1, 1, (1, 4, 2)),
            "text": rng.uniform(-1, 1, (1, 1, 768)),
            "sentences": table((5, 8, 1, 3, 0, 1))[None],
        },
        outputs={"depression": array([[8 * text, 8 * face, 6 * text]])},
    )


CASES.append(text_order())


# ---------------------------------------------------------------------------------------------
# R5. No real sentence: the first 1000 face frames, face LSTM, linear_face. The face LSTM reads
# input 0 into g with weight 1 (gates 1/2).
# Row 0: 999 zeros (c stays 0), then 1, then three 5s that are not read:
#   c = tanh(1) / 2, h = tanh(c) / 2
# Row 1: two real frames 1, 1, then NaN: c = tanh(1) * (1/4 + 1/2) = .75 tanh(1)
# Row 2: no real frame: zeros; the bias is left.
# linear_face: logit 0 = 2 * unit 0 + 0.5, logit 1 = -unit 15 - 0.5.
# ---------------------------------------------------------------------------------------------
def no_sentence() -> HandComputed:
    rng = np.random.default_rng(105)
    state = released_state(rng, 2, 2, 2) | reading_lstm("conv_face.0", 2, 16, 1)
    state |= linear("linear_face", matrix(2, 16, {(0, 0): 2, (1, 15): -1}), [0.5, -0.5])
    face = np.full((3, 1003, 2), NAN)
    face[0] = 0
    face[0, 999], face[0, 1000:] = 1, 5
    face[1, :2] = 1
    h = array([math.tanh(0.5 * math.tanh(1)) / 2, math.tanh(0.75 * math.tanh(1)) / 2, 0])
    return HandComputed(
        name="released_no_sentence_reads_the_face",
        fields={},
        state=state,
        inputs={
            "acoustic": np.full((3, 1, 2), NAN),
            "acoustic_mask": np.zeros((3, 1), bool),
            "visual": face,
            "visual_mask": np.arange(1003)[None] < np.array([[1003], [2], [0]]),
            "text": np.full((3, 1, 768), NAN),
            "text_mask": np.zeros((3, 1), bool),
            "sentences": np.stack(3 * [table((0, 1, 0, 1, 0, 1))]),
            "sentences_mask": np.zeros((3, 1), bool),
        },
        outputs={"depression": np.stack([2 * h + 0.5, -h - 0.5], -1)},
    )


CASES.append(no_sentence())
