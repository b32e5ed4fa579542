"""The common networks of the MDDR cases, as states and as formulas, and their inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hand_computed import NAN, Array, Arrays, relu

EPS = 1e-5  # of LayerNorm
GAIN = {"visual": 1.0, "acoustic": 2.0, "pose": 3.0}
ALL = ("visual", "acoustic", "pose")
FIELDS: dict[str, Any] = {
    "features": 4,
    "kernels": (1, 1, 1),
    "strides": (1, 1, 1),
    "filters": (4, 4),
    "score_hidden": 2,
    "layers": 1,
    "heads": 2,
    "feed_forward": 3,
    "head_hidden": 2,
}


# Weights of the common cases.


def one_hot_state(modalities: tuple[str, ...]) -> Arrays:
    """Alignment networks that turn a one-hot frame at k into g e_k."""
    s = math.sqrt(3 / 16 + EPS)
    state = {}
    if "visual" in modalities:
        state["visual_align.proj.weight"] = np.eye(4)
        state["visual_align.proj.bias"] = np.zeros(4)
        state["visual_align.norm.weight"] = np.full(4, GAIN["visual"] * s)
        state["visual_align.norm.bias"] = np.full(4, GAIN["visual"] / 4)
    for name, layers in (("acoustic", 3), ("pose", 1)):
        if name not in modalities:
            continue
        for i in range(layers):
            g = GAIN[name] if i == layers - 1 else 1.0
            state[f"{name}_align.conv.{i}.weight"] = np.eye(4)[:, :, None]
            state[f"{name}_align.conv.{i}.bias"] = np.zeros(4)
            state[f"{name}_align.norm.{i}.weight"] = np.full(4, g * s)
            state[f"{name}_align.norm.{i}.bias"] = np.full(4, g / 4)
    return state


def score_state(prefix: str) -> Arrays:
    """Return the weights of the common score network."""
    return {
        f"{prefix}.score.0.weight": np.array([[1.0, 0, 2, 0], [0, 1, 0, -1]]),
        f"{prefix}.score.0.bias": np.array([0.0, 0.5]),
        f"{prefix}.score.2.weight": np.array([[1.0, -1]]),
        f"{prefix}.score.2.bias": np.array([0.25]),
    }


def head_state() -> Arrays:
    """Return the weights of the common head."""
    return {
        "head.0.weight": np.array([[1.0, 2, 3, 4], [-1, 0, 1, 0]]),
        "head.0.bias": np.array([0.5, 0.0]),
        "head.3.weight": np.array([[2.0, -3]]),
        "head.3.bias": np.array([1.0]),
    }


# The same, as formulas.


def softmax(scores: Any) -> Array:
    """exp(s_i) / sum_j exp(s_j)."""
    powers = np.array([math.exp(s) for s in scores])
    return powers / powers.sum()


def layer_norm(x: Any) -> Array:
    """(x - mean) / sqrt(variance + eps) of one row, without gain and bias."""
    x = np.asarray(x, float)
    return (x - x.mean()) / math.sqrt(((x - x.mean()) ** 2).mean() + EPS)


def score(x: Array) -> float:
    """Return the common score of one row."""
    return relu(x[0] + 2 * x[2]) - relu(x[1] - x[3] + 0.5) + 0.25


def head(e: Any) -> float:
    """Return the common head's score of E."""
    return 2 * relu(e[0] + 2 * e[1] + 3 * e[2] + 4 * e[3] + 0.5) - 3 * relu(e[2] - e[0]) + 1


def e(k: int, gain: float = 1.0) -> Array:
    """Return the row gain * e_k."""
    row = np.zeros(4)
    row[k] = gain
    return row


def frames(*recordings: list[int], length: int) -> Array:
    """One-hot frames at the given places, NaN beyond them."""
    out = np.full((len(recordings), length, 4), NAN)
    for b, places in enumerate(recordings):
        for t, k in enumerate(places):
            out[b, t] = e(k)
    return out


def real(*counts: int, length: int) -> Array:
    """Masks of the given numbers of real frames."""
    return np.arange(length)[None] < np.array(counts)[:, None]


def depression(*scores: float) -> Arrays:
    """Return the output of the given scores, one for each recording."""
    return {"depression": np.array(scores)}


def pattern(*shape: int, step: int) -> Array:
    """Integers -2 to 2, unlike along every axis."""
    return (np.arange(math.prod(shape)) * step % 5 - 2.0).reshape(shape)
