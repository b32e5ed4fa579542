"""DEP-Former in PyTorch (IEEE TCSVT 2025): the repaired network, and the published one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Draw = Callable[[int], "Tensor | None"]


class CircularConv(nn.Module):
    """A convolution over three steps of [B, L, I], the ends joined."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.Conv = nn.Conv1d(width, features, 3, padding=1, padding_mode="circular")
        nn.init.kaiming_normal_(self.Conv.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.Conv(x.transpose(1, 2)).transpose(1, 2)


class Positions(nn.Module):
    """A table of sinusoids."""

    def __init__(self, features: int, longest: int = 5000) -> None:
        super().__init__()
        rates = torch.exp(-math.log(10000.0) * torch.arange(0, features, 2).double() / features)
        angles = torch.arange(longest)[:, None] * rates
        table = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
        self.register_buffer("pe", table[None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.pe[:, : x.shape[1]]


class DeadTime(nn.Module):
    """The published embedding of time, which nothing calls."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.embed = nn.Linear(features, features)


class Embedding(nn.Module):
    """Words and their positions."""

    def __init__(self, width: int, features: int, dropout: float, dead: bool) -> None:
        super().__init__()
        self.value_embedding = CircularConv(width, features)
        self.position_embedding = Positions(features)
        if dead:
            self.time_embedding = DeadTime(features)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        value = self.value_embedding(x)
        return self.drop(value + self.position_embedding(x).to(value.dtype))


def kept(length: int, factor: float) -> int:
    """How many of so many queries read by themselves."""
    return max(min(math.floor(factor * math.log(length)), length), 1)


class Attention(nn.Module):
    """Sparse attention; with a gate, its queries may be those of another encoder."""

    def __init__(
        self, features: int, heads: int, width: int, factor: float, dropout: float, steps: int
    ) -> None:
        super().__init__()
        inner = heads * width
        self.W_Q, self.W_K, self.W_V = (nn.Linear(features, inner, bias=False) for _ in "QKV")
        self.fc, self.norm = nn.Linear(inner, features, bias=False), nn.LayerNorm(features)
        if steps:
            self.alpha = nn.Sequential(nn.Linear(inner * steps, 1), nn.Sigmoid())
        self.heads, self.factor, self.drop = heads, factor, nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        sample: Tensor | None,
        shared: Any = None,
        gate: str = "",
        factor: float = 0.0,
    ) -> tuple[Tensor, Tensor]:
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q, k, v = split(self.W_Q(x)), split(self.W_K(x)), split(self.W_V(x))
        scores = q @ k.transpose(-1, -2)
        if sample is not None:
            ranked = scores.gather(-1, sample.expand(*scores.shape[:2], *sample.shape))
        else:
            ranked = scores
        rank = ranked.amax(-1) - ranked.mean(-1)
        index = rank.topk(kept(x.shape[1], self.factor)).indices
        if not gate:
            context = self.context(self.rows(q, index), k, v, index)
        elif gate == "mixing":
            context = self.context(self.mixed(q, index, shared), k, v, index)
        else:
            g = self.alpha(q.flatten(1))
            if gate == "hard":
                g = g + (g.round() - g).detach()
            count = kept(x.shape[1], factor or self.factor)
            own, other = index[..., :count], shared[..., :count]
            g = g[..., None, None]
            context = g * self.context(self.rows(q, own), k, v, own)
            context = context + (1 - g) * self.context(self.rows(q, other), k, v, other)
        read = self.fc(context.transpose(1, 2).flatten(2))
        return self.norm(self.drop(read) + x), index

    def rows(self, q: Tensor, index: Tensor) -> Tensor:
        return q.gather(2, index[..., None].expand(-1, -1, -1, q.shape[-1]))

    def context(self, chosen: Tensor, k: Tensor, v: Tensor, index: Tensor) -> Tensor:
        read = (chosen @ k.transpose(-1, -2) / k.shape[-1] ** 0.5).softmax(-1) @ v
        mean = v.mean(2, keepdim=True).expand_as(v)
        return mean.scatter(2, index[..., None].expand_as(read), read)

    def mixed(self, q: Tensor, own: Tensor, shared: Tensor) -> Tensor:
        """Queries of other patients, as published: steps 1 to 4 of A7, patient by patient."""
        gates = self.alpha(q.flatten(1))[:, 0]
        half = len(q) // 2
        top, low = gates.topk(half).indices, gates.topk(half, largest=False).indices
        taken = []
        for place in range(half):
            taken.append(self.rows(q[low[place]][None], own[top[place]][None]))
        for place in range(half):
            taken.append(self.rows(q[top[place]][None], shared[low[place]][None]))
        return torch.cat(taken)[torch.cat([top, low])]


class Layer(nn.Module):
    """Attention, then two convolutions over one step."""

    def __init__(self, features: int, hidden: int, dropout: float, **attention: float) -> None:
        super().__init__()
        self.attention = Attention(features, dropout=dropout, **attention)
        self.conv1, self.conv2 = nn.Conv1d(features, hidden, 1), nn.Conv1d(hidden, features, 1)
        self.norm, self.drop = nn.LayerNorm(features), nn.Dropout(dropout)

    def forward(self, x: Tensor, *how: object) -> tuple[Tensor, Tensor]:
        a, index = self.attention(x, *how)
        hidden = self.drop(functional.gelu(self.conv1(a.transpose(1, 2))))
        return self.norm(a + self.drop(self.conv2(hidden)).transpose(1, 2)), index


class Distilling(nn.Module):
    """Half as many steps."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.downConv = nn.Conv1d(features, features, 3, padding=1, padding_mode="circular")
        self.norm = nn.BatchNorm1d(features)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        y = self.downConv(x.transpose(1, 2))
        normal = self.norm(y[real] if self.training else y)
        if self.training and not real.all():  # rows that count for nothing are normalised alike
            var, mean = torch.var_mean(y[real], (0, 2), correction=0, keepdim=True)
            normal = (y - mean) / (var + self.norm.eps).sqrt() * self.norm.weight[:, None]
            normal = normal + self.norm.bias[:, None]
        return functional.max_pool1d(functional.elu(normal), 3, 2, 1).transpose(1, 2)


class Encoder(nn.Module):
    """Stacks over the last half of what the one before reads."""

    def __init__(
        self,
        inputs: int,
        features: int,
        layers: int,
        stacks: int,
        words: int,
        hidden: int,
        dropout: float,
        sharing: bool,
        dead: bool,
        **attention: float,
    ) -> None:
        super().__init__()
        last = words // 2 ** (layers - 1)
        layer = lambda steps: Layer(features, hidden, dropout, steps=steps, **attention)
        self.embedding = Embedding(inputs, features, dropout, dead)
        self.stacks = nn.ModuleList()
        for stack in range(stacks):
            parts = nn.ModuleDict()
            for number in range(layers - stack):
                if number:
                    parts[f"clayer{stack}{number}"] = Distilling(features)
                parts[f"elayer{stack}{number}"] = layer(last if dead else 0)
            self.stacks.append(parts)
        self.norm = nn.LayerNorm(features)
        if sharing or dead:
            self.en_fv = layer(last)

    def forward(
        self,
        x: Tensor,
        real: Tensor,
        draw: Draw,
        shared: list[Tensor],
        gate: str = "",
        factor: float = 0.0,
    ) -> tuple[Tensor, list[Tensor]]:
        x = self.embedding(x)
        made, indices = [], []
        for stack, parts in enumerate(self.stacks):
            y = x[:, -(x.shape[1] // 2**stack) :]
            for name, part in parts.items():
                if name.startswith("c"):
                    y = part(y, real)
                else:
                    y, index = part(y, draw(y.shape[1]))
            indices.append(index)
            y = self.norm(y)
            if gate:
                added, _ = self.en_fv(y, draw(y.shape[1]), shared[stack], gate, factor)
                y = y + self.norm(added)
            made.append(y)
        return torch.cat(made, 1), indices


class Cross(nn.Module):
    """Attention with query, key and value of three streams."""

    def __init__(self, features: int, heads: int, width: int, dropout: float) -> None:
        super().__init__()
        inner = heads * width
        self.W_Q, self.W_K, self.W_V = (nn.Linear(features, inner, bias=False) for _ in "QKV")
        self.fc, self.norm = nn.Linear(inner, features, bias=False), nn.LayerNorm(features)
        self.heads, self.drop = heads, nn.Dropout(dropout)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q, k, v = split(self.W_Q(query)), split(self.W_K(key)), split(self.W_V(value))
        read = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.norm(self.drop(self.fc(read)) + query)


class DEPFormer(nn.Module):
    """Twin of `jaxdep.models.DEPFormer`: the same fields, the published names.

    `dead`: with the published layers that take no part in the result, too.
    """

    def __init__(
        self,
        *,
        visual_width: int = 224 * 224,
        acoustic_width: int = 1000,
        variant: str = "paper",
        words: int = 24,
        stacks: int = 3,
        layers: int = 3,
        features: int = 224,
        heads: int = 8,
        width: int = 64,
        feed_forward: int = 32,
        factor: int = 5,
        shared_factor: int = 0,
        gate: str = "soft",
        share_encoder: bool = True,
        cross_query: str = "visual",
        hidden: int = 1000,
        adapted: int = 128,
        probability: float = 0.1,
        expected: bool = False,
        dropout: float = 0.1,
        classes: int = 2,
        task: str = "depression",
        dead: bool = False,
    ) -> None:
        super().__init__()
        self.variant, self.words, self.factor, self.task = variant, words, factor, task
        self.gate = "mixing" if variant == "released" else gate
        self.shared_factor, self.query, self.classes = shared_factor, cross_query, classes
        self.probability, self.expected = probability, expected or variant == "released"
        self.fc1, self.fc2 = nn.Linear(visual_width, hidden), nn.Linear(acoustic_width, hidden)
        self.LN, self.fc3 = nn.LayerNorm(hidden), nn.Linear(hidden, adapted)
        if dead:
            self.projection = nn.Linear(features, 2 * adapted)
        attention = {"heads": heads, "width": width, "factor": factor}
        shape = (features, layers, stacks, words, feed_forward, dropout)
        self.encoder = Encoder(2 * adapted, *shape, False, dead, **attention)
        for name in ["encoder_fv"] if share_encoder else ["encoder_f", "encoder_v"]:
            self.add_module(name, Encoder(adapted, *shape, True, dead, **attention))
        self.cross = Cross(features, heads, width, dropout)
        flat = stacks * words // 2 ** (layers - 1) * features
        self.fc, self.fc4 = nn.Linear(flat, max(classes, 1)), nn.Linear(flat, max(classes, 1))

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        draw = self._draws(inputs.get("draws"))
        face = self._adapt(self.fc1, inputs["visual"], inputs.get("visual_mask"))
        voice = self._adapt(self.fc2, inputs["acoustic"], inputs.get("acoustic_mask"))
        own = dict(self.named_children())
        masks = [x.any(1) for name, x in inputs.items() if name.endswith("_mask")]
        real = torch.stack(masks).all(0) if masks else torch.ones(len(face), dtype=torch.bool)
        m, kept = self.encoder(torch.cat([face, voice], -1), real, draw, [])
        if self.variant == "released":
            kept = kept[-1:] * len(kept)
        shared = (real, draw, kept, self.gate, self.shared_factor)
        f, _ = (own.get("encoder_fv") or own["encoder_f"])(face, *shared)
        v, _ = (own.get("encoder_fv") or own["encoder_v"])(voice, *shared)
        cross = self.cross(f, v, m) if self.query == "visual" else self.cross(v, f, m)
        logits = self.fc(m.flatten(1))
        for branch in (cross, f, v):
            logits = logits + self._counts(logits) * self.fc4(branch.flatten(1))
        return {self.task: logits if self.classes else logits[:, 0]}

    def _counts(self, like: Tensor) -> Tensor:
        if not self.training or self.expected:
            return torch.full_like(like[:, :1], self.probability)
        return torch.full_like(like[:, :1], self.probability).bernoulli()

    def _adapt(self, first: nn.Linear, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x.to(first.weight.dtype)
        if x.shape[1] != self.words:
            lengths = [x.shape[1]] * len(x) if mask is None else mask.sum(1).tolist()
            rows = [self._pool(row[:length]) for row, length in zip(x, lengths, strict=True)]
            x = torch.stack(rows)
        return functional.silu(self.fc3(self.LN(first(x))))

    def _pool(self, row: Tensor) -> Tensor:
        if not len(row):
            return row.new_zeros(self.words, row.shape[1])
        return functional.adaptive_avg_pool1d(row.T[None], self.words)[0].T

    def _draws(self, given: Tensor | None) -> Draw:
        numbers = itertools.count()

        def draw(length: int) -> Tensor | None:
            number = next(numbers)
            if self.variant == "paper" and not self.training:
                return None
            count = kept(length, self.factor)
            if given is not None:
                return given[number, :length, :count].long() % length
            return torch.randint(length, (length, count), device=self.fc.weight.device)

        return draw
