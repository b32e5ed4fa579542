"""Informer's sparse self-attention, optionally with queries selected by another encoder."""

from __future__ import annotations

import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from jaxdep.errors import ModelError
from jaxdep.nn.attention import HeadWeights, apply_heads
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import torch_uniform
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.types import Array, Number, PerExample, Sequence

Heads = Float[Array, "batch head time width"]
KeptHeads = Float[Array, "batch head kept width"]
Kept = Int[Array, "batch head kept"]
KeySample = Int[Array, "query sample"]


class AttentionOutput(NamedTuple):
    """Outputs of an attention layer.

    Attributes:
      x: transformed sequence [B, L, D].
      kept: indices of the queries that each head kept, in descending order of prominence.
      weights: attention weights [B, H, L, L].
    """

    x: Sequence
    kept: Kept
    weights: HeadWeights


class ProbSparseAttention(nn.Module):
    """Informer's self-attention (Zhou et al., 2021), which keeps only the most prominent queries.

    The prominence of a query is the maximum minus the mean of its scores. In each head, the
    `kept_queries` most prominent queries attend to all keys; all other steps get the mean of the
    values. The output is added to the input and normalised. The projections have no bias.

    Attributes:
      heads: number of heads H.
      width: width W of a head; H W may differ from the width of the input.
      factor: sampling factor c of `kept_queries`.
      dropout: dropout rate of the attention output.
    """

    heads: int = 8
    width: int = 64
    factor: float = 5.0
    dropout: Number = 0.0

    @nn.compact
    def __call__(
        self, x: Sequence, sample: KeySample | None = None, train: bool = False
    ) -> AttentionOutput:
        """Attends between the steps of [B, L, D].

        Args:
          sample: indices [L, S] of the keys by which each query is ranked; None: all keys.
        """
        q, k = self._split(x, "W_Q"), self._split(x, "W_K")
        kept = self._kept(q, k, sample)
        weights = sparse_weights(q, k, kept)
        return AttentionOutput(self._result(x, weights, train), kept, weights)

    def _split(self, x: Sequence, name: str) -> Heads:
        y = Linear(self.heads * self.width, use_bias=False, name=name)(x)
        return y.reshape(*y.shape[:2], self.heads, -1).swapaxes(1, 2)

    def _kept(self, q: Heads, k: Heads, sample: KeySample | None) -> Kept:
        count = kept_queries(self.factor, q.shape[2])
        return jax.lax.top_k(prominence(q, k, sample), count)[1]

    def _result(self, x: Sequence, weights: HeadWeights, train: bool) -> Sequence:
        value = Linear(self.heads * self.width, use_bias=False, name="W_V")(x)
        y = Linear(x.shape[-1], use_bias=False, name="fc")(apply_heads(weights, value))
        y = Dropout(self.dropout, name="dropout")(y, train)
        return LayerNorm(name="norm")(y + x)


class SharedAttention(ProbSparseAttention):
    """Attention sharing unit of DEP-Former, which also uses queries selected by another encoder.

    The attention is computed once with the layer's own kept queries and once with the shared ones,
    and a gate per example mixes the two.

    Attributes:
      gate: `soft`: the gate is the weight of the layer's own queries; `hard`: only the layer's own
        queries count if the gate is at least 1/2, otherwise only the shared ones, with the gradient
        of the soft gate; `mixing`: the unit of `DEPFormerReleased`, which exchanges queries between
        the half of the batch with the larger gates and the other half. `mixing` requires an even
        batch, and its gate is not trained.
      shared_factor: sampling factor c that limits both sets of queries. If it keeps all queries,
        the two sets are the same, and the gate has no effect.
    """

    gate: str = "soft"
    shared_factor: float = 5.0

    @nn.compact
    def __call__(
        self, x: Sequence, shared: Kept, sample: KeySample | None = None, train: bool = False
    ) -> AttentionOutput:
        """As `ProbSparseAttention`.

        Args:
          shared: indices of the queries kept by the other encoder.
          sample: as in `ProbSparseAttention`.
          train: as in `ProbSparseAttention`.

        Raises:
          ModelError: the gate is `mixing` and the batch is odd.
        """
        q, k = self._split(x, "W_Q"), self._split(x, "W_K")
        kept = self._kept(q, k, sample)
        gate = _Gate(trained=self.gate != "mixing", name="alpha.0")(q)
        if self.gate == "mixing" and not self.is_initializing():
            weights = _scatter_weights(_exchanged_queries(q, kept, shared, gate), k, kept)
            return AttentionOutput(self._result(x, weights, train), kept, weights)
        if self.gate == "hard":
            hard = (gate >= 0.5).astype(gate.dtype)
            gate = hard + (gate - jax.lax.stop_gradient(gate))
        count = kept_queries(self.shared_factor, x.shape[1])
        first, second = kept[..., :count], shared[..., :count]
        alpha = gate[:, None, None, None]
        weights = alpha * sparse_weights(q, k, first) + (1 - alpha) * sparse_weights(q, k, second)
        return AttentionOutput(self._result(x, weights, train), kept, weights)


class _Gate(nn.Module):
    """Sigmoid of a linear layer over all queries of an example.

    Attributes:
      trained: whether the weights are parameters; otherwise they are in the collection `untrained`.
    """

    trained: bool = True

    @nn.compact
    def __call__(self, query: Heads) -> PerExample:
        flat = query.reshape(query.shape[0], -1)
        init, width = torch_uniform(flat.shape[1]), flat.shape[1]
        if self.trained:
            kernel, bias = self.param("kernel", init, (width, 1)), self.param("bias", init, (1,))
        else:
            untrained = lambda name, shape: self.variable(
                "untrained", name, lambda: init(self.make_rng("params"), shape)
            )
            kernel, bias = untrained("kernel", (width, 1)).value, untrained("bias", (1,)).value
        return jax.nn.sigmoid(flat @ kernel + bias[None])[:, 0]


def kept_queries(factor: float, length: int) -> int:
    """Number of queries kept of `length`: `min(floor(c ln L), L)`, at least one."""
    return max(min(math.floor(factor * math.log(length)), length), 1)


def prominence(query: Heads, key: Heads, sample: KeySample | None) -> Float[Array, "batch head q"]:
    """Maximum minus mean of each query's unscaled scores."""
    if sample is None:
        scores = jnp.einsum("bhld,bhsd->bhls", query, key)
    else:
        scores = jnp.einsum("bhld,bhlsd->bhls", query, key[:, :, sample])
    return scores.max(-1) - scores.mean(-1)


def sparse_weights(query: Heads, key: Heads, kept: Kept) -> HeadWeights:
    """Attention weights: a softmax for the kept queries, uniform for the others."""
    if kept.shape[-1] == query.shape[2]:
        return _softmax(query, key)
    return _scatter_weights(_gather_queries(query, kept), key, kept)


def _gather_queries(query: Heads, kept: Kept) -> KeptHeads:
    return jnp.take_along_axis(query, kept[..., None], 2)


def _softmax(query: Float[Array, "batch head query width"], key: Heads) -> HeadWeights:
    return jax.nn.softmax(jnp.einsum("bhld,bhsd->bhls", query, key) * (key.shape[-1] ** -0.5))


def _scatter_weights(queries: KeptHeads, key: Heads, kept: Kept) -> HeadWeights:
    """Attention weights of the queries [B, H, U, W] at the steps `kept`, uniform elsewhere."""
    weights = _softmax(queries, key)
    uniform = jnp.full((*key.shape[:3], key.shape[2]), 1 / key.shape[2], weights.dtype)
    indices = jnp.broadcast_to(kept[..., None], weights.shape)
    return jnp.put_along_axis(uniform, indices, weights, 2, inplace=False)


def _exchanged_queries(query: Heads, kept: Kept, shared: Kept, gate: PerExample) -> KeptHeads:
    """Queries of the published unit, which exchanges them between examples."""
    if len(query) % 2:
        raise ModelError(
            "the published sharing unit exchanges queries between pairs of examples: set an even"
            f" batch size (training.batch_size); got {len(query)}"
        )
    half = len(query) // 2
    order = jnp.argsort(-gate)
    high, low = order[:half], order[::-1][:half]
    source, index = jnp.concatenate([low, high]), jnp.concatenate([kept[high], shared[low]])
    return _gather_queries(query[source], index)[jnp.concatenate([high, low])]
