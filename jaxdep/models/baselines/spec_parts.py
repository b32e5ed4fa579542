"""What the specifications of the baseline networks have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from jaxdep.models.spec import (
    Arrays,
    Case,
    ModelSpec,
    State,
    classes,
    matrix_shape,
    variants,
    without_dropout,
    zeros,
)


def baseline_spec(
    name: str,
    model: type,
    *,
    base: Mapping[str, Any],
    changes: Mapping[str, Mapping[str, Any]],
    widths: Mapping[str, int],
    width_of: str = "",
    **fields: Any,
) -> ModelSpec:
    """A specification with everything that the baseline networks share.

    Args:
      name: name of the network and of its module.
      model: Flax module.
      base: fields of the small models.
      changes: changes of these fields by variant.
      widths: widths of the inputs at the default size.
      width_of: state entry that has the width of a modality's input; `{}` in its name is the
        modality's.
      **fields: further fields of `ModelSpec`.
    """
    common: dict[str, Any] = {
        "inputs_of_state": partial(_inputs_of_state, entry=width_of),
        "edges": edges,
        "optimizer": {"name": "adam", "learning_rate": 1e-3},  # AMM, Table II
        # One variant of each network is compared every day, unless the network says otherwise.
        "slow_variants": frozenset(changes) - {"paper"},
    }
    return ModelSpec(
        name=name,
        model=model,
        variants=variants(base, changes),
        reference=f"jaxdep.models.baselines.reference.{name}:{model.__name__}",
        paper_size=lambda: Case(
            "the paper's size", without_dropout(model()), batch=2, length=60, widths=widths
        ),
        tasks=lambda model: {model.task: {} if model.classes else {"loss": "mse"}},
        targets=_targets,
        **{**common, **fields},
    )


def edges(first: Any) -> list[Case]:
    """Further cases: an absent modality, one mask alone, vectors, bytes, and scores."""
    one, other = first.modalities
    return [
        Case(f"no frames of {other}", first, empty=(other,)),
        Case(f"mask of {one} alone", first, only=(one, f"{one}_mask", other)),
        Case("vectors", first, finish=_as_vectors),
        Case("bytes", first, finish=partial(_as_bytes, name=other)),
        Case("score", first.clone(classes=None)),
    ]


def _as_vectors(case: Case, inputs: Arrays, seed: int) -> Arrays:
    return {name: x[:, 0] for name, x in inputs.items() if not name.endswith("_mask")}


def _as_bytes(case: Case, inputs: Arrays, seed: int, name: str) -> Arrays:
    shape = inputs[name].shape
    return {**inputs, name: np.random.default_rng(seed).integers(0, 256, shape, np.uint8)}


def _inputs_of_state(model: Any, state: State, entry: str) -> Arrays:
    """Zeros as wide as a matrix that reads the input."""
    width: Callable[[str], int] = lambda name: matrix_shape(state, entry.format(name))[1]
    return {name: zeros(1, 1, width(name)) for name in model.modalities}


def _targets(model: Any, batch: int, rng: np.random.Generator) -> Arrays:
    if model.classes is None:
        return {model.task: rng.normal(size=batch).astype(np.float32)}
    return {model.task: classes(model.classes, batch, rng)}
