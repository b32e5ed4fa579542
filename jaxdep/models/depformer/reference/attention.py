"""Attention layers of DEP-Former: sparse, sharing, exchanging and cross-modal."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def kept_queries(factor: float, steps: int) -> int:
    """Number of queries that a sparse attention over `steps` steps keeps, at least one."""
    return max(1, min(math.floor(factor * math.log(steps)), steps))  # §4


class KeySamples:
    """Key samples of all attentions of one forward pass, taken in the order of the attentions.

    Args:
        draws: precomputed samples [N, words, u(words)], or None to draw them.
        exact: whether to use all keys instead of samples.
    """

    def __init__(self, draws: Tensor | None, exact: bool) -> None:
        self.draws = draws
        self.exact = exact
        self.count = 0

    def take(self, steps: int, size: int, device: torch.device) -> Tensor | None:
        """Returns the next key sample [steps, size], or None if all keys are used."""
        number, self.count = self.count, self.count + 1
        if self.exact:
            return None
        if self.draws is None:
            return torch.randint(steps, (steps, size), device=device)  # §4
        return self.draws[number, :steps, :size].to(device, torch.long) % steps  # §4


class ProbSparseAttention(nn.Module):
    """Self-attention in which only the queries with the largest sparsity measure use the keys.

    Returns the output [B, L, D], the kept queries [B, H, u] in descending order of their sparsity
    measure, and the attention to each step averaged over heads and queries [B, L].
    """

    def __init__(
        self, *, features: int, heads: int, width: int, factor: float, dropout: float
    ) -> None:
        super().__init__()
        self.heads, self.width, self.factor = heads, width, factor
        self.W_Q = nn.Linear(features, heads * width, bias=False)
        self.W_K = nn.Linear(features, heads * width, bias=False)
        self.W_V = nn.Linear(features, heads * width, bias=False)
        self.fc = nn.Linear(heads * width, features, bias=False)
        self.norm = nn.LayerNorm(features)
        self.dropout = nn.Dropout(dropout)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [B, H, L, width]."""
        q = self.W_Q(x).unflatten(-1, (self.heads, self.width)).transpose(1, 2)  # §4
        k = self.W_K(x).unflatten(-1, (self.heads, self.width)).transpose(1, 2)  # §4
        v = self.W_V(x).unflatten(-1, (self.heads, self.width)).transpose(1, 2)  # §4
        return q, k, v

    def rank(self, q: Tensor, k: Tensor, keys: KeySamples) -> Tensor:
        """Indices [B, H, u] of the queries with the largest sparsity measure, sorted by it."""
        steps = q.shape[2]
        kept = kept_queries(self.factor, steps)
        sample = keys.take(steps, kept, q.device)
        scores = q @ k.transpose(-1, -2)  # §4
        if sample is not None:
            scores = scores.gather(-1, sample.expand(*scores.shape[:2], -1, -1))  # §4
        measure = scores.amax(-1) - scores.mean(-1)  # §4
        order = measure.argsort(dim=-1, descending=True, stable=True)  # §4
        return order[..., :kept]  # §4

    def weigh(self, queries: Tensor, k: Tensor) -> Tensor:
        """Attention weights [B, H, u, L] of the given queries over all keys."""
        return (queries @ k.transpose(-1, -2) / math.sqrt(self.width)).softmax(-1)  # §4

    def place(self, read: Tensor, v: Tensor, index: Tensor) -> Tensor:
        """Context [B, H, L, width]: `read` at the steps `index`, the mean value elsewhere."""
        context = v.mean(2, keepdim=True).expand_as(v)  # §4
        return context.scatter(2, index[..., None].expand_as(read), read)  # §4

    def output(self, context: Tensor, x: Tensor) -> Tensor:
        """Merges the heads and adds the residual."""
        merged = context.transpose(1, 2).flatten(2)  # §4
        return self.norm(self.dropout(self.fc(merged)) + x)  # §4

    def forward(self, x: Tensor, keys: KeySamples) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.project(x)
        index = self.rank(q, k, keys)
        weights = self.weigh(q.take_along_dim(index[..., None], 2), k)  # §4
        context = self.place(weights @ v, v, index)  # §4
        uniform = q.new_full((*q.shape[:3], x.shape[1]), 1 / x.shape[1])  # §10
        everywhere = uniform.scatter(2, index[..., None].expand_as(weights), weights)  # §10
        return self.output(context, x), index, everywhere.mean((1, 2)).detach()  # §10


class SharingAttention(ProbSparseAttention):
    """Sparse attention that mixes the contexts of its own and of shared queries by a gate.

    Args:
        steps: number of steps, which determines the input width of the gate.
        shared_factor: sparsity factor of both sets of queries.
        gate: "soft", or "hard" with the gradient of the soft gate.
    """

    def __init__(self, *, steps: int, shared_factor: float, gate: str, **fields: Any) -> None:
        super().__init__(**fields)
        self.shared = kept_queries(shared_factor, steps)
        self.hard = gate == "hard"
        self.alpha = nn.Sequential(nn.Linear(self.heads * steps * self.width, 1), nn.Sigmoid())

    def context(self, q: Tensor, k: Tensor, v: Tensor, index: Tensor) -> Tensor:
        """Context of the queries at `index`."""
        read = self.weigh(q.take_along_dim(index[..., None], 2), k) @ v  # §7
        return self.place(read, v, index)  # §7

    def forward(self, x: Tensor, keys: KeySamples, shared: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = self.project(x)
        index = self.rank(q, k, keys)
        g = self.alpha(q.flatten(1))[..., None, None]  # §7
        if self.hard:
            g = (g >= 0.5).to(g) + (g - g.detach())  # §7
        own_context = self.context(q, k, v, index[..., : self.shared])  # §7
        shared_context = self.context(q, k, v, shared[..., : self.shared])  # §7
        return self.output(g * own_context + (1 - g) * shared_context, x), index  # §7


class StoredLinear(nn.Module):
    """A linear layer with one output whose weights are stored but not trained."""

    weight: Tensor
    bias: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        linear = nn.Linear(features, 1)
        self.register_buffer("weight", linear.weight.detach())
        self.register_buffer("bias", linear.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


class ExchangingAttention(ProbSparseAttention):
    """Sparse attention that exchanges queries between the examples of a batch, as released."""

    def __init__(self, *, steps: int, **fields: Any) -> None:
        super().__init__(**fields)
        self.alpha = nn.Sequential(StoredLinear(self.heads * steps * self.width), nn.Sigmoid())

    def forward(self, x: Tensor, keys: KeySamples, shared: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = self.project(x)
        index = self.rank(q, k, keys)
        g = self.alpha(q.detach().flatten(1))[:, 0]  # §12, step 1
        half = len(g) // 2
        order = g.argsort(descending=True, stable=True)  # §12, step 2
        top, low = order[:half], order.flip(0)[:half]  # §12, step 2
        permutation = torch.cat([top, low])  # §12, step 2
        first = q[low].take_along_dim(index[top][..., None], 2)  # §12, step 3
        second = q[top].take_along_dim(shared[low][..., None], 2)  # §12, step 3
        queries = torch.cat([first, second])[permutation]  # §12, step 4
        context = self.place(self.weigh(queries, k) @ v, v, index)  # §12, step 5
        return self.output(context, x), index


class CrossAttention(nn.Module):
    """Attention with queries and keys from the two modalities and multimodal values."""

    def __init__(self, *, features: int, heads: int, width: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.W_Q = nn.Linear(features, heads * width, bias=False)
        self.W_K = nn.Linear(features, heads * width, bias=False)
        self.W_V = nn.Linear(features, heads * width, bias=False)
        self.fc = nn.Linear(heads * width, features, bias=False)
        self.norm = nn.LayerNorm(features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # §8
            for layer, x in ((self.W_Q, query), (self.W_K, key), (self.W_V, value))
        )
        context = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)  # §8
        return self.norm(self.dropout(self.fc(context)) + query)  # §8
