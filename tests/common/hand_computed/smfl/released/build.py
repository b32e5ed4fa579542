"""States of the released SMFL network."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_computed import Arrays, array, linear
from hand_computed.smfl.build import counting_lstm, lstm_state


def norm_state(name: str, mean: Any, var: Any, weight: Any, bias: Any) -> Arrays:
    return {
        f"{name}.running_mean": array(mean),
        f"{name}.running_var": array(var),
        f"{name}.num_batches_tracked": np.asarray(0, dtype=np.int64),
        **linear(name, weight, bias),
    }


def released_state(rng: np.random.Generator, acoustic: int, visual: int, classes: int) -> Arrays:
    """A complete random state; the convolutions are mostly positive so that ReLU passes."""
    state = lstm_state(rng, "conv_audio.0", acoustic, 16) | lstm_state(
        rng, "conv_face.0", visual, 16
    )
    for conv, norm, kernel in ((0, 2, 7), (3, 5, 5), (6, 8, 5)):
        weight = rng.uniform(-0.5, 1.0, (1, 1, kernel))
        state |= linear(f"conv_text.{conv}", weight, rng.uniform(0, 1, 1))
        state |= norm_state(
            f"conv_text.{norm}", rng.uniform(0, 1, 1), rng.uniform(0.5, 2, 1), [1.3], [-0.4]
        )
    weight = rng.uniform(-0.7, 1.0, (3, 3, 3))
    state |= linear("fusion_layer.0", weight, rng.uniform(0, 1, 3))
    state |= norm_state(
        "fusion_layer.2",
        rng.uniform(0, 1, 3),
        rng.uniform(0.5, 2, 3),
        rng.uniform(0.5, 1.5, 3),
        rng.uniform(-0.5, 0.5, 3),
    )
    state |= linear("fusion_layer.3", [[[0.9], [1.2], [0.7]]], [0.6])
    state |= norm_state("fusion_layer.5", [0.5], [0.8], [1.4], [0.2])
    for m in ("audio", "face", "text"):
        state |= lstm_state(rng, f"conv_{m}_all", 16, 8)
    state |= lstm_state(rng, "conv_fusion_all", 14, 14)
    for name, outputs, width in (
        ("jointAtt.qkv", 24, 8),
        ("jointAtt.proj", 8, 8),
        ("Fusion.attention_weights", 14, 14),
        ("linear", classes, 38),
        ("linear_face", classes, 16),
    ):
        weight = rng.uniform(-1.5, 1.5, (outputs, width))
        state |= linear(name, weight, rng.uniform(-1, 1, outputs))
    state["Fusion.context_vector.weight"] = rng.uniform(-1.5, 1.5, (1, 14))
    return state


def reading_lstm(name: str, width: int, hidden: int, weight: float) -> Arrays:
    """Gates i, f, o are 1/2; g = tanh(weight * input 0) in every channel."""
    state = counting_lstm(name, width, hidden, 0.0)
    w = np.zeros((4 * hidden, width))
    w[2 * hidden : 3 * hidden, 0] = weight
    return state | {f"{name}.weight_ih_l0": w}
