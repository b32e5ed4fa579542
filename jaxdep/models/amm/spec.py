"""Specification of AMM for tests, parity, benchmarks and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.models.amm.model import AMM
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
    variants,
    zeros,
)

_WIDTHS = {"text": 768, "visual": 768, "gender": 768, "color": 64}
_DEPRESSION = {"depression": 2}


def _example_inputs(model: nn.Module, drawn: InputSampler) -> Arrays:
    """Draws `length` text tokens and `length + 1` images."""
    text = drawn.sequence("text", 20)
    visual = drawn.sequence("visual", 24, drawn.length + 1)
    return text | visual | drawn.vector("gender", 5) | drawn.vector("color", 7)


def _inputs_of_state(model: Any, state: State) -> Arrays:
    inputs = {}
    streams = {
        "text": ("text_gru", 2 * model.text_hidden, "gender", "t2v"),
        "visual": ("visual_gru", model.visual_hidden, "color", "v2t"),
    }
    for name in model.modalities:
        gru, hidden, knowledge, direction = streams[name]
        inputs[name] = zeros(1, 2, matrix_shape(state, f"{gru}.weight_ih_l0")[1])
        if model.inter_modal:
            step = matrix_shape(state, f"{direction}.q.weight")[1]
        else:
            step = matrix_shape(state, f"lstm_{next(iter(model.tasks))[:3]}.weight_ih_l0")[1]
        if step > hidden:
            inputs[knowledge] = zeros(1, step - hidden)
    return inputs


def _modalities(model: Any) -> dict[str, tuple[str, ...]]:
    parts = {"text": ("text", "gender"), "visual": ("visual", "color")}
    return {name: parts[name] for name in model.modalities}


def _edges(first: Any) -> list[Case]:
    text, visual = ("text", "text_mask"), ("visual", "visual_mask")
    pooled = first.clone(tokens="pooled")
    return [
        Case("empty row, pooled", pooled, empty=True),
        Case("no knowledge", first, only=(*text, *visual)),
        Case("text mask alone", first, only=(*text, "visual")),
    ]


def _sizes() -> Mapping[str, Case]:
    small = AMM(text_hidden=8, visual_hidden=8, features=16)
    return {
        "paper": Case("paper", AMM(), 128, 40, widths=_WIDTHS),
        "tiny": Case("tiny", small, 4, 6),
    }


def _targets(model: Any, batch: int, rng: np.random.Generator) -> Arrays:
    return {task: classes(number, batch, rng) for task, number in model.tasks.items()}


_ONE_KEY = tuple(
    f"{way}/{part}"
    for way in ("t2v", "v2t")
    for part in ("q/kernel", "q/bias", "k/kernel", "k/bias")
)

SPEC = ModelSpec(
    name="amm",
    model=AMM,
    variants=variants(
        {"text_hidden": 4, "visual_hidden": 6, "features": 8, "heads": 2, "task_hidden": 5},
        {
            "paper": {},
            "text": {"modalities": ("text",)},
            "image": {"modalities": ("visual",)},
            "pooled": {"tokens": "pooled"},
            "depression": {"tasks": _DEPRESSION},
            "emotion": {"tasks": {"emotion": 6}},
            "no inter-modal": {"inter_modal": False},
            "no inter-task": {"inter_task": False},
            "no attention": {"inter_modal": False, "tasks": _DEPRESSION},
            "residual": {"residual": True},
        },
    ),
    slow_variants=frozenset(
        {"emotion", "depression", "no inter-task", "no attention", "residual", "image"}
    ),
    example_inputs=_example_inputs,
    inputs_of_state=_inputs_of_state,
    modalities=_modalities,
    reference="jaxdep.models.amm.reference:AMM",
    edges=_edges,
    paper_size=lambda: Case(
        "the paper's size", AMM(dropout=0.0), length=40, widths=_WIDTHS, enlarge=2.0
    ),
    enlarge=12.0,
    without_gradient={
        # Each modality has one step, and a softmax over a single key is 1 for any query and key.
        "pooled": _ONE_KEY,
        # A key bias shifts all scores of a query equally, which does not change the softmax.
        "*": ("t2v/k/bias", "v2t/k/bias", "dep/k/bias", "emo/k/bias"),
    },
    optimizer={"name": "adam", "learning_rate": 1e-3, "weight_decay": 1e-5},
    tasks=lambda model: {task: {} for task in model.tasks},
    targets=_targets,
    streams={"alpha_text": Stream("text", "blue")},
    measured=BenchmarkSpec(sizes=_sizes),
)
