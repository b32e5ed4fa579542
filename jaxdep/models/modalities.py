"""Inputs of which some modalities are absent."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np

from jaxdep.data import functionals

Parts = Mapping[str, tuple[str, ...]]
"""Names of the inputs that each modality consists of, see `ModelSpec.modalities`."""


def keys_of(names: Sequence[str], inputs: Mapping[str, Any]) -> list[str]:
    """Keys of all that belongs to inputs of these names: arrays, masks and stored functionals."""
    suffixes = ("", "_mask", functionals.SUFFIX)
    return [name + suffix for name in names for suffix in suffixes if name + suffix in inputs]


def without(inputs: Mapping[str, Any], parts: Parts, absent: Sequence[str]) -> dict[str, Any]:
    """Inputs in which some modalities are absent from all examples.

    Args:
      inputs: sequences [B, L, D] with masks [B, L], and vectors [B, D], by name, on the host.
      parts: inputs of each modality.
      absent: modalities that are absent.

    Returns:
      The inputs; sequences and vectors of absent modalities are zero, and their masks false.
    """
    gone = {key for modality in absent for key in keys_of(parts[modality], inputs)}
    return {key: np.zeros_like(x) if key in gone else x for key, x in inputs.items()}


def recorded(inputs: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Examples [B] with a real frame in one of a modality's inputs; all of them without masks."""
    masks = [inputs[f"{name}_mask"] for name in names if f"{name}_mask" in inputs]
    if not masks:
        return np.ones(len(next(iter(inputs.values()))), bool)
    return reduce(operator.or_, [mask.any(1) for mask in masks])


def subsets(parts: Parts) -> Iterator[tuple[str, ...]]:
    """All non-empty subsets of the modalities, from all of them to each one alone."""
    for size in range(len(parts), 0, -1):
        yield from combinations(parts, size)
