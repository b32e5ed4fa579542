"""What is compared with PyTorch: every variant of a model, on inputs with edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import flax.linen as nn
import numpy as np

from jaxdep.models import (
    AMM,
    JAMFN,
    MDDR,
    SMFL,
    DEPFormer,
    DEPFormerReleased,
    SMFLReleased,
    examples,
)
from jaxdep.nn.sparse_attention import kept_queries


@dataclass(frozen=True)
class Case:
    """A configuration, and the inputs that it is compared on.

    Attributes:
      masked: whether masks are among the inputs.
      uneven: whether every third batch of the twenty steps has one example fewer.
      empty: modalities of which the last example has no real frame; True: all of them.
      only: names of inputs that are kept; empty: all.
      widths: features of inputs where they differ from the examples'.
      frames: as in `examples.example_inputs`.
    """

    name: str
    label: str
    model: nn.Module
    batch: int = 3
    length: int = 7
    masked: bool = True
    uneven: bool = False
    empty: bool | tuple[str, ...] = False
    only: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    frames: Mapping[str, int] | None = None

    def inputs(self, seed: int = 0, batch: int = 0) -> dict[str, np.ndarray]:
        """Random inputs of the case; `batch=0`: as many as the case has."""
        size = batch or self.batch
        how = (seed, self.masked, self.frames)
        made = examples.example_inputs(self.model, size, self.length, *how)
        rng = np.random.default_rng(seed)
        for name, width in self.widths.items():
            shape = (*made[name].shape[:-1], width)
            made[name] = rng.normal(size=shape).astype(np.float32)
        for name in [name for name in made if name.endswith("_mask")]:
            of = name.removesuffix("_mask")
            if self.empty is True or (self.empty and of in self.empty):
                made[name][-1] = False
            made[of] *= made[name][..., None]
        if isinstance(self.model, DEPFormer | DEPFormerReleased):
            made |= draws_of(self.model, seed)  # each side would draw its own
        return {name: x for name, x in made.items() if not self.only or name in self.only}


def draws_of(model: DEPFormer | DEPFormerReleased, seed: int) -> dict[str, np.ndarray]:
    """Keys by which DEP-Former's attentions rank, as its inputs name them."""
    shape = (24, model.words, kept_queries(model.factor, model.words))
    return {"draws": np.random.default_rng(seed).integers(0, 2**16, shape, np.int32)}


def variants(name: str) -> list[Case]:
    """One case of every variant of a model, with masks and without dropout."""
    return [
        Case(name, label, examples.calm(model), _batch(name))
        for label, model in examples.small(name)
    ]


def cases(name: str) -> list[Case]:
    """Every variant, masked and not; single examples and frames; partial masks and modalities."""
    each = variants(name)
    first = each[0]
    unmasked = [replace(case, label=f"{case.label}, no mask", masked=False) for case in each]
    edges = [
        replace(first, label="length 1", length=1),
        replace(first, label="empty row", empty=True),
    ]
    if name != "depformer_released":  # which reads its patients in pairs
        edges += [
            replace(first, label="batch of 1", batch=1),
            replace(first, label="batch of 5", batch=5, uneven=True),
        ]
    return [*each, *unmasked, *edges, *_EXTRA[name](first.model)]


def _batch(name: str) -> int:
    return 4 if name == "depformer_released" else 3


def paper_case(name: str) -> Case:
    """The papers' sizes."""
    return _PAPER[name]()


_PAPER: Mapping[str, Callable[[], Case]] = {
    "jamfn": lambda: Case("jamfn", _SIZE, JAMFN(), batch=2, length=596, masked=False),
    "amm": lambda: Case("amm", _SIZE, AMM(dropout=0.0), length=40, widths=_AMM_WIDTHS),
    "mddr": lambda: Case(
        "mddr",
        _SIZE,
        MDDR(dropout=0.0),
        batch=2,
        length=12,
        widths={"visual": 2048, "acoustic": 1024},
    ),
    "smfl": lambda: Case(
        "smfl",
        _SIZE,
        SMFL(dropout=0.0, fusion_dropout=0.0),
        batch=2,
        length=21,
        widths={"acoustic": 25, "visual": 204},
    ),
    "smfl_released": lambda: Case(
        "smfl_released",
        _SIZE,
        SMFLReleased(fusion_dropout=0.0),
        batch=2,
        length=21,
        widths={"acoustic": 513, "visual": 204},
    ),
    "depformer": lambda: _pictures("depformer", DEPFormer(dropout=0.0, expected=True)),
    "depformer_released": lambda: _pictures("depformer_released", DEPFormerReleased(dropout=0.0)),
}
_SIZE = "the paper's size"
_AMM_WIDTHS = {"text": 768, "visual": 768, "gender": 768, "color": 64}


def _pictures(name: str, model: nn.Module) -> Case:
    widths = {"visual": 224 * 224, "acoustic": 1000}
    return Case(name, _SIZE, model, 2, 24, masked=False, widths=widths)


def _jamfn(first: JAMFN) -> list[Case]:
    masked = first.clone(masked=True)
    add = masked.clone(fusion="add")
    one = ("acoustic", "acoustic_mask", "visual")
    return [
        Case("jamfn", "empty row, masked", masked, empty=True),
        Case("jamfn", "empty row, add", add, empty=True),
        Case("jamfn", "length 1, masked", masked, length=1),
        Case("jamfn", "acoustic mask alone", masked, only=one),
        Case("jamfn", "acoustic mask alone, add", add, only=one),
    ]


def _amm(first: AMM) -> list[Case]:
    text, visual = ("text", "text_mask"), ("visual", "visual_mask")
    pooled = first.clone(tokens="pooled")
    return [
        Case("amm", "empty row, pooled", pooled, empty=True),
        Case("amm", "no knowledge", first, only=(*text, *visual)),
        Case("amm", "text mask alone", first, only=(*text, "visual")),
    ]


def _mddr(first: MDDR) -> list[Case]:
    face, voice = ("visual", "visual_mask"), ("acoustic", "acoustic_mask")
    resampled = first.clone(align="resample")
    pair = resampled.clone(modalities=("visual", "acoustic"))
    return [
        Case("mddr", "empty row, resampled", resampled, empty=True),
        Case("mddr", "faceless row", first, empty=("visual",)),
        Case("mddr", "faceless row, resampled", resampled, empty=("visual",)),
        Case("mddr", "voiceless row", first, empty=("acoustic",)),
        Case("mddr", "voiceless row, resampled", resampled, empty=("acoustic",)),
        Case("mddr", "length 1, resampled", resampled, length=1),
        Case("mddr", "mask of the face alone", first, only=(*face, "acoustic", "pose")),
        Case("mddr", "mask of the voice alone", resampled, only=("visual", *voice, "pose")),
        Case("mddr", "face and voice, resampled", pair, only=(*face, *voice)),
    ]


def _smfl(first: SMFL) -> list[Case]:
    return [Case("smfl", "one sentence of all", first.clone(split=False))]


def _smfl_released(first: SMFLReleased) -> list[Case]:
    return [
        Case("smfl_released", "7 sentences of 5", first, batch=1, length=7),
    ]


def _depformer(first: DEPFormer) -> list[Case]:
    return [
        Case("depformer", "words as they are", first, length=24),
        Case("depformer", "segments of 24", first.clone(words_from="segments"), length=24),
    ]


def _depformer_released(first: DEPFormerReleased) -> list[Case]:
    return [
        Case("depformer_released", f"batch of {batch}", first, batch, length=24)
        for batch in (2, 8, 16)
    ]


_EXTRA: Mapping[str, Callable[[Any], list[Case]]] = {
    "jamfn": _jamfn,
    "amm": _amm,
    "mddr": _mddr,
    "smfl": _smfl,
    "smfl_released": _smfl_released,
    "depformer": _depformer,
    "depformer_released": _depformer_released,
}
