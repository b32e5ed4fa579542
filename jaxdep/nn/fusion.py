"""How modalities and tasks read one another."""

from __future__ import annotations

from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxdep.errors import ModelError
from jaxdep.nn.attention import head_weights, read_heads
from jaxdep.nn.convolution import FoldedMaps, Maps
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer
from jaxdep.nn.linear import Linear
from jaxdep.nn.masking import either, masked_mean, masked_softmax, zero_padding
from jaxdep.nn.normalization import LayerNorm
from jaxdep.types import Mask, Scores, Sequence, Vector


class JointAttentionFusion(nn.Module):
    """Joint attention fusion (JAF) of two modalities, read out over time (Zhou et al. 2023).

    Each modality's frames are scored (eq. 7-8), one linear layer mixes the 2L scores of both
    (eq. 9-10), and a softmax over time of either half weighs that modality's frames (eq. 11-12).
    The layer is over positions, so the module is bound to one length L.

    Attributes:
      readout: how `Fusion` [B, L, C] becomes a vector: its `sum` over time (the weights of each
        modality sum to one, so this is their weighted average), its `mean`, or `flatten`.
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
        """Fuses maps [B, L, C] of both modalities to [B, C], or [B, L C] if flattened.

        The scores, their mixture and the weights are sown as `T_A`, `T_V`, `T_mixed`, `A_A`, `A_V`.
        """
        t_a = _score(Linear(1, name="fc1"), x_a, mask_a)  # eq. 7
        t_v = _score(Linear(1, name="fc2"), x_v, mask_v)  # eq. 8
        length = t_a.shape[1]
        joint = jnp.concatenate([t_a, t_v], axis=1)  # eq. 9
        mixed = Linear(2 * length, name="fc3")(joint)  # eq. 10
        a_a = masked_softmax(mixed[:, :length], mask_a)  # eq. 11, and the softmax of eq. 12
        a_v = masked_softmax(mixed[:, length:], mask_v)
        sown = {"T_A": t_a, "T_V": t_v, "T_mixed": mixed, "A_A": a_a, "A_V": a_v}
        for name, value in sown.items():
            self.sow("intermediates", name, value)
        if self.readout == "flatten":
            fusion = a_a[..., None] * x_a.maps() + a_v[..., None] * x_v.maps()  # eq. 12
            return fusion.reshape(len(fusion), -1)
        total = x_a.pool(a_a) + x_v.pool(a_v)  # eq. 12, summed over time
        if self.readout == "sum":
            return total
        real = either(mask_a, mask_v)
        frames = length if real is None else jnp.maximum(real.sum(1, keepdims=True), 1)
        return total / frames


def _score(linear: Linear, x: Maps | FoldedMaps, mask: Mask | None) -> Scores:
    """Scores of all frames, zero at padding, so that the mixture does not see it."""
    weight, bias = linear.weights(x.channels)
    scores = x.scores(weight[:, 0], 0.0 if bias is None else bias[0])
    return scores if mask is None else jnp.where(mask, scores, 0)


class FramewiseFusion(nn.Module):
    """Fusion of two modalities frame by frame, without attention; its mean over time.

    Attributes:
      operation: `add`, `multiply`, or `concat`.
    """

    operation: Literal["add", "multiply", "concat"]

    def __call__(
        self,
        x_a: Maps | FoldedMaps,
        x_v: Maps | FoldedMaps,
        mask_a: Mask | None,
        mask_v: Mask | None,
    ) -> Vector:
        """Fuses maps [B, L, C] of both modalities to [B, C], or [B, 2 C] if concatenated."""
        a, v = zero_padding(x_a.maps(), mask_a), zero_padding(x_v.maps(), mask_v)
        if self.operation == "concat":
            fused = jnp.concatenate([a, v], axis=-1)
        else:
            fused = a + v if self.operation == "add" else a * v
        return masked_mean(fused, either(mask_a, mask_v))


class TaskProjection(nn.Module):
    """Query, key and value of one task's states, for the attention between tasks.

    Attributes:
      features: width of each.
    """

    features: int
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None

    @nn.compact
    def __call__(self, x: Sequence) -> tuple[Sequence, Sequence, Sequence]:
        """Projects [B, L, *] to query, key and value, [B, L, features] each."""
        inits = {"weight_init": self.weight_init, "bias_init": self.bias_init}
        q, k, v = (Linear(self.features, name=name, **inits)(x) for name in "qkv")
        return q, k, v


def task_attention(
    query: Sequence, key: Sequence, value: Sequence, mask: Mask | None
) -> tuple[Sequence, Scores]:
    """`softmax(Q K) V`, unscaled (eq. 6, Zhang et al. 2021), over the real steps of the keys.

    Returns:
      The result [B, L, D] and the weights [B, L, L].
    """
    scores = jnp.einsum("bld,bsd->bls", query, key)
    weights = masked_softmax(scores, None if mask is None else mask[:, None, :])
    return jnp.einsum("bls,bsd->bld", weights, value), weights


class CMJAT(nn.Module):
    """Cross-modal joint attention (Zhang et al., 2025, eq. 6): a weak modality reads a strong one.

    Both sequences follow one another as tokens of one self-attention, whose results for the two
    are mixed by a pair of learned weights; they begin as 3/4 strong and 1/4 weak.

    Attributes:
      heads: H, which must divide the width.
      scale: whether scores are divided by the root of the head's width; the equation does not.
      dropout: of the result.
      permute: shuffle the tokens in training. Attention does not see their order, so this changes
        nothing but rounding; the paper names it.
    """

    heads: int
    scale: bool = False
    dropout: float | Array = 0.2
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
        """Two sequences [B, S, D] to the weak one enhanced, [B, S, D].

        The weights of the tokens [B, H, 2S, 2S] are sown as `attention`.
        """
        width, count = strong.shape[-1], strong.shape[1]
        if width % self.heads:
            raise ModelError(f"the width {width} is no multiple of heads {self.heads}")
        tokens = jnp.concatenate([strong, weak], 1)
        mask = jnp.concatenate([strong_mask, weak_mask], 1)
        order = jnp.arange(2 * count)
        if self.permute and train:
            order = jax.random.permutation(self.make_rng("dropout"), order)
        qkv = Linear(3 * width, name="qkv")(tokens[:, order])
        q, k, v = jnp.split(qkv, 3, axis=-1)
        weights = head_weights(q, k, self.heads, mask[:, order], self.scale)
        read = read_heads(weights, v)
        back = jnp.argsort(order)
        self.sow("intermediates", "attention", weights[:, :, back][..., back])
        read = read[:, back]
        mixed = jax.nn.softmax(self.param("mixture", _three_to_one))
        mixed = mixed[0] * read[:, :count] + mixed[1] * read[:, count:]
        return Dropout(self.dropout, name="dropout")(Linear(width, name="proj")(mixed), train)


def _three_to_one(_: Any) -> Array:
    """Scores whose softmax is (3/4, 1/4)."""
    return jnp.log(jnp.array([3.0, 1.0], jnp.float32))


class FeatureAttention(nn.Module):
    """Cross attention between the features of two vectors (Zhang et al., 2025): each is a token.

    Attributes:
      features: width that a feature is lifted to.
    """

    features: int

    @nn.compact
    def __call__(self, query: Vector, memory: Vector) -> Vector:
        """`query` weighted by what its features read in `memory`, [B, D] both; weights sown."""
        lift = lambda name, x: Linear(self.features, name=name)(x[..., None])
        q, k, v = lift("q", query), lift("k", memory), lift("v", memory)
        scores = jnp.einsum("bqd,bkd->bqk", q, k) * (self.features**-0.5)
        read = jnp.einsum("bqk,bkd->bqd", jax.nn.softmax(scores), v)
        weights = jax.nn.softmax(Linear(1, name="out")(read)[..., 0])
        self.sow("intermediates", "weights", weights)
        return weights * query


class MultimodalAttention(nn.Module):
    """Multi-head attention whose query, key and value are three streams (DEP-Former, A8).

    What the heads have read is added to the query and normalised. No projection has a bias.

    Attributes:
      heads: H, each of `width` W; H W need not be the width of the streams.
      dropout: of what the heads have read.
    """

    heads: int = 8
    width: int = 64
    dropout: float | Array = 0.0

    @nn.compact
    def __call__(
        self, query: Sequence, key: Sequence, value: Sequence, train: bool = False
    ) -> Sequence:
        """[B, L, D] each to the query's shape; the weights [B, H, L, L] are sown."""
        project = lambda name, x: Linear(self.heads * self.width, use_bias=False, name=name)(x)
        weights = head_weights(project("W_Q", query), project("W_K", key), self.heads, None)
        self.sow("intermediates", "attention", weights)
        read = read_heads(weights, project("W_V", value))
        read = Linear(query.shape[-1], use_bias=False, name="fc")(read)
        return LayerNorm(name="norm")(query + Dropout(self.dropout, name="dropout")(read, train))


class BernoulliFusion(nn.Module):
    """Logits of a main branch and, each with some probability, of further ones (DEP-Former, A15).

    `main + sum_k z_k further_k`: in training each z of each example is drawn from a Bernoulli
    distribution, in evaluation it is its expectation.

    Attributes:
      probability: that a further branch counts.
      expected: take the expectation in training, too.
    """

    probability: float = 0.1
    expected: bool = False

    @nn.compact
    def __call__(self, main: Vector, further: tuple[Vector, ...], train: bool = False) -> Vector:
        """[B, C], and [B, C] of each further branch, to [B, C]."""
        stacked = jnp.stack(further, 1)
        counts = jnp.full(stacked.shape[:2], self.probability, main.dtype)
        if train and not self.expected:
            key = self.make_rng("dropout")
            counts = jax.random.bernoulli(key, counts).astype(main.dtype)
        return main + jnp.einsum("bk,bkc->bc", counts, stacked)
