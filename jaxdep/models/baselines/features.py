"""Features of baselines: functionals of sequences over time, and vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np

from jaxdep.data import functionals
from jaxdep.errors import UserError
from jaxdep.models.inputs import check_modalities
from jaxdep.settings.kinds import OneOf

Functional = Annotated[str, OneOf(functionals.FUNCTIONALS)]


def feature_blocks(
    inputs: Mapping[str, np.ndarray],
    functional_names: Sequence[str] = ("mean",),
    modalities: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Functionals over the real frames of each sequence, and each vector, [N, D] by modality.

    Args:
      inputs: sequences [N, L, D] with masks, and vectors [N, D]; uint8 or floating-point.
      functional_names: names from `data.functionals.FUNCTIONALS`.
      modalities: names of the inputs to use; empty: all.

    Raises:
      ModelError: a modality is repeated, or there is no such input.
      UserError: there are no features at all.
    """
    known = {
        name.removesuffix(functionals.SUFFIX): name
        for name in sorted(inputs)
        # Normalisation per recording removes differences between people; the functionals keep them.
        if _is_numeric(inputs[name].dtype) and name + functionals.SUFFIX not in inputs
    }
    if not known:
        raise UserError(
            "the corpus has no input that a baseline can read: prepare it with features"
        )
    if modalities:
        check_modalities(modalities, list(known))
    return {
        modality: _block(inputs, name, functional_names).astype(np.float64)
        for modality, name in known.items()
        if not modalities or modality in modalities
    }


def feature_columns(
    inputs: Mapping[str, np.ndarray],
    functional_names: Sequence[str] = ("mean",),
    modalities: Sequence[str] = (),
) -> np.ndarray:
    """`feature_blocks` side by side, [N, D]."""
    blocks = feature_blocks(inputs, functional_names, modalities)
    return np.concatenate(list(blocks.values()), axis=1)


def names_read(types: Mapping[str, np.dtype], modalities: Sequence[str] = ()) -> list[str]:
    """Names of the inputs among these that `feature_blocks` reads, without masks.

    Args:
      types: type of the numbers of each input.
      modalities: as in `feature_blocks`.
    """
    stem = lambda name: name.removesuffix(functionals.SUFFIX)
    wanted = lambda name: not modalities or stem(name) in modalities
    return [name for name, dtype in types.items() if _is_numeric(dtype) and wanted(name)]


def _is_numeric(dtype: np.dtype) -> bool:
    """Whether an input holds features, unlike masks and sentence windows."""
    return dtype == np.uint8 or np.issubdtype(dtype, np.floating)


def _block(
    inputs: Mapping[str, np.ndarray], name: str, functional_names: Sequence[str]
) -> np.ndarray:
    array = inputs[name]
    if name.endswith(functionals.SUFFIX):
        return functionals.select(array, functional_names)
    if array.ndim == 3:
        pairs = zip(array, inputs[f"{name}_mask"], strict=True)
        return np.stack([functionals.summarize(x[real], functional_names) for x, real in pairs])
    return array
