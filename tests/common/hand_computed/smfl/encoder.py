"""Cases of SMFL's encoders of a sentence: temporal convolutions and the LSTM."""

from __future__ import annotations

import numpy as np

from hand_computed import NAN, HandComputed, affine, array, linear, relu
from hand_computed.smfl.build import PASSING, lstm_state, table
from hand_computed.smfl.equations import lstm_last, tcn

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# 1. A TCN block on paper. "this study integrates causal convolutions, dilated convolutions, and
# residual blocks" (2.5).
#
# Weight norm: w = g v / ||v||, the norm over all of an output channel.
#   conv1: channel 0: v = (3, 4), ||v|| = 5, g = 10 -> (6, 8), bias -10
#          channel 1: v = (0, 2), ||v|| = 2, g = 1 -> (0, 1), bias 1
#   conv2: channel 0: v = ((1, 2), (2, 4)), ||v|| = 5, g = 2.5 -> ((.5, 1), (1, 2)), bias -1
#          channel 1: v = ((0, 0), (3, -4)), ||v|| = 5, g = 5 -> itself, bias 2
#   skip:  (-2, 3) x + (1, -1)
# The first tap reads the frame before, the second the frame itself.
#
# Row 0: frames 9, 1, 2, NaN (padding); window [1, 3) = 1, 2. The 9 before it is not seen.
#   conv1 at 1: (8 * 1 - 10, 1 + 1) -> (-2, 2) -> (0, 2)
#   conv1 at 2: (6 * 1 + 8 * 2 - 10, 2 + 1) = (12, 3)
#   conv2 at 2: .5 * 0 + 1 * 12 + 1 * 2 + 2 * 3 - 1 = 19;  3 * 2 - 4 * 3 + 2 = -4 -> 0
#   skip: (-2 * 2 + 1, 3 * 2 - 1) = (-3, 5);  sum (16, 5)
# Row 1: frame -1; window [0, 1)
#   conv1: (-8 - 10, -1 + 1) -> (0, 0);  conv2: (-1, 2) -> (0, 2)
#   skip: (2 + 1, -3 - 1) = (3, -4);  sum (3, -2) -> ReLU after the sum (3, 0)
# Fusion: ReLU of ((1, -1), (0, 2)) x + (0, -1): (11, 9) and (3, -1 -> 0).
# ---------------------------------------------------------------------------------------------
CASES.append(
    HandComputed(
        name="tcn_block_weight_norm_causal_skip",
        fields={**PASSING, "modalities": ("text",), "channels": 2, "classes": 4},
        state={
            "tcn_text.network.0.conv1.weight_g": array([[[10]], [[1]]]),
            "tcn_text.network.0.conv1.weight_v": array([[[3, 4]], [[0, 2]]]),
            "tcn_text.network.0.conv1.bias": array([-10, 1]),
            "tcn_text.network.0.conv2.weight_g": array([[[2.5]], [[5]]]),
            "tcn_text.network.0.conv2.weight_v": array([[[1, 2], [2, 4]], [[0, 0], [3, -4]]]),
            "tcn_text.network.0.conv2.bias": array([-1, 2]),
            "tcn_text.network.0.downsample.weight": array([[[-2]], [[3]]]),
            "tcn_text.network.0.downsample.bias": array([1, -1]),
            **linear("fusion", [[1, -1], [0, 2]], [0, -1]),
            **linear("head", np.eye(4), np.zeros(4)),
        },
        inputs={
            "text": array([[9, 1, 2, NAN], [-1, 7, NAN, NAN]])[..., None],
            "text_mask": np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool),
            "sentences": np.stack([table((0, 0, 0, 0, 1, 3)), table((0, 0, 0, 0, 0, 1))]),
        },
        outputs={"depression": array([[11, 9, 16, 5], [3, 0, 3, 0]])},
    )
)


# ---------------------------------------------------------------------------------------------
# 2. Dilations 1, 2, 4 with zeros on the left of every convolution (not what the biases would make
# of zeros before the sentence), by loops. Weights of a modality are shared over its sentences.
# ---------------------------------------------------------------------------------------------
def dilated() -> HandComputed:
    rng = np.random.default_rng(2)
    state = {}
    for i in range(3):
        for conv in ("conv1", "conv2"):
            name = f"tcn_visual.network.{i}.{conv}"
            into = 3 if (i == 0 and conv == "conv1") else 2
            state[f"{name}.weight_g"] = rng.uniform(0.8, 1.6, (2, 1, 1))
            state[f"{name}.weight_v"] = rng.uniform(-0.3, 1.0, (2, into, 3))
            state[f"{name}.bias"] = rng.uniform(-0.2, 0.8, 2)
    state["tcn_visual.network.0.downsample.weight"] = rng.uniform(-1, 1, (2, 3, 1))
    state["tcn_visual.network.0.downsample.bias"] = rng.uniform(-1, 1, 2)
    state |= linear("fusion", np.eye(2), np.zeros(2))  # channels are >= 0: F_fuse = F_visual
    state |= linear("head", np.eye(4), np.zeros(4))
    frames = np.round(rng.uniform(-1.5, 1.5, (14, 3)), 2)
    sentences = table((0, 0, 0, 9, 0, 0), (0, 0, 9, 14, 0, 0))
    vectors = []
    for start, end in ((0, 9), (9, 14)):
        vectors.append(tcn(list(frames[start:end]), state, "tcn_visual", 3)[-1])
    mean = (vectors[0] + vectors[1]) / 2
    return HandComputed(
        name="tcn_dilations_double_and_zeros_on_the_left",
        fields={
            **PASSING,
            "modalities": ("visual",),
            "channels": 2,
            "layers": 3,
            "kernel": 3,
            "classes": 4,
        },
        state=state,
        inputs={"visual": frames[None], "sentences": sentences[None]},
        outputs={"depression": np.concatenate([mean, mean])[None]},
    )


CASES.append(dilated())


# ---------------------------------------------------------------------------------------------
# 4. LSTM encoder by loops: shared weights, a zero state for every sentence, the state at the last
# frame; a sentence that is not there is left out of the mean.
# ---------------------------------------------------------------------------------------------
def lstm_encoded() -> HandComputed:
    rng = np.random.default_rng(4)
    state = lstm_state(rng, "encoder_acoustic", 3, 2)
    state |= linear("fusion", [[2, 0], [0, -2]], [0, 0.5])
    state |= linear("head", np.eye(4), np.zeros(4))
    frames = np.round(rng.uniform(-2, 2, (8, 3)), 2)
    frames[6:] = NAN
    sentences = table((0, 3, 0, 0, 0, 0), (3, 3, 0, 0, 0, 0), (2, 8, 0, 0, 0, 0))
    vectors = [
        lstm_last(list(frames[start:end]), state, "encoder_acoustic")
        for start, end in ((0, 3), (2, 6))
    ]
    fused = [relu(affine(v, state, "fusion")) for v in vectors]
    expected = np.concatenate([(fused[0] + fused[1]) / 2, (vectors[0] + vectors[1]) / 2])
    return HandComputed(
        name="lstm_encoder_starts_every_sentence_anew",
        fields={
            **PASSING,
            "modalities": ("acoustic",),
            "channels": 2,
            "encoder": "lstm",
            "classes": 4,
        },
        state=state,
        inputs={
            "acoustic": frames[None],
            "acoustic_mask": (np.arange(8) < 6)[None],
            "sentences": sentences[None],
        },
        outputs={"depression": expected[None]},
    )


CASES.append(lstm_encoded())
