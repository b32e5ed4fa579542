"""AMM's equations in explicit loops, for one row and its real frames only."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_computed import Arrays, affine, array, sigmoid


def gru_states(
    w: Arrays, name: str, frames: list[np.ndarray], suffix: str = ""
) -> list[np.ndarray]:
    """Hidden states of a GRU as PyTorch defines it."""
    wi, wh = w[f"{name}.weight_ih_l0{suffix}"], w[f"{name}.weight_hh_l0{suffix}"]
    bi, bh = w[f"{name}.bias_ih_l0{suffix}"], w[f"{name}.bias_hh_l0{suffix}"]
    h, states = np.zeros(wh.shape[1]), []
    for x in frames:
        ri, zi, ni = np.split(wi @ x + bi, 3)
        rh, zh, nh = np.split(wh @ h + bh, 3)
        r, z = sigmoid(ri + rh), sigmoid(zi + zh)
        h = (1 - z) * np.tanh(ni + r * nh) + z * h
        states.append(h)
    return states


def lstm_states(w: Arrays, name: str, frames: list[np.ndarray]) -> list[np.ndarray]:
    """Hidden states of an LSTM as PyTorch defines it."""
    wi, wh = w[f"{name}.weight_ih_l0"], w[f"{name}.weight_hh_l0"]
    bi, bh = w[f"{name}.bias_ih_l0"], w[f"{name}.bias_hh_l0"]
    h, c, states = np.zeros(wh.shape[1]), np.zeros(wh.shape[1]), []
    for x in frames:
        i, f, g, o = np.split(wi @ x + bi + wh @ h + bh, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return states


def softmax(scores: list[Any]) -> np.ndarray:
    """Softmax of a list."""
    e = np.exp(array(scores))
    return e / e.sum()


def encoded(
    w: Arrays, name: str, frames: list[np.ndarray], knowledge: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Tokens and weights alpha of one modality."""
    h = gru_states(w, f"{name}_gru", frames)
    if name == "text":  # "bidirectional Gated Recurrent Unit"
        back = gru_states(w, "text_gru", frames[::-1], "_reverse")[::-1]
        h = [np.concatenate(pair) for pair in zip(h, back, strict=True)]
    scores = []
    for h_i in h:
        d = np.tanh(affine(h_i, w, f"{name}_attention.proj"))  # Eq. 2
        scores.append(float(w[f"{name}_attention.score.weight"][0] @ d))  # Eq. 2
    alpha = softmax(scores)  # Eq. 2
    tokens = [np.concatenate([a * h_i, knowledge]) for a, h_i in zip(alpha, h, strict=True)]
    return tokens, alpha


def attended(
    w: Arrays, name: str, query: list[np.ndarray], other: list[np.ndarray], heads: int
) -> list[np.ndarray]:
    """Eq. 3 or Eq. 4."""
    out = []
    for x in query:
        parts = []
        for mu in range(heads):
            width = w[f"{name}.q.bias"].shape[0] // heads
            part = slice(mu * width, (mu + 1) * width)
            q = affine(x, w, f"{name}.q")[part]
            ks = [affine(y, w, f"{name}.k")[part] for y in other]
            vs = [affine(y, w, f"{name}.v")[part] for y in other]
            weights = softmax([q @ k / np.sqrt(width) for k in ks])  # Eq. 3, Eq. 4
            parts.append(sum(a * v for a, v in zip(weights, vs, strict=True)))  # Eq. 3, Eq. 4
        out.append(np.concatenate(parts))
    return out


def exchanged(
    w: Arrays, task: str, other: str, states: dict[str, list[np.ndarray]]
) -> list[np.ndarray]:
    """Eq. 6."""
    out = []
    for x in states[task]:
        q = affine(x, w, f"task_attention.{task}.q")
        ks = [affine(y, w, f"task_attention.{other}.k") for y in states[other]]
        vs = [affine(y, w, f"task_attention.{other}.v") for y in states[other]]
        weights = softmax([q @ k for k in ks])  # Eq. 6
        out.append(sum(a * v for a, v in zip(weights, vs, strict=True)))  # Eq. 6
    return out
