"""Specifications of the audio-visual baseline networks for tests, parity and figures."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from jaxdep.models.baselines.blstm import BLSTM
from jaxdep.models.baselines.depression_detector import DepressionDetector
from jaxdep.models.baselines.feature_fusion import FeatureFusion
from jaxdep.models.baselines.spec_parts import baseline_spec, edges
from jaxdep.models.baselines.tamfn import TAMFN
from jaxdep.models.baselines.tfn import TFN
from jaxdep.models.spec import Arrays, Case, InputSampler, Stream

_WIDTHS = {"acoustic": 25, "visual": 136}
_THREE = {"modalities": ("acoustic", "visual", "text"), "classes": None}
_ONE = {"modalities": ("visual",)}


def _example_inputs(model: Any, drawn: InputSampler) -> Arrays:
    """Draws sequences of different lengths."""
    inputs = {
        "acoustic": lambda: drawn.sequence("acoustic", 5),
        "visual": lambda: drawn.sequence("visual", 7, drawn.length + 1),
        "text": lambda: drawn.sequence("text", 6, drawn.length + 2),
    }
    return {key: x for name in model.modalities for key, x in inputs[name]().items()}


def _even_inputs(model: Any, drawn: InputSampler) -> Arrays:
    """Draws sequences of one length.

    Their values are small: enlarged convolutions would saturate the LSTMs that read them.
    """
    widths = {"acoustic": 5, "visual": 7, "text": 6}
    sequences = [drawn.sequence(name, widths[name]) for name in model.modalities]
    small = lambda x: x if x.dtype == bool else x * np.float32(0.05)
    return {key: small(x) for sequence in sequences for key, x in sequence.items()}


def _fusion_edges(first: Any) -> list[Case]:
    multiply = first.clone(fusion="multiply")
    return [
        *edges(first),
        Case("no frames of the face, multiply", multiply, empty=("visual",)),
        Case("empty row, multiply", multiply, empty=True),
    ]


_spec = partial(baseline_spec, example_inputs=_example_inputs, widths=_WIDTHS)

_TRANSFORMER = {"hidden": 8, "layers": 1, "heads": 2, "feed_forward": 6}

SPECS = (
    _spec(
        "blstm",
        BLSTM,
        base={"hidden": 4},
        changes={
            "paper": {},
            "two layers, three modalities": {"layers": 2, **_THREE},
            "visual": _ONE,
            "dropout": {"layers": 2, "dropout": 0.3},
        },
        width_of="lstm.{}.weight_ih_l0",
    ),
    _spec(
        "tfn",
        TFN,
        base={"hidden": 4, "post": 6},
        changes={"paper": {}, "three modalities": _THREE, "visual": _ONE},
        width_of="net.{}.0.weight",
    ),
    _spec(
        "feature_fusion",
        FeatureFusion,
        base=_TRANSFORMER,
        changes={
            "paper": {},
            "two layers": {"layers": 2},
            "add, three modalities": {"fusion": "add", **_THREE},
            "multiply": {"fusion": "multiply"},
            "multiply, three modalities": {"fusion": "multiply", **_THREE},
            "visual": _ONE,
        },
        edges=_fusion_edges,
        # With 4, one rounding error in PyTorch's weights moves key biases, whose gradient is zero
        # up to rounding, by 2e-8 in twenty updates of its own; with 2, by 1e-10.
        enlarge=2.0,
        width_of="proj.{}.weight",
    ),
    _spec(
        "depression_detector",
        DepressionDetector,
        base=_TRANSFORMER,
        changes={
            "paper": {},
            "three modalities": _THREE,
            "concat": {"aggregation": "concat"},
            "visual": _ONE,
        },
        # A key bias shifts all scores of a query equally, which does not change the softmax.
        without_gradient={"*": ("/k/bias",)},
        width_of="proj.{}.weight",
    ),
    _spec(
        "tamfn",
        TAMFN,
        aligned=True,
        base={"channels": 4, "layers": 2, "kernel_size": 2},
        changes={
            "paper": {},
            "kernel 3, three modalities": {"kernel_size": 3, **_THREE},
            "visual": _ONE,
            "no downsampling": {"channels": 5},
        },
        example_inputs=_even_inputs,
        enlarge=1.0,  # for the same reason
        width_of="gtcn.{}.0.context.weight",
        streams={"A_1": Stream("first stream", "blue"), "A_2": Stream("second stream", "orange")},
    ),
)
"""Specifications of BLSTM, TFN, FeatureFusion, DepressionDetector and TAMFN."""
