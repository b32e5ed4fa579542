"""Specifications of DEP-Former and its released network for tests, parity, benchmarks, figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.models.depformer.informers import MODALITIES
from jaxdep.models.depformer.model import DEPFormer
from jaxdep.models.depformer.released import DEPFormerReleased
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
from jaxdep.nn.sparse_attention import kept_queries

_FACES = 224 * 224
"""Number of pixels of a face in the paper."""


def _example_inputs(model: nn.Module, drawn: InputSampler) -> Arrays:
    """Draws `length` frames of the face and twice as many of the voice."""
    return drawn.sequence("visual", 10) | drawn.sequence("acoustic", 7, 2 * drawn.length)


def _draws(model: Any, seed: int) -> Arrays:
    """Draws key samples, which both sides of a comparison would otherwise draw themselves."""
    shape = (24, model.words, kept_queries(model.factor, model.words))
    return {"draws": np.random.default_rng(seed).integers(0, 2**16, shape, np.int32)}


def _inputs_of_state(model: Any, state: State) -> Arrays:
    names = {"visual": "fc1.weight", "acoustic": "fc2.weight"}
    modalities = getattr(model, "modalities", tuple(names))
    width = lambda name: matrix_shape(state, names[name])[1]
    return {name: zeros(1, model.words, width(name)) for name in modalities}


def _edges(first: Any) -> list[Case]:
    return [
        Case("words as they are", first, length=24),
        Case("segments of 24", first.clone(words_from="segments"), length=24),
    ]


def _released_edges(first: nn.Module) -> list[Case]:
    return [Case(f"batch of {batch}", first, batch, length=24) for batch in (2, 8, 16)]


def _as_stored(case: Case, inputs: Arrays, seed: int) -> Arrays:
    """Replaces faces by bytes, as they are stored, and leaves the key samples to each side."""
    del inputs["draws"]
    pixels = np.random.default_rng(seed).integers(0, 256, inputs["visual"].shape, np.uint8)
    return inputs | {"visual": pixels, "acoustic": inputs["acoustic"][:, : case.length]}


def _case(label: str, batch: int, pixels: int, **fields: Any) -> Case:
    widths = {"visual": pixels, "acoustic": 1000}
    model = DEPFormer(**fields)
    return Case(label, model, batch, 24, masked=False, widths=widths, finish=_as_stored)


def _sizes() -> Mapping[str, Case]:
    tiny = {"hidden": 8, "adapted": 4, "features": 8, "heads": 2, "width": 4}
    return {
        "paper": _case("paper", 32, _FACES),
        "small": _case("small", 32, 28 * 28),
        "tiny": _case("tiny", 2, 16, **tiny),
    }


def _paper_size(model: nn.Module) -> Case:
    widths = {"visual": _FACES, "acoustic": 1000}
    return Case("the paper's size", model, 2, 24, masked=False, widths=widths)


def _tasks(model: Any) -> dict[str, dict[str, Any]]:
    return {model.task: {} if model.classes else {"loss": "mse"}}


def _targets(model: Any, batch: int, rng: np.random.Generator) -> Arrays:
    if not model.classes:
        return {model.task: rng.normal(size=batch).astype(np.float32)}
    return {model.task: classes(model.classes, batch, rng)}


def _released_targets(model: Any, batch: int, rng: np.random.Generator) -> Arrays:
    return {"depression": classes(model.classes, batch, rng)}


_SMALL = {
    "features": 8,
    "heads": 2,
    "width": 4,
    "feed_forward": 5,
    "hidden": 12,
    "adapted": 6,
}
_OPTIMIZER = {
    "name": "adamw",
    "learning_rate": 1e-3,
    "weight_decay": 0.05,
    "schedule": "cosine",
    "decayed": "matrices",
}
_STREAMS = {
    "multimodal": Stream("both", "green"),
    "visual": Stream("face", "orange"),
    "acoustic": Stream("voice", "blue"),
}
_PANELS = {"words": "per word", "alone": "per word alone"}
_UNUSED = r"projection\..+|.+\.time_embedding\..+|encoder\.en_fv\..+|.+\.stacks\..+\.alpha\..+"

SPEC = ModelSpec(
    name="depformer",
    model=DEPFormer,
    variants=variants(
        {**_SMALL, "stacks": 2, "layers": 2, "expected": True},
        {
            "paper": {},
            "3 stacks": {"stacks": 3, "layers": 3},
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
        },
    ),
    slow_variants=frozenset(
        {
            *("3 stacks", "published c", "hard gate", "the figure", "segments", "acoustic"),
            *("regression", "4 classes"),
        }
    ),
    example_inputs=_example_inputs,
    inputs_of_state=_inputs_of_state,
    reference="jaxdep.models.depformer.reference:DEPFormer",
    extra_inputs=_draws,
    edges=_edges,
    paper_size=lambda: _paper_size(DEPFormer(dropout=0.0, expected=True)),
    enlarge=1.5,
    gradient_scale=1.5,
    # If all queries are kept, the layer's own and the shared queries are the same.
    without_gradient={"published c": ("alpha.0/kernel", "alpha.0/bias")},
    optimizer=_OPTIMIZER,
    tasks=_tasks,
    targets=_targets,
    streams=_STREAMS,
    panels=_PANELS,
    unused_weights=_UNUSED,
    measured=BenchmarkSpec(sizes=_sizes, experiment="depformer-ewre"),
)

RELEASED = ModelSpec(
    name="depformer_released",
    model=DEPFormerReleased,
    variants=variants(_SMALL, {"published": {}}),
    slow_variants=frozenset({"published"}),
    example_inputs=_example_inputs,
    inputs_of_state=_inputs_of_state,
    modalities=lambda model: one_input_each(MODALITIES),
    reference="jaxdep.models.depformer.reference:DEPFormerReleased",
    extra_inputs=_draws,
    edges=_released_edges,
    paper_size=lambda: _paper_size(DEPFormerReleased(dropout=0.0)),
    batch=4,
    mixes_examples=True,
    enlarge=1.5,
    gradient_scale=1.5,
    optimizer=_OPTIMIZER,
    targets=_released_targets,
    streams=_STREAMS,
    panels=_PANELS,
    unused_weights=_UNUSED,
)
