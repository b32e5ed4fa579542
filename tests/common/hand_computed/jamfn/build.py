"""Inputs, states and loops of the JAMFN cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_computed import Arrays, array, linear, lstm


def drive(f: Any) -> np.ndarray:
    """The input x with tanh(tanh(x)) = f, for |f| < tanh(1) = 0.76."""
    return np.arctanh(np.arctanh(array(f)))


def memoryless(prefix: str, width: int, bias: float = 0.0) -> Arrays:
    """State of a one-layer BiLSTM that computes tanh(tanh(x + bias)); gate rows are i, f, g, o."""
    zeros, ones = np.zeros(width), np.ones(width)
    weight = np.zeros((4 * width, width))
    weight[2 * width : 3 * width] = np.eye(width)
    state = {
        "weight_ih_l0": weight,
        "weight_hh_l0": np.zeros((4 * width, width)),
        "bias_ih_l0": np.concatenate([50 * ones, -50 * ones, bias * ones, 50 * ones]),
        "bias_hh_l0": np.zeros(4 * width),
        "weight_ih_l0_reverse": np.zeros((4 * width, width)),
        "weight_hh_l0_reverse": np.zeros((4 * width, width)),
        "bias_ih_l0_reverse": np.concatenate([zeros] * 4),
        "bias_hh_l0_reverse": np.zeros(4 * width),
    }
    return {f"{prefix}.{name}": value for name, value in state.items()}


def conv(prefix: str, kernel: Any, bias: Any) -> Arrays:
    """State of a convolution with one input channel and a kernel per output channel."""
    return {f"{prefix}.weight": array(kernel)[:, None, :], f"{prefix}.bias": array(bias)}


def chosen(prefix: str, width: int, weights_a: Any, weights_v: Any) -> Arrays:
    """State of a JAF whose normalised weights are known before it runs.

    FC3 has the weight 0 and the logarithms of the wanted weights as its bias, (10); FC1 and FC2
    are not 0, so that scores that bypass FC3 would be seen.
    """
    bias = np.log(array([*weights_a, *weights_v]))
    return {
        **linear(f"{prefix}.fc1", [[2.0] * width], [0.5]),
        **linear(f"{prefix}.fc2", [[-1.5] * width], [0.25]),
        **linear(f"{prefix}.fc3", np.zeros((len(bias), len(bias))), bias),
    }


def frames(rows: Any) -> np.ndarray:
    """[B, L] to [B, L, 1]."""
    return array(rows)[..., None]


def wavy(prefix: str, width: int, hidden: int, layers: int, phase: float) -> Arrays:
    """State of a BiLSTM with weights 1.5 sin(phase + 1.7 n), n counting all entries."""
    state: Arrays = {}
    count = 0
    for layer in range(layers):
        reads = width if layer == 0 else 2 * hidden
        for end in (f"l{layer}", f"l{layer}_reverse"):
            for name, shape in (
                ("weight_ih", (4 * hidden, reads)),
                ("weight_hh", (4 * hidden, hidden)),
                ("bias_ih", (4 * hidden,)),
                ("bias_hh", (4 * hidden,)),
            ):
                size = int(np.prod(shape))
                values = 1.5 * np.sin(phase + 1.7 * np.arange(count, count + size))
                state[f"{prefix}.{name}_{end}"] = values.reshape(shape)
                count += size
    return state


# Loops for a real BiLSTM, equations (1) to (5). The cell is that of PyTorch:
#     i, f, o = sigmoid(...), g = tanh(...), c = f c + i g, h = o tanh(c), rows in order i, f, g, o.


def bilstm(x: np.ndarray, state: Arrays, prefix: str, layers: int) -> np.ndarray:
    """(1) to (5) for one sequence; the backward LSTM reads from the last frame to the first."""
    h_fw = h_bw = np.zeros(0)
    for layer in range(layers):
        h_fw = array(lstm(x, state, prefix, f"l{layer}"))  # (1)
        h_bw = array(lstm(x[::-1], state, prefix, f"l{layer}_reverse"))[::-1]  # (2)
        x = np.concatenate([h_fw, h_bw], axis=1)  # (3)
    return h_fw + h_bw  # (4), (5)
