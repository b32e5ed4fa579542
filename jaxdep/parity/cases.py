"""What is compared with PyTorch: every variant of a model, on inputs with edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import flax.linen as nn
import numpy as np

from jaxdep.models import AMM, JAMFN, MDDR, SMFL, DEPFormer, examples
from jaxdep.nn.sparse_attention import kept_queries


@dataclass(frozen=True)
class Case:
    """A configuration, and the inputs that it is compared on.

    Attributes:
      masked: whether masks are among the inputs.
      uneven: whether every third batch of the twenty steps has one example fewer.
      empty: whether the last example has no real frame at all.
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
    empty: bool = False
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
            made[name][-1] &= not self.empty
            made[name.removesuffix("_mask")] *= made[name][..., None]
        if isinstance(self.model, DEPFormer):  # which both sides would draw by themselves
            made |= draws_of(self.model, seed)
        return {name: x for name, x in made.items() if not self.only or name in self.only}


def draws_of(model: DEPFormer, seed: int) -> dict[str, np.ndarray]:
    """Keys by which DEP-Former's attentions rank, as its inputs name them."""
    shape = (24, model.words, kept_queries(model.factor, model.words))
    return {"draws": np.random.default_rng(seed).integers(0, 2**16, shape, np.int32)}


def cases(name: str) -> list[Case]:
    """Every variant, masked and not; single examples and frames; partial masks and modalities."""
    made = []
    for label, model in examples.small(name):
        model = model.clone(dropout=0.0)
        made += [Case(name, label, model), Case(name, f"{label}, no mask", model, masked=False)]
    first = made[0].model
    made += [
        Case(name, "batch of 1", first, batch=1),
        Case(name, "batch of 5", first, batch=5, uneven=True),
        Case(name, "length 1", first, length=1),
    ]
    return made + _EXTRA[name](first)


def paper_case(name: str) -> Case:
    """The papers' sizes."""
    if name == "jamfn":
        return Case(name, "the paper's size", JAMFN(), batch=2, length=596, masked=False)
    if name == "mddr":
        widths = {"visual": 2048, "acoustic": 1024}
        return Case(name, "the paper's size", MDDR(dropout=0.0), batch=2, length=12, widths=widths)
    if name == "smfl":
        widths = {"acoustic": 25, "visual": 204}
        model = SMFL(dropout=0.0, fusion_dropout=0.0)
        return Case(name, "the paper's size", model, batch=2, length=21, widths=widths)
    if name == "depformer":
        widths = {"visual": 224 * 224, "acoustic": 1000}
        model = DEPFormer(variant="released", dropout=0.0)
        return Case(name, "the paper's size", model, 2, 24, masked=False, widths=widths)
    widths = {"text": 768, "visual": 768, "gender": 768, "color": 64}
    return Case(name, "the paper's size", AMM(dropout=0.0), length=40, widths=widths)


def _jamfn(first: JAMFN) -> list[Case]:
    masked = first.clone(masked=True)
    add = masked.clone(fusion="add")
    one = ("acoustic", "acoustic_mask", "visual")
    return [
        Case("jamfn", "empty row", masked, empty=True),
        Case("jamfn", "empty row, add", add, empty=True),
        Case("jamfn", "length 1, masked", masked, length=1),
        Case("jamfn", "acoustic mask alone", masked, only=one),
        Case("jamfn", "acoustic mask alone, add", add, only=one),
    ]


def _amm(first: AMM) -> list[Case]:
    text, visual = ("text", "text_mask"), ("visual", "visual_mask")
    pooled = first.clone(tokens="pooled")
    return [
        Case("amm", "empty row", first, empty=True),
        Case("amm", "empty row, pooled", pooled, empty=True),
        Case("amm", "text alone", first, only=text),
        Case("amm", "visual alone", first, only=visual),
        Case("amm", "no knowledge", first, only=(*text, *visual)),
        Case("amm", "text mask alone", first, only=(*text, "visual")),
    ]


def _mddr(first: MDDR) -> list[Case]:
    face, voice = ("visual", "visual_mask"), ("acoustic", "acoustic_mask")
    resampled = first.clone(align="resample")
    pair = resampled.clone(modalities=("visual", "acoustic"))
    return [
        # PyTorch's encoder gives NaN where there is no key to read.
        Case("mddr", "empty row", first.clone(sea=False), empty=True),
        Case("mddr", "empty row, resampled", resampled.clone(sea=False), empty=True),
        Case("mddr", "length 1, resampled", resampled, length=1),
        Case("mddr", "mask of the face alone", first, only=(*face, "acoustic", "pose")),
        Case("mddr", "mask of the voice alone", resampled, only=("visual", *voice, "pose")),
        Case("mddr", "face and voice, resampled", pair, only=(*face, *voice)),
    ]


def _smfl(first: SMFL) -> list[Case]:
    released = first.clone(variant="released", dropout=0.0)
    one = first.clone(split=False)
    return [
        Case("smfl", "empty row", first, empty=True),
        Case("smfl", "one sentence of all", one),
        Case("smfl", "released, no sentences", released, empty=True),
        Case("smfl", "released, one sentence", released, length=1),
        Case("smfl", "released, batch of 5", released, batch=5, uneven=True),
        Case("smfl", "released, 7 sentences of 5", released, batch=1, length=7),
    ]


def _depformer(first: DEPFormer) -> list[Case]:
    released = first.clone(variant="released")
    return [
        Case("depformer", "empty row", first, empty=True),
        Case("depformer", "words as they are", first, length=24),
        *(
            Case("depformer", f"released, batch of {batch}", released, batch, length=24)
            for batch in (2, 4, 8, 16)
        ),
    ]


_EXTRA = {"jamfn": _jamfn, "amm": _amm, "mddr": _mddr, "smfl": _smfl, "depformer": _depformer}
