"""Transparent recurrences and other states of the AMM cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_computed import Arrays, array, linear

OPEN, SHUT = 60.0, -60.0
ONE_TASK = {"tasks": {"depression": 2}}
TEXT_ONLY = {"modalities": ("text",), "inter_modal": False}


def same_score(name: str, width: int) -> Arrays:
    """Attention of Eq. 2 that gives every real step the same weight (w = 0)."""
    return {
        **linear(f"{name}_attention.proj", np.eye(width), np.zeros(width)),
        f"{name}_attention.score.weight": np.zeros((1, width)),
    }


def clear_gru(name: str, weight: Any, suffix: str = "") -> Arrays:
    """Transparent GRU: h_i = tanh(weight x_i). PyTorch's gate order is r, z, n."""
    weight = array(weight)
    hidden, width = weight.shape
    shut = np.concatenate([np.zeros(hidden), np.full(hidden, SHUT), np.zeros(hidden)])
    return {
        f"{name}.weight_ih_l0{suffix}": np.concatenate([np.zeros((2 * hidden, width)), weight]),
        f"{name}.weight_hh_l0{suffix}": np.zeros((3 * hidden, hidden)),
        f"{name}.bias_ih_l0{suffix}": shut,
        f"{name}.bias_hh_l0{suffix}": np.zeros(3 * hidden),
    }


def clear_text_gru(width: int) -> Arrays:
    """Bidirectional transparent GRU: h_i = tanh(x_i), the first half from the forward direction."""
    one = np.eye(width)
    half = width // 2
    return {
        **clear_gru("text_gru", one[:half]),
        **clear_gru("text_gru", one[half:], "_reverse"),
    }


def clear_lstm(name: str, weight: Any, *, forget: bool, bias: Any = 0.0) -> Arrays:
    """Transparent LSTM, see the docstring of the package. PyTorch's gate order is i, f, g, o."""
    weight = array(weight)
    hidden, width = weight.shape
    full, zeros = np.full(hidden, OPEN), np.zeros((hidden, width))
    cell = np.zeros(hidden) + bias
    return {
        f"{name}.weight_ih_l0": np.concatenate([zeros, zeros, weight, zeros]),
        f"{name}.weight_hh_l0": np.zeros((4 * hidden, hidden)),
        f"{name}.bias_ih_l0": np.concatenate([full, -full if forget else full, cell, full]),
        f"{name}.bias_hh_l0": np.zeros(4 * hidden),
    }


def tt(x: Any) -> Any:
    """State of a forgetful transparent LSTM, and its inverse at `att`."""
    return np.tanh(np.tanh(x))


def att(x: Any) -> Any:
    """Inverse of `tt`."""
    return np.arctanh(np.arctanh(x))
