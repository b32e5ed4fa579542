"""What jaxdep must know of the toy."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.models.spec import (
    Arrays,
    Case,
    InputSampler,
    ModelSpec,
    State,
    classes,
    matrix_shape,
    one_input_each,
    variants,
    zeros,
)
from toy_depression.model import Toy


def _example_inputs(model: nn.Module, drawn: InputSampler) -> Arrays:
    return drawn.sequence("acoustic", 5) | drawn.sequence("visual", 3)


def _inputs_of_state(model: Any, state: State) -> Arrays:
    width = matrix_shape(state, "fc.weight")[1]
    return {"acoustic": zeros(1, 1, 1), "visual": zeros(1, 1, width - 1)}


def _targets(model: nn.Module, batch: int, rng: np.random.Generator) -> Arrays:
    return {"depression": classes(2, batch, rng)}


SPEC = ModelSpec(
    name="toy",
    model=Toy,
    variants=variants({"hidden": 6}, {"paper": {}, "narrow": {"hidden": 3}}),
    example_inputs=_example_inputs,
    inputs_of_state=_inputs_of_state,
    modalities=lambda model: one_input_each(("acoustic", "visual")),
    reference="toy_depression.reference:Toy",
    paper_size=lambda: Case("the paper's size", Toy(), batch=4, length=20),
    enlarge=1.0,
    gradient_scale=1.0,
    optimizer={"name": "adam", "learning_rate": 1e-3},
    targets=_targets,
)
