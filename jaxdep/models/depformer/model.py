"""DEP-Former: Informers over words read aloud, with interpretability (TCSVT 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import jax.numpy as jnp
from jaxtyping import Num

from jaxdep.models.depformer.informers import (
    MODALITIES,
    Informers,
    Real,
    Streams,
    first,
    flat,
    joined,
    real_of,
)
from jaxdep.models.inputs import check_modalities, require
from jaxdep.nn import alignment
from jaxdep.nn.fusion import BernoulliFusion
from jaxdep.nn.informer import Encoded, Samples
from jaxdep.nn.linear import Linear
from jaxdep.nn.sparse_attention import Kept
from jaxdep.settings.kinds import Classes, Count, Name, OneOf, Probability
from jaxdep.types import Array, Frames, Inputs, Mask, Outputs, Scores, traceable

Modality = Annotated[str, OneOf(MODALITIES)]


class DEPFormer(Informers):
    """Predicts depression from the face and the voice at each word read aloud.

    Inputs: `visual` and `acoustic` [B, L, *] of any numeric dtype, or the one listed in
    `modalities`. The model corrects two faults of the released network: the output of an example
    does not depend on the rest of the batch, and evaluation draws no random numbers. With one
    modality, the unimodal encoders, the cross-attention and the fusion are left out. Examples
    without a real frame in one of the modalities do not update the batch statistics.

    Attributes:
      modalities: `visual`, `acoustic`, or both.
      words_from: conversion of frames to words: `first` takes the first frames, padded with zeros;
        `segments` averages the real frames over `words` equal parts.
      shared_factor: sampling factor c of the shared queries: 3 of 6 for c = 2; all of them, which
        disables sharing, for the published c = 5.
      gate: gate of the shared attention, see `nn.sparse_attention.SharedAttention`.
      share_encoder: whether face and voice share one encoder; False: separate encoders, as in the
        paper's figure.
      cross_query: modality that gives the queries and the residual of the cross-attention; the
        other one gives the keys.
      probability: probability that a side branch is added to the logits in training.
      expected: whether to use the expectation of the side branches in training, too.
      classes: number of classes; None: regression.
      task: name of the task.
    """

    modalities: tuple[Modality, ...] = MODALITIES
    words_from: Literal["first", "segments"] = "first"
    shared_factor: Count = 2
    gate: Literal["soft", "hard"] = "soft"
    share_encoder: bool = True
    cross_query: Literal["visual", "acoustic"] = "visual"
    probability: Probability = traceable(0.1)
    expected: bool = False
    classes: Classes | None = 2
    task: Name = "depression"

    def __post_init__(self) -> None:
        """Checks that the settings are consistent."""
        super().__post_init__()
        check_modalities(self.modalities, MODALITIES)

    def setup(self) -> None:
        """Defines the unimodal encoders, the heads and their fusion."""
        super().setup()
        if self.share_encoder:
            self.encoder_fv = self.new_encoder(self.gate, self.shared_factor)
        else:
            self.encoder_f = self.new_encoder(self.gate, self.shared_factor)
            self.encoder_v = self.new_encoder(self.gate, self.shared_factor)
        self.fc, self.fc4 = Linear(self.classes or 1), Linear(self.classes or 1)
        self.fusion = BernoulliFusion(self.probability, self.expected)

    def __call__(self, inputs: Inputs, train: bool = False) -> Outputs:
        """Returns `{task: [B, classes]}`, logits, or `{task: [B]}`, raw scores.

        Sown: the first layer's attention to each word in each encoder, `words/<branch>` [B, words].
        """
        streams, real = self._adapted(inputs)
        samples = self.key_samples(inputs) if train else self.all_keys()
        encoded = self._encode(streams, samples, real, train)
        self.sow_words(encoded)
        main = flat(encoded["multimodal"].x)
        if len(streams) == 1:
            logits = self.fc(main)
        else:
            face, voice = (encoded[name].x for name in MODALITIES)
            query, key = (face, voice) if self.cross_query == "visual" else (voice, face)
            cross = self.cross(query, key, encoded["multimodal"].x, train)
            side_branches = tuple(self.fc4(flat(x)) for x in (cross, face, voice))
            logits = self.fusion(self.fc(main), side_branches, train)
        return {self.task: logits if self.classes else logits[:, 0]}

    def interpret(self, inputs: Inputs) -> dict[str, Scores]:
        """Computes each encoder's attention to a word if all other words are empty.

        Returns:
          Attention to each word by encoder, `alone/<branch>` [B, words].
        """
        streams, _ = self._adapted(inputs)
        samples = self.all_keys()
        kept = self.encoder(joined(streams), samples["multimodal"]).kept
        # One copy of each example per word, in which all other words are zero.
        identity = jnp.eye(self.words)[None, ..., None]
        alone = {
            name: (identity.astype(x.dtype) * x[:, None]).reshape(-1, *x.shape[1:])
            for name, x in streams.items()
        }
        shared = tuple(jnp.repeat(queries, self.words, 0) for queries in kept)
        encoded = self._encode(alone, samples, None, False, shared)
        shape = (-1, self.words, self.words)
        return {
            f"alone/{branch}": jnp.diagonal(outputs.steps.reshape(shape), axis1=1, axis2=2)
            for branch, outputs in encoded.items()
        }

    def _adapted(self, inputs: Inputs) -> tuple[Streams, Real]:
        names = [modality for modality in MODALITIES if modality in self.modalities]
        masks = {name: inputs.get(f"{name}_mask") for name in names}
        words = {name: self._words(require(inputs, name, self), masks[name]) for name in names}
        return self.adapt(words), real_of(masks)

    def _words(self, x: Frames, mask: Mask | None) -> Num[Array, "batch word feature"]:
        """Converts frames [B, L, D] to words [B, words, D]."""
        if self.words_from == "first":
            return first(x, mask, self.words)
        if mask is None and x.shape[1] == self.words:
            return x
        return alignment.segments(x, mask, self.words)

    def _encode(
        self,
        streams: Streams,
        samples: Mapping[str, Samples],
        real: Real,
        train: bool,
        shared: tuple[Kept, ...] | None = None,
    ) -> dict[str, Encoded]:
        """Encodes all modalities jointly, then each one with the queries of the joint encoder.

        Args:
          streams: adapted words by modality.
          samples: key samples by encoder.
          real: examples that update the batch statistics, as in `BatchNorm`.
          train: whether to run in training mode.
          shared: queries for the unimodal encoders; None: those kept by the joint encoder.
        """
        multimodal = self.encoder(joined(streams), samples["multimodal"], (), real, train)
        if len(streams) == 1:
            return {"multimodal": multimodal}
        rest = (multimodal.kept if shared is None else shared, real, train)
        if self.share_encoder:
            branches = self.encode_each(self.encoder_fv, streams, samples, *rest)
        else:
            encoders = {"visual": self.encoder_f, "acoustic": self.encoder_v}
            branches = {m: encoders[m](streams[m], samples[m], *rest) for m in MODALITIES}
        return {"multimodal": multimodal, **branches}
