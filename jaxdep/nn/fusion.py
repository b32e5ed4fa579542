"""Fusion of modalities and attention between tasks."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Float

from jaxdep.errors import ModelError
from jaxdep.nn.attention import apply_heads, head_weights
from jaxdep.nn.convolution import FoldedMaps, Maps
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer
from jaxdep.nn.linear import Linear
from jaxdep.nn.masking import either, masked_mean, masked_softmax, zero_padding
from jaxdep.nn.normalization import LayerNorm
from jaxdep.types import Array, Encoding, Mask, Number, Scores, Sequence, Vector


class JointAttentionFusion(nn.Module):
    """Joint attention fusion (JAF) of two modalities, reduced over time (Zhou et al., 2023).

    Each frame of each modality is scored (eq. 7-8), one linear layer mixes the 2L scores of both
    modalities (eq. 9-10), and a softmax over time of each half weights the frames of that modality
    (eq. 11-12). The linear layer acts on positions, so its weights fix the length L.

    Attributes:
      readout: reduction of `Fusion` [B, L, C] to a vector: its `sum` over time (a weighted average
        of each modality, as its weights sum to one), its `mean`, or `flatten`.
    """

    readout: Literal["sum", "mean", "flatten"] = "sum"

    @nn.compact
    def __call__(
        self,
        x_a: Maps | FoldedMaps,
        x_v: Maps | FoldedMaps,
        mask_a: Mask | None,
        mask_v: Mask | None,
    ) -> Vector:
        """Fuses the maps [B, L, C] of both modalities to [B, C], or to [B, L C] if flattened.

        Sown: the scores `T_A`, `T_V`, the mixed scores `T_mixed`, and the weights `A_A`, `A_V`.
        """
        t_a = _score(Linear(1, name="fc1"), x_a, mask_a)  # eq. 7
        t_v = _score(Linear(1, name="fc2"), x_v, mask_v)  # eq. 8
        length = t_a.shape[1]
        joint = jnp.concatenate([t_a, t_v], axis=1)  # eq. 9
        mixed = Linear(2 * length, name="fc3")(joint)  # eq. 10
        a_a = masked_softmax(mixed[:, :length], mask_a)  # eq. 11, and the softmax of eq. 12
        a_v = masked_softmax(mixed[:, length:], mask_v)
        maps = {"T_A": t_a, "T_V": t_v, "T_mixed": mixed, "A_A": a_a, "A_V": a_v}
        for name, value in maps.items():
            self.sow("intermediates", name, value)
        if self.readout == "flatten":
            fusion = a_a[..., None] * x_a.maps() + a_v[..., None] * x_v.maps()  # eq. 12
            return fusion.reshape(fusion.shape[0], -1)
        total = x_a.pool(a_a) + x_v.pool(a_v)  # eq. 12, summed over time
        if self.readout == "sum":
            return total
        real = either(mask_a, mask_v)
        frames = length if real is None else jnp.maximum(real.sum(1, keepdims=True), 1)
        return total / frames


def _score(linear: Linear, x: Maps | FoldedMaps, mask: Mask | None) -> Scores:
    """Scores all frames; padding scores zero, so that it does not affect the mixing layer."""
    weight, bias = linear.weights(x.channels)
    scores = x.scores(weight[:, 0], 0.0 if bias is None else bias[0])
    return scores if mask is None else jnp.where(mask, scores, 0)


class FramewiseFusion(nn.Module):
    """Frame-by-frame fusion of two modalities without attention, averaged over time.

    Attributes:
      operation: fusion of two frames: `add`, `multiply`, or `concat`.
    """

    operation: Literal["add", "multiply", "concat"]

    def __call__(
        self,
        x_a: Maps | FoldedMaps,
        x_v: Maps | FoldedMaps,
        mask_a: Mask | None,
        mask_v: Mask | None,
    ) -> Vector:
        """Fuses the maps [B, L, C] of both modalities to [B, C], or to [B, 2 C] if concatenated."""
        a, v = zero_padding(x_a.maps(), mask_a), zero_padding(x_v.maps(), mask_v)
        if self.operation == "concat":
            fused = jnp.concatenate([a, v], axis=-1)
        else:
            fused = a + v if self.operation == "add" else a * v
        return masked_mean(fused, either(mask_a, mask_v))


class TaskProjection(nn.Module):
    """Query, key and value projections of one task's states, for the attention between tasks.

    Attributes:
      features: width of the query, the key and the value.
      weight_init: initializer of the weights; None: PyTorch's default.
      bias_init: initializer of the biases; None: `weight_init`.
    """

    features: int
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None

    @nn.compact
    def __call__(self, x: Sequence) -> tuple[Encoding, Encoding, Encoding]:
        """Projects [B, L, *] to a query, a key and a value, [B, L, features] each."""
        linear = partial(Linear, weight_init=self.weight_init, bias_init=self.bias_init)
        q, k, v = (linear(self.features, name=name)(x) for name in "qkv")
        return q, k, v


def task_attention(
    query: Sequence, key: Sequence, value: Sequence, mask: Mask | None
) -> tuple[Sequence, Float[Array, "batch time time"]]:
    """Computes `softmax(Q K) V`, unscaled (eq. 6, Zhang et al., 2021), over the real keys.

    Returns:
      The result [B, L, D] and the weights [B, L, L].
    """
    scores = jnp.einsum("bld,bsd->bls", query, key)
    weights = masked_softmax(scores, None if mask is None else mask[:, None, :])
    return jnp.einsum("bls,bsd->bld", weights, value), weights


class CMJAT(nn.Module):
    """Cross-modal joint attention of a strong and a weak modality (Zhang et al., 2025, eq. 6).

    The two sequences are concatenated in time and pass one self-attention. Two learned weights, a
    softmax initialised to 3/4 (strong) and 1/4 (weak), mix the outputs of the two halves into the
    enhanced weak sequence.

    Attributes:
      heads: number of heads H; must divide the width of the input.
      scale: whether to divide the scores by the square root of a head's width; eq. 6 does not.
      dropout: dropout rate of the output.
      permute: whether to shuffle the tokens in training, as in the paper. Self-attention does not
        depend on the order of the tokens, so this only affects rounding.
    """

    heads: int
    scale: bool = False
    dropout: Number = 0.2
    permute: bool = False

    @nn.compact
    def __call__(
        self,
        strong: Sequence,
        weak: Sequence,
        strong_mask: Mask,
        weak_mask: Mask,
        train: bool = False,
    ) -> Sequence:
        """Enhances the weak sequence by the strong one; all are [B, S, D].

        The attention weights between the tokens [B, H, 2S, 2S] are sown as `attention`.
        """
        width, count = strong.shape[-1], strong.shape[1]
        if width % self.heads:
            raise ModelError(f"the input width {width} must be a multiple of heads={self.heads}")
        tokens = jnp.concatenate([strong, weak], 1)
        mask = jnp.concatenate([strong_mask, weak_mask], 1)
        order = jnp.arange(2 * count)
        if self.permute and train:
            order = jax.random.permutation(self.make_rng("dropout"), order)
        qkv = Linear(3 * width, name="qkv")(tokens[:, order])
        q, k, v = jnp.split(qkv, 3, axis=-1)
        weights = head_weights(q, k, self.heads, mask[:, order], self.scale)
        attended = apply_heads(weights, v)
        inverse = jnp.argsort(order)
        self.sow("intermediates", "attention", weights[:, :, inverse][..., inverse])
        attended = attended[:, inverse]
        mixed = jax.nn.softmax(self.param("mixture", _three_to_one))
        mixed = mixed[0] * attended[:, :count] + mixed[1] * attended[:, count:]
        return Dropout(self.dropout, name="dropout")(Linear(width, name="proj")(mixed), train)


def _three_to_one(_: Any) -> Array:
    """Initial logits, whose softmax is (3/4, 1/4)."""
    return jnp.log(jnp.array([3.0, 1.0], jnp.float32))


class FeatureAttention(nn.Module):
    """Cross-attention between two vectors whose features are the tokens (Zhang et al., 2025).

    Attributes:
      features: width to which each scalar feature is projected.
    """

    features: int

    @nn.compact
    def __call__(self, query: Vector, memory: Vector) -> Vector:
        """Weights the features of `query` [B, D] by their attention to those of `memory` [B, D].

        The weights [B, D] are sown as `weights`.
        """
        lift = lambda name, x: Linear(self.features, name=name)(x[..., None])
        q, k, v = lift("q", query), lift("k", memory), lift("v", memory)
        scores = jnp.einsum("bqd,bkd->bqk", q, k) * (self.features**-0.5)
        attended = jnp.einsum("bqk,bkd->bqd", jax.nn.softmax(scores), v)
        weights = jax.nn.softmax(Linear(1, name="out")(attended)[..., 0])
        self.sow("intermediates", "weights", weights)
        return weights * query


class MultimodalAttention(nn.Module):
    """Multi-head attention with separate query, key and value streams (DEP-Former, §8).

    The output is added to the query and normalised. The projections have no bias.

    Attributes:
      heads: number of heads H.
      width: width W of a head; H W may differ from the width of the streams.
      dropout: dropout rate of the attention output.
    """

    heads: int = 8
    width: int = 64
    dropout: Number = 0.0

    @nn.compact
    def __call__(
        self, query: Sequence, key: Sequence, value: Sequence, train: bool = False
    ) -> Sequence:
        """Attends over streams [B, L, D]; the weights [B, H, L, L] are sown as `attention`."""
        project = lambda name, x: Linear(self.heads * self.width, use_bias=False, name=name)(x)
        weights = head_weights(project("W_Q", query), project("W_K", key), self.heads, None)
        self.sow("intermediates", "attention", weights)
        y = apply_heads(weights, project("W_V", value))
        y = Linear(query.shape[-1], use_bias=False, name="fc")(y)
        return LayerNorm(name="norm")(query + Dropout(self.dropout, name="dropout")(y, train))


class BernoulliFusion(nn.Module):
    """Logits of a main branch plus randomly gated side branches (DEP-Former, §9).

    Computes `main + sum_k z_k side_branches_k`. In training, each z of each example is drawn from a
    Bernoulli distribution; in evaluation, it is replaced by its expectation.

    Attributes:
      probability: probability that a side branch is added.
      expected: whether to use the expectation in training, too.
    """

    probability: Number = 0.1
    expected: bool = False

    @nn.compact
    def __call__(
        self, main: Vector, side_branches: tuple[Vector, ...], train: bool = False
    ) -> Vector:
        """Adds the side branches, [B, C] each, to `main` [B, C]."""
        stacked = jnp.stack(side_branches, 1)
        gates = jnp.full(stacked.shape[:2], self.probability, main.dtype)
        if train and not self.expected:
            key = self.make_rng("dropout")
            gates = jax.random.bernoulli(key, gates).astype(main.dtype)
        return main + jnp.einsum("bk,bkc->bc", gates, stacked)
