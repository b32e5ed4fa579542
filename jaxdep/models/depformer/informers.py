"""Base class and helpers shared by DEP-Former and the network released by its authors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Bool, Num

from jaxdep.nn import masking
from jaxdep.nn.fusion import MultimodalAttention
from jaxdep.nn.informer import Encoded, Encoder, Layer, Samples, attention_lengths
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.nn.sparse_attention import Kept, KeySample, kept_queries
from jaxdep.settings.kinds import Count, Layers, Rate, Width
from jaxdep.types import Array, Encoding, Frames, Inputs, Mask, Sequence, traceable

Streams = Mapping[str, Sequence]
"""Words [B, words, adapted] by modality."""

Real = Bool[Array, " batch"] | None
"""Mask of the examples with at least one real frame in every modality; None: all examples."""

MODALITIES = ("visual", "acoustic")


class Informers(nn.Module):
    """Base class of the paper's and the released network: modality adapter and encoders.

    Attributes:
      words: number of words, the steps of the encoders.
      stacks: number of stacks of an encoder.
      layers: number of layers of the first stack.
      features: width of the encoders' features.
      heads: number of attention heads.
      width: width of a head.
      feed_forward: hidden width of the feed-forward blocks.
      factor: sampling factor c of the sparse attention.
      hidden: width of the adapter's first layer.
      adapted: width of an adapted word.
      dropout: dropout rate of the encoders and the cross-attention.
    """

    words: Count = 24
    stacks: Layers = 3
    layers: Layers = 3
    features: Width = 224
    heads: Width = 8
    width: Width = 64
    feed_forward: Width = 32
    factor: Count = 5
    hidden: Width = 1000
    adapted: Width = 128
    dropout: Rate = traceable(0.1)

    def setup(self) -> None:
        """Defines the adapter, the multimodal encoder and the cross-attention."""
        self.fc1, self.fc2 = Linear(self.hidden), Linear(self.hidden)
        self.LN, self.fc3 = LayerNorm(), Linear(self.adapted)
        self.encoder = self.new_encoder()
        self.cross = MultimodalAttention(self.heads, self.width, self.dropout)

    def new_encoder(self, gate: str = "", shared_factor: float = 5.0) -> Encoder:
        """Creates an encoder; with a gate, its stacks end with a layer of shared attention."""
        layer_fields = (self.feed_forward, self.factor, self.dropout, self.heads, self.width)
        layer = partial(Layer, *layer_fields, shared_factor=shared_factor)
        fields = (self.features, layer, self.layers, self.stacks, self.dropout)
        return Encoder(*fields, gate=gate)

    def adapt(self, words: Mapping[str, Num[Array, "batch time _"]]) -> Streams:
        """Modality adapter: projects the words [B, words, *] of all modalities to one space."""
        adapted = {}
        for modality, x in words.items():
            first = self.fc1 if modality == "visual" else self.fc2
            kernel, _ = first.weights(x.shape[-1])
            # Faces are stored as bytes and converted to floating point only here.
            adapted[modality] = nn.silu(self.fc3(self.LN(first(x.astype(kernel.dtype)))))
        return adapted

    def key_samples(self, inputs: Inputs) -> dict[str, Samples]:
        """Returns the key samples by which the attentions of each encoder rank queries.

        If the inputs contain `draws` [24, words, `kept_queries(factor, words)`], attention n over L
        steps uses `draws[n, :L, :kept] % L`; attentions are numbered encoder by encoder and stack
        by stack. Otherwise, keys are drawn from the random stream `sample` or, without it, from
        key 0.
        """
        number, samples = 0, {}
        for branch, stacks in self._lengths().items():
            branch_samples = []
            for lengths in stacks:
                numbered_lengths = enumerate(lengths, number)
                branch_samples.append(
                    tuple(self._key_sample(inputs, n, length) for n, length in numbered_lengths)
                )
                number += len(lengths)
            samples[branch] = tuple(branch_samples)
        return samples

    def all_keys(self) -> dict[str, Samples]:
        """Returns placeholders like `key_samples` that rank queries by all keys."""
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
        """Encodes the face, then the voice, with one encoder."""
        rest = (shared, real, train)
        if self.is_initializing():
            return {m: encoder(streams[m], samples[m], *rest) for m in MODALITIES}
        # A scan compiles the encoder, most of the model, once for both modalities.
        branches = [(streams[m], samples[m]) for m in MODALITIES]
        updates = self.is_mutable_collection("batch_stats")
        scan = nn.scan(
            lambda encoder, carry, branch: (carry, encoder(*branch, *rest)),
            variable_broadcast=["params", "untrained", *(() if updates else ("batch_stats",))],
            variable_carry="batch_stats" if updates else (),
            split_rngs={"params": False, "dropout": True},
        )
        _, both = scan(encoder, None, jax.tree.map(lambda *leaves: jnp.stack(leaves), *branches))
        return {m: jax.tree.map(lambda leaf, n=n: leaf[n], both) for n, m in enumerate(MODALITIES)}

    def sow_words(self, encoded: Mapping[str, Encoded]) -> None:
        """Sows `words/<branch>` [B, words]: the first layer's attention to each word."""
        for branch, outputs in encoded.items():
            self.sow("intermediates", f"words/{branch}", outputs.steps)

    def _lengths(self) -> dict[str, tuple[tuple[int, ...], ...]]:
        sizes = (self.words, self.layers, self.stacks)
        return {
            m: attention_lengths(*sizes, m != "multimodal") for m in ("multimodal", *MODALITIES)
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


def first(x: Frames, mask: Mask | None, count: int) -> Num[Array, "batch step feature"]:
    """Returns the first `count` steps, zero at padding and beyond the end."""
    x = masking.zero_padding(x, mask)[:, :count]
    return jnp.pad(x, ((0, 0), (0, count - x.shape[1]), (0, 0)))


def joined(streams: Streams) -> Encoding:
    """Concatenates the features of all modalities."""
    return jnp.concatenate([*streams.values()], -1)


def flat(x: Sequence) -> Array:
    """Flattens [B, L, D] to [B, L * D]."""
    return x.reshape(x.shape[0], -1)


def real_of(masks: Mapping[str, Mask | None]) -> Real:
    """Mask of the examples with at least one real frame in every modality; None: all examples."""
    present = [mask.any(1) for mask in masks.values() if mask is not None]
    return jnp.stack(present).all(0) if present else None
