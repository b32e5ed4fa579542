"""DEP-Former: Informers over the words of a reading, with interpretability (TCSVT 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxdep.models.inputs import check_modalities, require
from jaxdep.nn import alignment, masking
from jaxdep.nn.fusion import BernoulliFusion, MultimodalAttention
from jaxdep.nn.informer import Encoded, Encoder, Layer, Samples, attention_lengths
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.nn.sparse_attention import Kept, KeySample, kept_queries
from jaxdep.types import Inputs, Mask, Outputs, Scores, Sequence

Streams = Mapping[str, Sequence]
"""Words [B, words, adapted] of each modality."""

Real = Bool[Array, " batch"] | None
"""Which examples have a frame of every modality; None: all."""

MODALITIES = ("visual", "acoustic")


class Informers(nn.Module):
    """What the paper's network and the published one have in common.

    Attributes:
      words: steps that the encoders read.
      layers: of the first stack.
      width: of a head.
      factor: c of the sparse attention.
      hidden: width of the adapter's first layer.
      adapted: width of an adapted word.
    """

    words: int = 24
    stacks: int = 3
    layers: int = 3
    features: int = 224
    heads: int = 8
    width: int = 64
    feed_forward: int = 32
    factor: int = 5
    hidden: int = 1000
    adapted: int = 128
    dropout: float = 0.1

    def setup(self) -> None:
        """Defines the adapter, the encoder of all modalities, and the cross attention."""
        self.fc1, self.fc2 = Linear(self.hidden), Linear(self.hidden)
        self.LN, self.fc3 = LayerNorm(), Linear(self.adapted)
        self.encoder = self.new_encoder()
        self.cross = MultimodalAttention(self.heads, self.width, self.dropout)

    def new_encoder(self, gate: str = "", shared_factor: float = 5.0) -> Encoder:
        """An encoder; with a gate, one whose last layers share attention."""
        how = (self.feed_forward, self.factor, self.dropout, self.heads, self.width)
        layer = partial(Layer, *how, shared_factor=shared_factor)
        shape = (self.features, layer, self.layers, self.stacks, self.dropout)
        return Encoder(*shape, gate=gate)

    def adapt(self, words: Streams) -> Streams:
        """The modality adapter: words [B, words, *] of each modality to one space."""
        adapted = {}
        for modality, x in words.items():
            first = self.fc1 if modality == "visual" else self.fc2
            kernel, _ = first.weights(x.shape[-1])
            # Faces are bytes, and become numbers only here.
            adapted[modality] = nn.silu(self.fc3(self.LN(first(x.astype(kernel.dtype)))))
        return adapted

    def key_samples(self, inputs: Inputs) -> dict[str, Samples]:
        """Of each encoder the keys by which its attentions rank queries.

        With `draws` [24, words, `kept_queries(factor, words)`] among the inputs, attention n over L
        steps takes `draws[n, :L, :kept] % L`, attentions counted encoder by encoder and stack by
        stack. Else keys are drawn, from the random stream `sample` or, without one, from key 0.
        """
        number, samples = 0, {}
        for branch, stacks in self._lengths().items():
            of_branch = []
            for lengths in stacks:
                numbered = enumerate(lengths, number)
                of_branch.append(
                    tuple(self._key_sample(inputs, n, length) for n, length in numbered)
                )
                number += len(lengths)
            samples[branch] = tuple(of_branch)
        return samples

    def all_keys(self) -> dict[str, Samples]:
        """As `key_samples`; every query is ranked by all keys."""
        return {
            branch: tuple((None,) * len(lengths) for lengths in stacks)
            for branch, stacks in self._lengths().items()
        }

    def encode_each(
        self,
        encoder: Encoder,
        streams: Streams,
        samples: Mapping[str, Samples],
        shared: tuple[Kept, ...],
        real: Real,
        train: bool,
    ) -> dict[str, Encoded]:
        """The face, then the voice, through one encoder."""
        rest = (shared, real, train)
        if self.is_initializing():
            return {m: encoder(streams[m], samples[m], *rest) for m in MODALITIES}
        # One program for both: it is most of what there is to compile.
        each = [(streams[m], samples[m]) for m in MODALITIES]
        moves = self.is_mutable_collection("batch_stats")
        scan = nn.scan(
            lambda encoder, carry, one: (carry, encoder(*one, *rest)),
            variable_broadcast=["params", "untrained", *(() if moves else ("batch_stats",))],
            variable_carry="batch_stats" if moves else (),
            split_rngs={"params": False, "dropout": True},
        )
        _, both = scan(encoder, None, jax.tree.map(lambda *leaves: jnp.stack(leaves), *each))
        return {m: jax.tree.map(lambda leaf, n=n: leaf[n], both) for n, m in enumerate(MODALITIES)}

    def sow_words(self, encoded: Mapping[str, Encoded]) -> None:
        """Sows `words/<branch>` [B, words]: what the first layer of an encoder reads of a word."""
        for branch, each in encoded.items():
            self.sow("intermediates", f"words/{branch}", each.steps)

    def _lengths(self) -> dict[str, tuple[tuple[int, ...], ...]]:
        shape = (self.words, self.layers, self.stacks)
        return {
            m: attention_lengths(*shape, m != "multimodal") for m in ("multimodal", *MODALITIES)
        }

    def _key_sample(self, inputs: Inputs, number: int, length: int) -> KeySample:
        count = kept_queries(self.factor, length)
        if "draws" in inputs:
            return inputs["draws"][number, :length, :count] % length
        if self.has_rng("sample"):
            key = self.make_rng("sample")
        else:
            key = jax.random.fold_in(jax.random.key(0), number)
        return jax.random.randint(key, (length, count), 0, length)


class DEPFormer(Informers):
    """Depression from the face and the voice at each word of a reading.

    Reads `visual` and `acoustic` [B, L, *], of any number format, or the one that `modalities`
    names. It is the published network repaired: every patient is judged alone, and evaluation draws
    nothing. With one modality, what needs both is left out: the encoders of single modalities, the
    cross attention, the fusion. An example without any real frame of a modality moves no batch
    statistics.

    Attributes:
      modalities: `visual`, `acoustic`, or both.
      words_from: how frames become words: the `first` ones as they are, with zeros where there are
        fewer, or `segments`: the real frames are cut into as many parts, and a part's mean is a
        word.
      shared_factor: c of the queries that are shared: 3 of 6 for c = 2; all of them, which shares
        nothing, for the published c = 5.
      gate: of the shared attention, see `nn.sparse_attention.SharedAttention`.
      share_encoder: one encoder for face and voice; False: one for each, as in the paper's figure.
      cross_query: the stream that queries in the cross attention and to which its result is added;
        the other one gives the keys.
      probability: that a further branch counts in training.
      expected: whether further branches count by their expectation in training, too.
      classes: of the task; None: a regression.
      task: its name.
    """

    modalities: tuple[str, ...] = MODALITIES
    words_from: Literal["first", "segments"] = "first"
    shared_factor: int = 2
    gate: Literal["soft", "hard"] = "soft"
    share_encoder: bool = True
    cross_query: Literal["visual", "acoustic"] = "visual"
    probability: float = 0.1
    expected: bool = False
    classes: int | None = 2
    task: str = "depression"

    def setup(self) -> None:
        """Defines the encoders of single modalities, the heads, and their fusion."""
        super().setup()
        if self.share_encoder:
            self.encoder_fv = self.new_encoder(self.gate, self.shared_factor)
        else:
            self.encoder_f = self.new_encoder(self.gate, self.shared_factor)
            self.encoder_v = self.new_encoder(self.gate, self.shared_factor)
        self.fc, self.fc4 = Linear(self.classes or 1), Linear(self.classes or 1)
        self.fusion = BernoulliFusion(self.probability, self.expected)

    def __call__(self, inputs: Inputs, train: bool = False) -> Outputs:
        """Returns `{task: [B, classes]}`, logits, or `{task: [B]}`, a raw score.

        Sown as `words/<branch>` [B, words]: what the first layer of an encoder reads of each word.
        """
        streams, real = self._adapted(inputs)
        samples = self.key_samples(inputs) if train else self.all_keys()
        encoded = self._encode(streams, samples, real, train)
        self.sow_words(encoded)
        main = _flat(encoded["multimodal"].x)
        if len(streams) == 1:
            logits = self.fc(main)
        else:
            face, voice = (encoded[name].x for name in MODALITIES)
            query, key = (face, voice) if self.cross_query == "visual" else (voice, face)
            cross = self.cross(query, key, encoded["multimodal"].x, train)
            further = tuple(self.fc4(_flat(x)) for x in (cross, face, voice))
            logits = self.fusion(self.fc(main), further, train)
        return {self.task: logits if self.classes else logits[:, 0]}

    def interpret(self, inputs: Inputs) -> dict[str, Scores]:
        """What each encoder would read of a word if every other word were empty.

        Returns:
          `alone/<branch>` [B, words].
        """
        streams, _ = self._adapted(inputs)
        samples = self.all_keys()
        kept = self.encoder(_joined(streams), samples["multimodal"]).kept
        # One copy of the patient for each word, which has that word alone.
        only = jnp.eye(self.words)[None, ..., None]
        alone = {
            name: (only.astype(x.dtype) * x[:, None]).reshape(-1, *x.shape[1:])
            for name, x in streams.items()
        }
        shared = tuple(jnp.repeat(each, self.words, 0) for each in kept)
        encoded = self._encode(alone, samples, None, False, shared)
        shape = (-1, self.words, self.words)
        return {
            f"alone/{branch}": jnp.diagonal(each.steps.reshape(shape), axis1=1, axis2=2)
            for branch, each in encoded.items()
        }

    def _adapted(self, inputs: Inputs) -> tuple[Streams, Real]:
        check_modalities(self.modalities, MODALITIES)
        names = [modality for modality in MODALITIES if modality in self.modalities]
        masks = {name: inputs.get(f"{name}_mask") for name in names}
        words = {name: self._words(require(inputs, name, self), masks[name]) for name in names}
        return self.adapt(words), _real(masks)

    def _words(self, x: Sequence, mask: Mask | None) -> Sequence:
        """A step for each word: [B, L, D] to [B, words, D]."""
        if self.words_from == "first":
            return _first(x, mask, self.words)
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
        """All modalities together, then each one with the queries that matter to all.

        Args:
          shared: those queries; None: what the first of the encoders kept.
        """
        whole = self.encoder(_joined(streams), samples["multimodal"], (), real, train)
        if len(streams) == 1:
            return {"multimodal": whole}
        rest = (whole.kept if shared is None else shared, real, train)
        if self.share_encoder:
            each = self.encode_each(self.encoder_fv, streams, samples, *rest)
        else:
            encoders = {"visual": self.encoder_f, "acoustic": self.encoder_v}
            each = {m: encoders[m](streams[m], samples[m], *rest) for m in MODALITIES}
        return {"multimodal": whole, **each}


class DEPFormerReleased(Informers):
    """Depression from the words of a reading, by the network that the authors published.

    Reads the first `words` frames of `visual` and `acoustic` [B, L, *]. Its attention ranks queries
    by random keys in evaluation too. Its sharing unit exchanges queries between the patients of a
    batch, so that a patient's logits depend on who else is in the batch: it needs an even number of
    them, what fills a batch takes part, and the gate that orders the exchange is never trained.
    """

    classes: int = 2

    def setup(self) -> None:
        """Defines the encoder of single modalities, and the heads."""
        super().setup()
        self.encoder_fv = self.new_encoder("mixing")
        self.fc, self.fc4 = Linear(self.classes), Linear(self.classes)

    def __call__(self, inputs: Inputs, train: bool = False) -> Outputs:
        """Returns `{"depression": [B, classes]}`, logits; sown as `DEPFormer`'s."""
        masks = {name: inputs.get(f"{name}_mask") for name in MODALITIES}
        words = {m: _first(require(inputs, m, self), masks[m], self.words) for m in MODALITIES}
        streams, real, samples = self.adapt(words), _real(masks), self.key_samples(inputs)
        whole = self.encoder(_joined(streams), samples["multimodal"], (), real, train)
        # The queries that the last stack kept serve all stacks.
        kept = whole.kept[-1:] * self.stacks
        own = self.encode_each(self.encoder_fv, streams, samples, kept, real, train)
        self.sow_words({"multimodal": whole, **own})
        face, voice = (own[name].x for name in MODALITIES)
        cross = self.cross(face, voice, whole.x, train)
        further = [self.fc4(_flat(x)) for x in (cross, face, voice)]
        return {"depression": self.fc(_flat(whole.x)) + 0.1 * sum(further[1:], further[0])}


def _first(x: Sequence, mask: Mask | None, count: int) -> Sequence:
    """The first steps as they are, zeros at padding and where there are fewer."""
    x = masking.zero_padding(x, mask)[:, :count]
    return jnp.pad(x, ((0, 0), (0, count - x.shape[1]), (0, 0)))


def _joined(streams: Streams) -> Sequence:
    return jnp.concatenate([*streams.values()], -1)


def _flat(x: Sequence) -> Array:
    return x.reshape(len(x), -1)


def _real(masks: Mapping[str, Mask | None]) -> Real:
    known = [mask.any(1) for mask in masks.values() if mask is not None]
    return jnp.stack(known).all(0) if known else None
