"""States and sentence tables of the SMFL cases."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import LN3, Arrays, array, linear

# Fields of the cases that pass frames through; everything after the encoder is off.
PASSING = {
    "layers": 1,
    "kernel": 2,
    "heads": 1,
    "self_attention": False,
    "lstm": False,
    "cmjat_targets": (),
    "cross_attention": False,
}


def passing_tcn(modality: str, channels: int) -> Arrays:
    """A one-block TCN, kernel 2, that returns ReLU of the frame: its convolutions are zero.

    Weight norm gives w = g * v / ||v|| = 0 with g = 0, biases are zero, and the skip is the frame
    itself because the width is the number of channels: ReLU(0 + x). Frames of its cases are >= 0.
    """
    state = {}
    for conv in ("conv1", "conv2"):
        name = f"tcn_{modality}.network.0.{conv}"
        state[f"{name}.weight_g"] = np.zeros((channels, 1, 1))
        state[f"{name}.weight_v"] = np.ones((channels, channels, 2))
        state[f"{name}.bias"] = np.zeros(channels)
    return state


def table(*sentences: tuple[int, ...]) -> np.ndarray:
    """[S, 6]: windows in acoustic, visual, text."""
    return np.asarray(sentences, dtype=np.int64)


def lstm_state(rng: np.random.Generator, name: str, width: int, hidden: int) -> Arrays:
    return {
        f"{name}.weight_ih_l0": rng.uniform(-1.5, 1.5, (4 * hidden, width)),
        f"{name}.weight_hh_l0": rng.uniform(-1.5, 1.5, (4 * hidden, hidden)),
        f"{name}.bias_ih_l0": rng.uniform(-1.0, 1.0, 4 * hidden),
        f"{name}.bias_hh_l0": rng.uniform(-1.0, 1.0, 4 * hidden),
    }


def attention_state(rng: np.random.Generator, modality: str, c: int) -> Arrays:
    return {
        f"attention_{modality}.in_proj_weight": rng.uniform(-1.5, 1.5, (3 * c, c)),
        f"attention_{modality}.in_proj_bias": rng.uniform(-1, 1, 3 * c),
        **linear(
            f"attention_{modality}.out_proj", rng.uniform(-1.5, 1.5, (c, c)), rng.uniform(-1, 1, c)
        ),
        **linear(f"norm_{modality}", rng.uniform(0.5, 1.5, c), rng.uniform(-1, 1, c)),
    }


def cmjat_state(rng: np.random.Generator, target: str, c: int) -> Arrays:
    name = f"cmjat_{target}"
    return {
        **linear(f"{name}.qkv", rng.uniform(-1.5, 1.5, (3 * c, c)), rng.uniform(-1, 1, 3 * c)),
        f"{name}.mixture": array([LN3, 0]),
        **linear(f"{name}.proj", rng.uniform(-1.5, 1.5, (c, c)), rng.uniform(-1, 1, c)),
    }


def counting_lstm(name: str, width: int, hidden: int, g: float) -> Arrays:
    """Zero weights; the bias of g is split over the two bias vectors."""
    bias = np.zeros(4 * hidden)
    bias[2 * hidden : 3 * hidden] = g / 2
    return {
        f"{name}.weight_ih_l0": np.zeros((4 * hidden, width)),
        f"{name}.weight_hh_l0": np.zeros((4 * hidden, hidden)),
        f"{name}.bias_ih_l0": bias,
        f"{name}.bias_hh_l0": bias,
    }


def counted(steps: int, g: float) -> float:
    return math.tanh((1 - 0.5**steps) * math.tanh(g)) / 2


def tcn_state(rng: np.random.Generator, name: str, width: int, c: int, layers: int) -> Arrays:
    state = {}
    for i in range(layers):
        for conv in ("conv1", "conv2"):
            into = width if (i == 0 and conv == "conv1") else c
            key = f"{name}.network.{i}.{conv}"
            state[f"{key}.weight_g"] = rng.uniform(0.5, 1.5, (c, 1, 1))
            state[f"{key}.weight_v"] = rng.uniform(-0.5, 1.0, (c, into, 2))
            state[f"{key}.bias"] = rng.uniform(-0.5, 0.5, c)
    if width != c:
        state[f"{name}.network.0.downsample.weight"] = rng.uniform(-1, 1, (c, width, 1))
        state[f"{name}.network.0.downsample.bias"] = rng.uniform(-0.5, 0.5, c)
    return state
