"""Specification of JAMFN for tests, parity, benchmarks and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.models.jamfn.model import JAMFN
from jaxdep.models.spec import (
    Arrays,
    BenchmarkSpec,
    Case,
    InputSampler,
    ModelSpec,
    State,
    Stream,
    classes,
    matrix_shape,
    one_input_each,
    variants,
    zeros,
)

_VOICE, _FACE = 25, 136


def _example_inputs(model: nn.Module, drawn: InputSampler) -> Arrays:
    return drawn.sequence("acoustic", _VOICE) | drawn.sequence("visual", _FACE)


def _inputs_of_state(model: Any, state: State) -> Arrays:
    length = matrix_shape(state, "jaf.0.fc3.weight")[0] // 2 if model.fusion == "jaf" else 1
    width = lambda name: matrix_shape(state, f"{name}.weight_ih_l0")[1]
    return {
        "acoustic": zeros(1, length, width("bilstm_a")),
        "visual": zeros(1, length, width("bilstm_v")),
    }


def _edges(first: Any) -> list[Case]:
    masked = first.clone(masked=True)
    add = masked.clone(fusion="add")
    acoustic_mask_only = ("acoustic", "acoustic_mask", "visual")
    return [
        Case("empty row, masked", masked, empty=True),
        Case("empty row, add", add, empty=True),
        Case("length 1, masked", masked, length=1),
        Case("acoustic mask alone", masked, only=acoustic_mask_only),
        Case("acoustic mask alone, add", add, only=acoustic_mask_only),
    ]


def _case(label: str, batch: int = 32, length: int = 596, **fields: Any) -> Case:
    return Case(label, JAMFN(**fields), batch, length, masked=False)


def _sizes() -> Mapping[str, Case]:
    return {
        "paper": _case("paper"),
        "medium": _case("medium", length=150, layers=2),
        "small": _case("small", length=150, layers=2, hidden=64),
        "tiny": _case("tiny", batch=4, length=12, layers=1, hidden=8, channels=16),
    }


def _targets(model: nn.Module, batch: int, rng: np.random.Generator) -> Arrays:
    return {"depression": classes(2, batch, rng)}


SPEC = ModelSpec(
    name="jamfn",
    model=JAMFN,
    variants=variants(
        {"hidden": 5, "layers": 2, "channels": 6},
        {
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
        },
    ),
    slow_variants=frozenset(
        {
            *("two scales", "multiply", "shared jaf", "add", "mean", "concat"),
            *("literal", "no scales", "dropout"),
        }
    ),
    example_inputs=_example_inputs,
    inputs_of_state=_inputs_of_state,
    modalities=lambda model: one_input_each(("acoustic", "visual")),
    aligned=True,
    reference="jaxdep.models.jamfn.reference:JAMFN",
    reference_sizes=lambda inputs: {"length": inputs["acoustic"].shape[1]},
    edges=_edges,
    paper_size=lambda: _case("the paper's size", batch=2),
    optimizer={"name": "adam", "learning_rate": 1e-4, "weight_decay": 5e-4},
    targets=_targets,
    streams={"A_A": Stream("voice", "blue"), "A_V": Stream("face", "orange")},
    measured=BenchmarkSpec(
        sizes=_sizes,
        experiment="jamfn",
        references={"folded": "jaxdep.benchmarks.folded:FoldedJAMFN"},
    ),
)
