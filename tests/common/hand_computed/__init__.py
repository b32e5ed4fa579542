"""Test cases worked out by hand, one subpackage a system, and the functions that several share.

NumPy only: the expected numbers owe nothing to the implementations that they check.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray
Arrays = dict[str, np.ndarray]

NAN = float("nan")
LN2, LN3 = np.log(2.0), np.log(3.0)


@dataclass(frozen=True)
class HandComputed:
    """One case: constructor fields, complete state, inputs, and expected outputs.

    The outputs are those of evaluation mode in float64.
    """

    name: str
    fields: dict[str, Any]
    state: Arrays
    inputs: Arrays
    outputs: Arrays
    attention: Arrays = field(default_factory=dict)


def array(values: Any) -> np.ndarray:
    """A float64 array."""
    return np.asarray(values, dtype=np.float64)


def matrix(rows: int, columns: int, entries: dict[tuple[int, int], float]) -> np.ndarray:
    """Matrix that is zero but for the entries (row, column)."""
    out = np.zeros((rows, columns))
    for place, value in entries.items():
        out[place] = value
    return out


def linear(name: str, weight: Any, bias: Any) -> Arrays:
    """State of a fully connected layer."""
    return {f"{name}.weight": array(weight), f"{name}.bias": array(bias)}


def affine(x: np.ndarray, state: Arrays, name: str) -> np.ndarray:
    """Output of a fully connected layer for one vector."""
    return state[f"{name}.weight"] @ x + state[f"{name}.bias"]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function."""
    return 1.0 / (1.0 + np.exp(-x))


def relu(x: Any) -> Any:
    """max(x, 0)."""
    return np.maximum(x, 0.0)


def softmax(x: np.ndarray) -> np.ndarray:
    """Over a vector."""
    e = np.exp(x - x.max())
    return e / e.sum()


def lstm(rows: Any, state: Arrays, name: str, end: str = "l0") -> list[np.ndarray]:
    """Hidden states of PyTorch's LSTM (gates in the order i, f, g, o) from a zero state.

    They are in the order in which ``rows`` are given. ``end`` ends the names of the weights: the
    layer, and the direction if it is the backward one.
    """
    w_ih, w_hh = state[f"{name}.weight_ih_{end}"], state[f"{name}.weight_hh_{end}"]
    bias = state[f"{name}.bias_ih_{end}"] + state[f"{name}.bias_hh_{end}"]
    size = w_hh.shape[1]
    h, c, hidden = np.zeros(size), np.zeros(size), []
    for x in rows:
        gates = w_ih @ x + w_hh @ h + bias
        i, f = sigmoid(gates[:size]), sigmoid(gates[size : 2 * size])
        g, o = np.tanh(gates[2 * size : 3 * size]), sigmoid(gates[3 * size :])
        c = f * c + i * g
        h = o * np.tanh(c)
        hidden.append(h)
    return hidden
