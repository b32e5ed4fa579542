"""Specification of MDDR for tests, parity, benchmarks and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.models.mddr.model import MDDR
from jaxdep.models.spec import (
    Arrays,
    BenchmarkSpec,
    Case,
    InputSampler,
    ModelSpec,
    State,
    Stream,
    variants,
    zeros,
)
from jaxdep.nn import alignment

_WIDTHS = {"visual": 2048, "acoustic": 1024}


def _example_inputs(model: nn.Module, drawn: InputSampler) -> Arrays:
    """Draws `length` frames of the face, `50 length + 40` of voice and `length + 2` of the head."""
    voice = drawn.frames.get("acoustic", 50 * drawn.length + 40)
    face = drawn.sequence("visual", 20)
    return (
        face | drawn.sequence("acoustic", 15, voice) | drawn.sequence("pose", 12, drawn.length + 2)
    )


def _inputs_of_state(model: Any, state: State) -> Arrays:
    first = {
        "visual": "visual_align.proj.weight",
        "acoustic": "acoustic_align.conv.0.weight",
        "pose": "pose_align.conv.0.weight",
    }
    voice = alignment.receptive_field(1, model.kernels, model.strides)
    frames = {"visual": 1, "acoustic": voice, "pose": 1}
    return {name: zeros(1, frames[name], state[first[name]].shape[1]) for name in model.modalities}


def _edges(first: Any) -> list[Case]:
    face, voice = ("visual", "visual_mask"), ("acoustic", "acoustic_mask")
    resampled = first.clone(align="resample")
    pair = resampled.clone(modalities=("visual", "acoustic"))
    return [
        Case("empty row, resampled", resampled, empty=True),
        Case("faceless row", first, empty=("visual",)),
        Case("faceless row, resampled", resampled, empty=("visual",)),
        Case("voiceless row", first, empty=("acoustic",)),
        Case("voiceless row, resampled", resampled, empty=("acoustic",)),
        Case("length 1, resampled", resampled, length=1),
        Case("mask of the face alone", first, only=(*face, "acoustic", "pose")),
        Case("mask of the voice alone", resampled, only=("visual", *voice, "pose")),
        Case("face and voice, resampled", pair, only=(*face, *voice)),
    ]


def _case(label: str, batch: int, length: int, voice: int = 0, **fields: Any) -> Case:
    frames = {"acoustic": voice} if voice else {}
    model = MDDR(**fields)
    return Case(label, model, batch, length, masked=False, widths=_WIDTHS, frames=frames)


def _sizes() -> Mapping[str, Case]:
    small = {"features": 64, "layers": 2, "heads": 4, "feed_forward": 256}
    tiny = {"features": 16, "filters": (4, 6), "layers": 1, "heads": 2, "feed_forward": 16}
    return {
        # AVEC2014: about two minutes at 1.2 frames per second.
        "paper": _case("paper", 16, 144),
        # AVEC2013: 25 minutes at one frame per 3.3 seconds, with the whole voice.
        "avec2013": _case("avec2013", 4, 450, voice=75_000),
        "small": _case("small", 8, 24, **small),
        "tiny": _case("tiny", 4, 3, **tiny),
    }


def _paper_size() -> Case:
    model = MDDR(dropout=0.0)
    return Case(
        "the paper's size", model, batch=2, length=12, widths=_WIDTHS, float32_gradients=False
    )


def _targets(model: nn.Module, batch: int, rng: np.random.Generator) -> Arrays:
    """Draws BDI-II scores."""
    return {"depression": rng.integers(0, 64, batch).astype(np.float32)}


# Attention over a single modality is constant.
_ONE_MODALITY = ("faa/score.0/kernel", "faa/score.0/bias", "faa/score.2/kernel")

SPEC = ModelSpec(
    name="mddr",
    model=MDDR,
    variants=variants(
        {
            "features": 8,
            "filters": (4, 6),
            "score_hidden": 5,
            "layers": 2,
            "heads": 2,
            "feed_forward": 12,
            "head_hidden": 6,
        },
        {
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
        },
    ),
    slow_variants=frozenset(
        {"SAN", "FAN", "neither", "pose", "visual", "acoustic", "voice first", "separate"}
    ),
    example_inputs=_example_inputs,
    inputs_of_state=_inputs_of_state,
    reference="jaxdep.models.mddr.reference:MDDR",
    edges=_edges,
    paper_size=_paper_size,
    enlarge=2.0,
    without_gradient={
        **{only: _ONE_MODALITY for only in ("visual", "acoustic", "pose")},
        # A bias added to all scores does not change a softmax.
        "*": ("faa/score.2/bias", "pool/score.2/bias"),
    },
    optimizer={"name": "sgd", "learning_rate": 1e-3, "weight_decay": 5e-4, "decay_every": 2},
    tasks=lambda model: {"depression": {"loss": "dr", "options": {"delta": 2.0, "weight": 0.1}}},
    targets=_targets,
    streams={
        "acoustic": Stream("voice", "blue"),
        "visual": Stream("face", "orange"),
        "pose": Stream("head", "green"),
        "frames": Stream("frames", "grey"),
    },
    panels={"faa": "between modalities", "sea": "over time"},
    measured=BenchmarkSpec(sizes=_sizes),
)
