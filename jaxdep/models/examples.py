"""Small models of every variant, and random ragged inputs: for tests, parity, benchmarks."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.models.amm import AMM
from jaxdep.models.depformer import DEPFormer, DEPFormerReleased
from jaxdep.models.jamfn import JAMFN
from jaxdep.models.mddr import MDDR
from jaxdep.models.smfl import SMFL
from jaxdep.models.smfl_released import SMFLReleased


def small(name: str) -> list[tuple[str, nn.Module]]:
    """A label and a small model for every variant of the model of that name."""
    return _SMALL[name]()


def calm(model: nn.Module) -> nn.Module:
    """The model without any dropout."""
    rates = [field.name for field in dataclasses.fields(model) if field.name.endswith("dropout")]
    return model.clone(**dict.fromkeys(rates, 0.0))


def example_inputs(
    model: nn.Module,
    batch: int,
    length: int,
    seed: int = 0,
    masked: bool = True,
    frames: Mapping[str, int] | None = None,
) -> dict[str, np.ndarray]:
    """Random inputs with ragged lengths, padding zeroed.

    Args:
      length: frames; in AMM of the text, and one more of the images; in MDDR of the face, with 50
        times as many of the voice and two more of the head; in SMFL sentences; in DEP-Former of the
        face, and twice as many of the voice.
      masked: whether masks are among them; without, every frame is real.
      frames: of the longest sentence of SMFL, `acoustic` and `visual`, 9 and 3 unless given; of
        MDDR's `acoustic` other than 50 times the length.
    """
    more = (frames,) if frames else ()
    return _INPUTS[type(model)](batch, length, np.random.default_rng(seed), masked, *more)


def _sequence(
    name: str, shape: tuple[int, int, int], rng: np.random.Generator, masked: bool
) -> dict[str, np.ndarray]:
    x = rng.normal(size=shape).astype(np.float32)
    if not masked:
        return {name: x}
    lengths = rng.integers(1, shape[1] + 1, shape[0])
    lengths[0] = shape[1]
    mask = np.arange(shape[1]) < lengths[:, None]
    return {name: x * mask[..., None], f"{name}_mask": mask}


def _jamfn_inputs(batch: int, length: int, rng: Any, masked: bool) -> dict[str, np.ndarray]:
    acoustic = _sequence("acoustic", (batch, length, 25), rng, masked)
    return acoustic | _sequence("visual", (batch, length, 136), rng, masked)


def _amm_inputs(batch: int, length: int, rng: Any, masked: bool) -> dict[str, np.ndarray]:
    text = _sequence("text", (batch, length, 20), rng, masked)
    visual = _sequence("visual", (batch, length + 1, 24), rng, masked)
    vectors = {
        "gender": rng.normal(size=(batch, 5)).astype(np.float32),
        "color": rng.normal(size=(batch, 7)).astype(np.float32),
    }
    return text | visual | vectors


def _mddr_inputs(
    batch: int, length: int, rng: Any, masked: bool, frames: Mapping[str, int] | None = None
) -> dict[str, np.ndarray]:
    voice = (frames or {}).get("acoustic", 50 * length + 40)
    visual = _sequence("visual", (batch, length, 20), rng, masked)
    acoustic = _sequence("acoustic", (batch, voice, 15), rng, masked)
    return visual | acoustic | _sequence("pose", (batch, length + 2, 12), rng, masked)


def _smfl_inputs(
    batch: int,
    length: int,
    rng: Any,
    masked: bool,
    frames: Mapping[str, int] = types.MappingProxyType({"acoustic": 9, "visual": 3}),
) -> dict[str, np.ndarray]:
    """Sentences one after the other, some without a frame of voice or face."""
    made = _sequence("text", (batch, length, 768), rng, masked)
    counts = made.get("text_mask", np.ones((batch, length), bool)).sum(1)
    table = np.zeros((batch, length, 6), np.int32)
    table[..., 4:] = np.arange(length)[:, None] + np.array([0, 1])
    for column, (name, width) in enumerate((("acoustic", 7), ("visual", 5))):
        most = frames[name]
        sizes = rng.integers(0, most + 1, (batch, length))
        sizes[:, 0], sizes[0] = most, most
        ends = sizes.cumsum(1)
        table[..., 2 * column], table[..., 2 * column + 1] = ends - sizes, ends
        x = rng.normal(size=(batch, most * length, width)).astype(np.float32)
        real = ends[np.arange(batch), counts - 1]
        mask = np.arange(x.shape[1]) < real[:, None]
        made[name] = x * mask[..., None] if masked else x
        if masked:
            made[f"{name}_mask"] = mask
    if masked:
        made["sentences_mask"] = made["text_mask"]
        table *= made["text_mask"][..., None]
    return made | {"sentences": table}


def _depformer_inputs(batch: int, length: int, rng: Any, masked: bool) -> dict[str, np.ndarray]:
    visual = _sequence("visual", (batch, length, 10), rng, masked)
    return visual | _sequence("acoustic", (batch, 2 * length, 7), rng, masked)


def _jamfn() -> list[tuple[str, nn.Module]]:
    base: dict[str, Any] = {"hidden": 5, "layers": 2, "channels": 6}
    variants: dict[str, dict[str, Any]] = {
        "paper": {},
        "masked": {"masked": True},
        "literal": {"folded": False, "masked": True},
        "mean": {"readout": "mean", "masked": True},
        "flatten": {"readout": "flatten"},
        "no scales": {"scales": (), "masked": True},
        "two scales": {"scales": (1, 5)},
        "shared jaf": {"share_jaf": True},
        "add": {"fusion": "add", "masked": True},
        "multiply": {"fusion": "multiply", "masked": True},
        "concat": {"fusion": "concat"},
        "dropout": {"dropout": 0.3, "masked": True},
    }
    return [(label, JAMFN(**{**base, **own})) for label, own in variants.items()]


def _amm() -> list[tuple[str, nn.Module]]:
    base: dict[str, Any] = {
        "text_hidden": 4,
        "visual_hidden": 6,
        "features": 8,
        "heads": 2,
        "task_hidden": 5,
    }
    depression, emotion = {"depression": 2}, {"emotion": 6}
    variants: dict[str, dict[str, Any]] = {
        "paper": {},
        "text": {"modalities": ("text",)},
        "image": {"modalities": ("visual",)},
        "pooled": {"tokens": "pooled"},
        "depression": {"tasks": depression},
        "emotion": {"tasks": emotion},
        "no inter-modal": {"inter_modal": False},
        "no inter-task": {"inter_task": False},
        "no attention": {"inter_modal": False, "tasks": depression},
        "residual": {"residual": True},
    }
    return [(label, AMM(**{**base, **own})) for label, own in variants.items()]


def _mddr() -> list[tuple[str, nn.Module]]:
    base: dict[str, Any] = {
        "features": 8,
        "filters": (4, 6),
        "score_hidden": 5,
        "layers": 2,
        "heads": 2,
        "feed_forward": 12,
        "head_hidden": 6,
    }
    variants: dict[str, dict[str, Any]] = {
        "paper": {},
        "resampled": {"align": "resample"},
        "visual": {"modalities": ("visual",)},
        "acoustic": {"modalities": ("acoustic",)},
        "pose": {"modalities": ("pose",)},
        "FAN": {"sea": False},
        "SAN": {"faa": False},
        "neither": {"faa": False, "sea": False},
        "separate": {"faa_weights": "separate"},
        "voice first": {"modalities": ("acoustic", "pose", "visual")},
        "no face": {"modalities": ("pose", "acoustic")},
    }
    return [(label, MDDR(**{**base, **own})) for label, own in variants.items()]


def _smfl() -> list[tuple[str, nn.Module]]:
    base: dict[str, Any] = {
        "channels": 8,
        "layers": 2,
        "kernel": 3,
        "heads": 2,
        "hidden": 3,
        "max_sentences": 5,
        "fusion_dropout": 0.0,
    }
    alone: dict[str, Any] = {
        "self_attention": False,
        "lstm": False,
        "cmjat_targets": (),
        "cross_attention": False,
    }
    one = lambda modality: {"modalities": (modality,), "cmjat_targets": ()}
    variants: dict[str, dict[str, Any]] = {
        "paper": {},
        "scaled": {"scale": True},
        "TCN (all)": {**alone, "split": False, "pooling": "mean"},
        "TCN (all), last": {**alone, "split": False},
        "TCN (sentence)": alone,
        "LSTM": {"encoder": "lstm", "cmjat_targets": ()},
        "LSTM (all)": {"encoder": "lstm", "split": False, "pooling": "mean"},
        "no LSTM": {"lstm": False},
        "no CMJAT": {"cmjat_targets": ()},
        "both targets, heads": {
            "cmjat_targets": ("visual", "acoustic"),
            "cmjat_head": True,
            "modalities": ("text", "visual", "acoustic"),
        },
        "acoustic and text": {"modalities": ("acoustic", "text"), "cmjat_targets": ("acoustic",)},
        "acoustic": one("acoustic"),
        "visual": one("visual"),
        "text": one("text"),
    }
    return [(label, SMFL(**{**base, **own})) for label, own in variants.items()]


def _smfl_released() -> list[tuple[str, nn.Module]]:
    mended = SMFLReleased(
        max_sentences=5, fusion_dropout=0.0, fix_history=True, cmjat_target="visual"
    )
    return [
        ("published", SMFLReleased(max_sentences=5, fusion_dropout=0.0)),
        ("mended", mended),
    ]


_DEPFORMER: dict[str, Any] = {
    "features": 8,
    "heads": 2,
    "width": 4,
    "feed_forward": 5,
    "hidden": 12,
    "adapted": 6,
}


def _depformer() -> list[tuple[str, nn.Module]]:
    base: dict[str, Any] = {**_DEPFORMER, "expected": True}
    variants: dict[str, dict[str, Any]] = {
        "paper": {},
        "segments": {"words_from": "segments"},
        "published c": {"shared_factor": 5},
        "hard gate": {"gate": "hard"},
        "the figure": {
            "stacks": 1,
            "words": 40,
            "share_encoder": False,
            "cross_query": "acoustic",
        },
        "visual": {"modalities": ("visual",)},
        "acoustic": {"modalities": ("acoustic",), "words_from": "segments"},
        "regression": {"classes": None},
        "4 classes": {"classes": 4, "task": "severity"},
    }
    return [(label, DEPFormer(**{**base, **own})) for label, own in variants.items()]


def _depformer_released() -> list[tuple[str, nn.Module]]:
    return [("published", DEPFormerReleased(**_DEPFORMER))]


_SMALL = {
    "jamfn": _jamfn,
    "amm": _amm,
    "mddr": _mddr,
    "smfl": _smfl,
    "smfl_released": _smfl_released,
    "depformer": _depformer,
    "depformer_released": _depformer_released,
}
_INPUTS = {
    JAMFN: _jamfn_inputs,
    AMM: _amm_inputs,
    MDDR: _mddr_inputs,
    SMFL: _smfl_inputs,
    SMFLReleased: _smfl_inputs,
    DEPFormer: _depformer_inputs,
    DEPFormerReleased: _depformer_inputs,
}
