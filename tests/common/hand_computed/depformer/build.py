"""Fields, weights and inputs of the DEP-Former cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_computed import Array, Arrays
from hand_computed.depformer.equations import kept

FIELDS: dict[str, Any] = {
    "released": False,
    "modalities": ("visual", "acoustic"),
    "words": 4,
    "words_from": "first",
    "stacks": 1,
    "layers": 1,
    "features": 4,
    "heads": 2,
    "width": 2,
    "feed_forward": 3,
    "factor": 2,
    "shared_factor": 1,
    "gate": "soft",
    "share_encoder": True,
    "cross_query": "visual",
    "hidden": 5,
    "adapted": 3,
    "probability": 0.1,
    "classes": 2,
}


# The fields of which the two classes differ.
PAPER_ONLY = (
    "modalities",
    "words_from",
    "shared_factor",
    "gate",
    "share_encoder",
    "cross_query",
    "probability",
)


def constructor_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """All constructor fields of the class that `fields` is for."""
    full = FIELDS | fields
    absent = ("released", *PAPER_ONLY) if full["released"] else ("released",)
    return {k: v for k, v in full.items() if k not in absent}


def output_steps(f: dict[str, Any]) -> int:
    steps = f["words"]
    for _ in range(f["layers"] - 1):
        steps = (steps - 1) // 2 + 1
    return steps


def zeros(fields: dict[str, Any], visual_width: int, acoustic_width: int) -> Arrays:
    """A complete state of zeros; running variances are ones."""
    f = FIELDS | fields
    both = len(f["modalities"]) == 2
    d, inner, steps = f["features"], f["heads"] * f["width"], output_steps(f)
    outputs = 1 if f["classes"] is None else f["classes"]
    state: Arrays = {}

    def put(name: str, *shape: int) -> None:
        state[name] = np.zeros(shape)

    def pair(name: str, *shape: int) -> None:
        put(f"{name}.weight", *shape)
        put(f"{name}.bias", shape[0])

    def attention(name: str) -> None:
        for w in ("W_Q", "W_K", "W_V"):
            put(f"{name}.{w}.weight", inner, d)
        put(f"{name}.fc.weight", d, inner)
        pair(f"{name}.norm", d)

    def layer(name: str) -> None:
        attention(f"{name}.attention")
        pair(f"{name}.conv1", f["feed_forward"], d, 1)
        pair(f"{name}.conv2", d, f["feed_forward"], 1)
        pair(f"{name}.norm", d)

    def encoder(name: str, channels: int) -> None:
        pair(f"{name}.embedding.value_embedding.Conv", d, channels, 3)
        for i in range(f["stacks"]):
            for j in range(f["layers"] - i):
                if j:
                    pair(f"{name}.stacks.{i}.clayer{i}{j}.downConv", d, d, 3)
                    pair(f"{name}.stacks.{i}.clayer{i}{j}.norm", d)
                    put(f"{name}.stacks.{i}.clayer{i}{j}.norm.running_mean", d)
                    state[f"{name}.stacks.{i}.clayer{i}{j}.norm.running_var"] = np.ones(d)
                layer(f"{name}.stacks.{i}.elayer{i}{j}")
        pair(f"{name}.norm", d)

    if "visual" in f["modalities"]:
        pair("fc1", f["hidden"], visual_width)
    if "acoustic" in f["modalities"]:
        pair("fc2", f["hidden"], acoustic_width)
    pair("LN", f["hidden"])
    pair("fc3", f["adapted"], f["hidden"])
    encoder("encoder", f["adapted"] * len(f["modalities"]))
    pair("fc", outputs, f["stacks"] * steps * d)
    if both:
        for name in ("encoder_fv",) if f["share_encoder"] else ("encoder_f", "encoder_v"):
            encoder(name, f["adapted"])
            layer(f"{name}.en_fv")
            pair(f"{name}.en_fv.attention.alpha.0", 1, inner * steps)
        attention("cross")
        pair("fc4", outputs, f["stacks"] * steps * d)
    return state


def is_norm(name: str) -> bool:
    return ".norm." in name or name.startswith("LN.")


def filled(fields: dict[str, Any], visual_width: int, acoustic_width: int, seed: int) -> Arrays:
    """A complete state of numbers with two decimals, large enough for attention to choose."""
    rng = np.random.default_rng(seed)
    state = zeros(fields, visual_width, acoustic_width)
    for name, value in state.items():
        x = rng.normal(size=value.shape)
        if name.endswith("running_var"):
            x = 0.5 + np.abs(x)
        elif is_norm(name) and name.endswith(".weight"):
            x = 1 + 0.3 * x
        elif name.endswith((".bias", "running_mean")):
            x = 0.3 * x
        elif "alpha" in name:
            x = 0.2 * x
        elif "W_Q" in name or "W_K" in name:
            x = 0.8 * x
        else:
            x = 0.6 * x
        state[name] = np.round(x, 2)
    return state


def recordings(seed: int, batch: int, visual: tuple[int, int], acoustic: tuple[int, int]) -> Arrays:
    """Inputs of two decimals, [batch, *visual] and [batch, *acoustic]."""
    rng = np.random.default_rng(1000 + seed)
    return {
        "visual": np.round(rng.normal(size=(batch, *visual)), 2),
        "acoustic": np.round(rng.normal(size=(batch, *acoustic)), 2),
    }


def drawn(seed: int, words: int, factor: float) -> Array:
    """Key samples [24, words, u(words)]; many are larger than L, which they are taken modulo."""
    rng = np.random.default_rng(2000 + seed)
    return rng.integers(0, 1000, size=(24, words, kept(factor, words)))


def set_ones(state: Arrays, *names: str) -> None:
    for name in names:
        state[name] = np.ones_like(state[name])
