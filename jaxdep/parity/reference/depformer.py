"""DEP-Former: depression recognition from a face and a voice for every word that is read aloud.

`DEPFormer` treats every recording on its own and is deterministic in evaluation.
`DEPFormerReleased` keeps the behaviour of the network as it was published.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jaxdep.parity.reference.sequences import zero


def kept_queries(factor: float, steps: int) -> int:
    """Number of queries that a sparse attention over `steps` steps keeps, at least one."""
    return max(1, min(math.floor(factor * math.log(steps)), steps))  # A4


def sinusoids(steps: int, features: int) -> Tensor:
    """Fixed position embedding [steps, features] in float64."""
    position = torch.arange(steps, dtype=torch.float64)[:, None]
    even = torch.arange(0, features, 2, dtype=torch.float64)
    angle = position * torch.exp(-math.log(10000.0) * even / features)  # A3
    table = torch.zeros(steps, features, dtype=torch.float64)
    table[:, 0::2] = angle.sin()  # A3
    table[:, 1::2] = angle.cos()[:, : features // 2]  # A3
    return table


def first_words(x: Tensor, mask: Tensor | None, words: int) -> Tensor:
    """The first `words` steps of [B, L, D]; padded and missing ones are zeros."""
    x = zero(x[:, :words], None if mask is None else mask[:, :words])  # A12
    return F.pad(x, (0, 0, 0, words - x.shape[1]))


def segments(x: Tensor, mask: Tensor | None, words: int) -> Tensor:
    """Means over `words` equal parts of the real steps of every recording, [B, words, D]."""
    if mask is None:
        mask = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
    rows = [steps[real] for steps, real in zip(x, mask, strict=True)]
    pooled = [
        F.adaptive_avg_pool1d(row.T[None], words)[0].T
        if len(row)
        else x.new_zeros(words, x.shape[2])
        for row in rows
    ]
    return torch.stack(pooled)


def real_examples(masks: Sequence[Tensor | None]) -> Tensor | None:
    """Examples [B] with a real step in every mask that is given; None where no mask is."""
    given = [mask.any(1) for mask in masks if mask is not None]
    return torch.stack(given).all(0) if given else None


class KeySamples:
    """Key samples of all attentions of one forward, taken in the order of the attentions.

    Args:
        draws: given samples [N, words, u(words)], or None to draw them.
        exact: every key counts, nothing is sampled.
    """

    def __init__(self, draws: Tensor | None, exact: bool) -> None:
        self.draws = draws
        self.exact = exact
        self.count = 0

    def take(self, steps: int, size: int, device: torch.device) -> Tensor | None:
        """The next key sample [steps, size], or None where every key counts."""
        number, self.count = self.count, self.count + 1
        if self.exact:
            return None
        if self.draws is None:
            return torch.randint(steps, (steps, size), device=device)  # A4
        return self.draws[number, :steps, :size].to(device, torch.long) % steps  # A4


class ProbSparseAttention(nn.Module):
    """Self-attention in which only the queries that choose most sharply read the keys.

    Returns the output [B, L, D], the kept queries [B, H, u] in descending order of their sparsity
    measure, and what is read of each step on average over heads and queries [B, L].
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
        q = self.W_Q(x).unflatten(-1, (self.heads, self.width)).transpose(1, 2)  # A4
        k = self.W_K(x).unflatten(-1, (self.heads, self.width)).transpose(1, 2)  # A4
        v = self.W_V(x).unflatten(-1, (self.heads, self.width)).transpose(1, 2)  # A4
        return q, k, v

    def rank(self, q: Tensor, k: Tensor, keys: KeySamples) -> Tensor:
        """Indices [B, H, u] of the queries with the largest sparsity measure, descending."""
        steps = q.shape[2]
        kept = kept_queries(self.factor, steps)
        sample = keys.take(steps, kept, q.device)
        scores = q @ k.transpose(-1, -2)  # A4
        if sample is not None:
            scores = scores.gather(-1, sample.expand(*scores.shape[:2], -1, -1))  # A4
        measure = scores.amax(-1) - scores.mean(-1)  # A4, A14.3
        order = measure.argsort(dim=-1, descending=True, stable=True)  # A4
        return order[..., :kept]  # A4

    def weigh(self, queries: Tensor, k: Tensor) -> Tensor:
        """Attention weights [B, H, u, L] of some queries over all keys."""
        return (queries @ k.transpose(-1, -2) / math.sqrt(self.width)).softmax(-1)  # A4

    def place(self, read: Tensor, v: Tensor, index: Tensor) -> Tensor:
        """Context [B, H, L, width]: the mean of the values, and `read` at the steps of `index`."""
        context = v.mean(2, keepdim=True).expand_as(v)  # A4
        return context.scatter(2, index[..., None].expand_as(read), read)  # A4

    def output(self, context: Tensor, x: Tensor) -> Tensor:
        """Merges the heads and adds the residual."""
        merged = context.transpose(1, 2).flatten(2)  # A4
        return self.norm(self.dropout(self.fc(merged)) + x)  # A4

    def forward(self, x: Tensor, keys: KeySamples) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.project(x)
        index = self.rank(q, k, keys)
        weights = self.weigh(q.take_along_dim(index[..., None], 2), k)  # A4
        context = self.place(weights @ v, v, index)  # A4
        uniform = q.new_full((*q.shape[:3], x.shape[1]), 1 / x.shape[1])  # A15
        everywhere = uniform.scatter(2, index[..., None].expand_as(weights), weights)  # A15
        return self.output(context, x), index, everywhere.mean((1, 2)).detach()  # A15


class SharingAttention(ProbSparseAttention):
    """Sparse attention that mixes what its own and what shared queries read, by a gate.

    Args:
        steps: number of steps, on which the width of the gate depends.
        shared_factor: sparsity factor of both indices.
        gate: "soft", or "hard" with the gradient of the soft gate.
    """

    def __init__(self, *, steps: int, shared_factor: float, gate: str, **fields: float) -> None:
        super().__init__(**fields)
        self.shared = kept_queries(shared_factor, steps)
        self.hard = gate == "hard"
        self.alpha = nn.Sequential(nn.Linear(self.heads * steps * self.width, 1), nn.Sigmoid())

    def context(self, q: Tensor, k: Tensor, v: Tensor, index: Tensor) -> Tensor:
        """Context in which the queries at `index` read."""
        read = self.weigh(q.take_along_dim(index[..., None], 2), k) @ v  # A14.1
        return self.place(read, v, index)  # A14.1

    def forward(self, x: Tensor, keys: KeySamples, shared: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = self.project(x)
        index = self.rank(q, k, keys)
        g = self.alpha(q.flatten(1))[..., None, None]  # A7.1
        if self.hard:
            g = (g >= 0.5).to(g) + (g - g.detach())  # A14.1
        own = self.context(q, k, v, index[..., : self.shared])  # A14.1
        other = self.context(q, k, v, shared[..., : self.shared])  # A14.1
        return self.output(g * own + (1 - g) * other, x), index  # A14.1


class StoredLinear(nn.Module):
    """A linear layer to one number that is stored and not trained."""

    def __init__(self, features: int) -> None:
        super().__init__()
        linear = nn.Linear(features, 1)
        self.register_buffer("weight", linear.weight.detach())
        self.register_buffer("bias", linear.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


class ExchangingAttention(ProbSparseAttention):
    """Sparse attention that exchanges queries between the examples of a batch, as published."""

    def __init__(self, *, steps: int, **fields: float) -> None:
        super().__init__(**fields)
        self.alpha = nn.Sequential(StoredLinear(self.heads * steps * self.width), nn.Sigmoid())

    def forward(self, x: Tensor, keys: KeySamples, shared: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = self.project(x)
        index = self.rank(q, k, keys)
        g = self.alpha(q.detach().flatten(1))[:, 0]  # A7.1
        half = len(g) // 2
        order = g.argsort(descending=True, stable=True)  # A7.2
        top, low = order[:half], order.flip(0)[:half]  # A7.2
        permutation = torch.cat([top, low])  # A7.2
        first = q[low].take_along_dim(index[top][..., None], 2)  # A7.3
        second = q[top].take_along_dim(shared[low][..., None], 2)  # A7.3
        queries = torch.cat([first, second])[permutation]  # A7.4
        context = self.place(self.weigh(queries, k) @ v, v, index)  # A7.5
        return self.output(context, x), index


class EncoderLayer(nn.Module):
    """An attention and a feed-forward block; returns also what else the attention returns."""

    def __init__(
        self, attention: nn.Module, *, features: int, feed_forward: int, dropout: float
    ) -> None:
        super().__init__()
        self.attention = attention
        self.conv1 = nn.Conv1d(features, feed_forward, 1)
        self.conv2 = nn.Conv1d(feed_forward, features, 1)
        self.norm = nn.LayerNorm(features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, *args: object) -> tuple[Tensor, ...]:
        a, *rest = self.attention(x, *args)  # A5
        z = self.dropout(F.gelu(self.conv1(a.transpose(1, 2))))  # A5
        z = self.dropout(self.conv2(z)).transpose(1, 2)  # A5
        return self.norm(a + z), *rest  # A5


class BatchNorm(nn.BatchNorm1d):
    """Batch norm of [B, D, L] whose batch statistics are those of the real examples alone."""

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        if not self.training or real is None or real.all():
            return super().forward(x)  # A5
        if not real.any():
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        super().forward(x[real])  # the running statistics move
        variance, mean = torch.var_mean(x[real], (0, 2), correction=0, keepdim=True)
        normed = (x - mean) / (variance + self.eps).sqrt()  # A5
        return normed * self.weight[:, None] + self.bias[:, None]  # A5


class DistillingLayer(nn.Module):
    """Halves the number of steps of [B, L, D]."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.downConv = nn.Conv1d(features, features, 3, padding=1, padding_mode="circular")
        self.norm = BatchNorm(features)
        self.activation = nn.ELU()
        self.pool = nn.MaxPool1d(3, stride=2, padding=1)

    def forward(self, x: Tensor, real: Tensor | None) -> Tensor:
        x = self.norm(self.downConv(x.transpose(1, 2)), real)  # A5
        return self.pool(self.activation(x)).transpose(1, 2)  # A5


class ValueEmbedding(nn.Module):
    """Circular convolution over neighbouring words."""

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.Conv = nn.Conv1d(channels, features, 3, padding=1, padding_mode="circular")
        nn.init.kaiming_normal_(self.Conv.weight, mode="fan_in", nonlinearity="leaky_relu")  # A3

    def forward(self, x: Tensor) -> Tensor:
        return self.Conv(x.transpose(1, 2)).transpose(1, 2)  # A3


class Embedding(nn.Module):
    """Features and positions of the words."""

    def __init__(self, channels: int, features: int, dropout: float) -> None:
        super().__init__()
        self.value_embedding = ValueEmbedding(channels, features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.value_embedding(x)  # A3
        return self.dropout(x + sinusoids(*x.shape[1:]).to(x))  # A3


class Stack(nn.Module):
    """Encoder layers with distilling layers between them; `number` is a part of their names."""

    def __init__(self, number: int, layers: Sequence[nn.Module], features: int) -> None:
        super().__init__()
        self.number, self.layers = number, len(layers)
        for j, layer in enumerate(layers):
            if j:
                self.add_module(f"clayer{number}{j}", DistillingLayer(features))
            self.add_module(f"elayer{number}{j}", layer)

    def forward(
        self, x: Tensor, keys: KeySamples, real: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        x, index, words = self.get_submodule(f"elayer{self.number}0")(x, keys)  # A6
        for j in range(1, self.layers):
            x = self.get_submodule(f"clayer{self.number}{j}")(x, real)  # A6
            x, index, _ = self.get_submodule(f"elayer{self.number}{j}")(x, keys)  # A6
        return x, index, words


class Encoder(nn.Module):
    """Stacks over ever shorter suffixes of the words, and an optional layer of index sharing.

    Returns the features [B, stacks * L_out, D], the index of the last layer of every stack, and
    what the first layer of the first stack reads of each word [B, words].

    Args:
        channels: channels of the input.
        sharing: attention of the layer that reads a shared index, or None for no such layer.
        stacks: number of stacks.
        layers: number of layers of the first stack; every further stack has one layer less.
        features: width of the features.
        feed_forward: inner width of the feed-forward blocks.
        dropout: dropout probability.
        attention: further fields of the attention.
    """

    def __init__(
        self,
        channels: int,
        sharing: nn.Module | None,
        *,
        stacks: int,
        layers: int,
        features: int,
        feed_forward: int,
        dropout: float,
        **attention: float,
    ) -> None:
        super().__init__()

        def layer(inner: nn.Module) -> EncoderLayer:
            return EncoderLayer(
                inner, features=features, feed_forward=feed_forward, dropout=dropout
            )

        def plain() -> EncoderLayer:
            return layer(ProbSparseAttention(features=features, dropout=dropout, **attention))

        self.embedding = Embedding(channels, features, dropout)
        self.stacks = nn.ModuleList(
            Stack(i, [plain() for _ in range(layers - i)], features) for i in range(stacks)
        )
        self.norm = nn.LayerNorm(features)
        self.en_fv = None if sharing is None else layer(sharing)

    def forward(
        self,
        x: Tensor,
        keys: KeySamples,
        real: Tensor | None,
        shared: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        x = self.embedding(x)  # A3
        outputs, indices, words = [], [], []
        for i, stack in enumerate(self.stacks):
            y, index, read = stack(x[:, -(x.shape[1] // 2**i) :], keys, real)  # A6
            y = self.norm(y)  # A6
            if self.en_fv is not None and shared is not None:
                y = y + self.norm(self.en_fv(y, keys, shared[i])[0])  # A6
            outputs.append(y)
            indices.append(index)
            words.append(read)
        return torch.cat(outputs, 1), indices, words[0]  # A6


class CrossAttention(nn.Module):
    """One modality asks, the other answers, and the multimodal features are read."""

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
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # A8
            for layer, x in ((self.W_Q, query), (self.W_K, key), (self.W_V, value))
        )
        context = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)  # A8
        return self.norm(self.dropout(self.fc(context)) + query)  # A8


def _output_steps(words: int, stacks: int, layers: int) -> int:
    """Steps that every stack ends with."""
    if not 1 <= stacks <= layers:
        raise ValueError("There must be at least one stack, and at least as many layers as stacks.")
    if words < 1 or words % 2 ** (stacks - 1):
        raise ValueError("The number of words must be a multiple of 2 ** (stacks - 1).")
    for _ in range(layers - 1):
        words = (words - 1) // 2 + 1  # A5
    return words


class DEPFormer(nn.Module):
    """DEP-Former for faces and voices; every recording is treated on its own.

    Inputs are `visual` [B, L, visual_width] and `acoustic` [B, L', acoustic_width], optionally
    `visual_mask`, `acoustic_mask` (boolean, true where a step is real) and `draws`, the integers
    [N, words, u(words)] from which the N attentions take their key samples in training.
    The output is `{task: logits [B, classes]}`, or `{task: values [B]}` without classes.

    After a forward, `attention` holds what is read of each word, [B, words], by the multimodal,
    the visual and the acoustic branch.

    Args:
        visual_width: width of a flattened face.
        acoustic_width: width of the acoustic features.
        modalities: "visual", "acoustic" or both.
        words: number of words.
        words_from: "first" for the first steps, "segments" for means over equal parts.
        stacks: number of stacks of an encoder.
        layers: number of layers of the first stack; every further stack has one layer less.
        features: width of the features.
        heads: number of attention heads.
        width: width of a head.
        feed_forward: inner width of the feed-forward blocks.
        factor: sparsity factor c of the attention.
        shared_factor: sparsity factor of the index sharing.
        gate: "soft" or "hard" gate of the index sharing.
        share_encoder: one encoder for faces and voices.
        cross_query: the modality that asks in the cross attention.
        hidden: hidden width of the adapter.
        adapted: output width of the adapter.
        probability: probability that a side branch enters the logits in training.
        expected: use the probability in the place of draws in training, too.
        dropout: dropout probability.
        classes: number of classes, or None for a regression.
        task: name of the output.
    """

    def __init__(
        self,
        *,
        visual_width: int,
        acoustic_width: int,
        modalities: Sequence[str] = ("visual", "acoustic"),
        words: int = 24,
        words_from: str = "first",
        stacks: int = 3,
        layers: int = 3,
        features: int = 224,
        heads: int = 8,
        width: int = 64,
        feed_forward: int = 32,
        factor: float = 5,
        shared_factor: float = 2,
        gate: str = "soft",
        share_encoder: bool = True,
        cross_query: str = "visual",
        hidden: int = 1000,
        adapted: int = 128,
        probability: float = 0.1,
        expected: bool = False,
        dropout: float = 0.1,
        classes: int | None = 2,
        task: str = "depression",
    ) -> None:
        super().__init__()
        if words_from not in ("first", "segments"):
            raise ValueError(f"Unknown words_from: {words_from!r}.")
        if gate not in ("soft", "hard"):
            raise ValueError(f"Unknown gate: {gate!r}.")
        if cross_query not in ("visual", "acoustic"):
            raise ValueError(f"Unknown cross_query: {cross_query!r}.")
        if not modalities or not set(modalities) <= {"visual", "acoustic"}:
            raise ValueError(f"Unknown modalities: {modalities!r}.")
        self.modalities = tuple(m for m in ("visual", "acoustic") if m in modalities)
        self.words, self.words_from, self.cross_query = words, words_from, cross_query
        self.probability, self.expected = probability, expected
        self.classes, self.task = classes, task
        both = len(self.modalities) == 2
        steps = _output_steps(words, stacks, layers)
        outputs = 1 if classes is None else classes
        attention = {"heads": heads, "width": width, "factor": factor}
        encoder = {
            "stacks": stacks,
            "layers": layers,
            "features": features,
            "feed_forward": feed_forward,
            "dropout": dropout,
            **attention,
        }

        def branch() -> Encoder:
            sharing = SharingAttention(
                steps=steps,
                shared_factor=shared_factor,
                gate=gate,
                features=features,
                dropout=dropout,
                **attention,
            )
            return Encoder(adapted, sharing, **encoder)

        if "visual" in self.modalities:
            self.fc1 = nn.Linear(visual_width, hidden)
        if "acoustic" in self.modalities:
            self.fc2 = nn.Linear(acoustic_width, hidden)
        self.LN = nn.LayerNorm(hidden)
        self.fc3 = nn.Linear(hidden, adapted)
        self.encoder = Encoder(adapted * len(self.modalities), None, **encoder)
        self.fc = nn.Linear(stacks * steps * features, outputs)  # A14.6
        if both:
            self.shared = share_encoder
            if share_encoder:
                self.encoder_fv = branch()
            else:
                self.encoder_f, self.encoder_v = branch(), branch()
            self.cross = CrossAttention(
                features=features, heads=heads, width=width, dropout=dropout
            )
            self.fc4 = nn.Linear(stacks * steps * features, outputs)  # A14.6
        self.attention: dict[str, Tensor] = {}

    def adapt(self, name: str, inputs: dict[str, Tensor]) -> Tensor:
        """Modality adapter, [B, words, adapted]."""
        first = self.fc1 if name == "visual" else self.fc2
        cut = first_words if self.words_from == "first" else segments
        x = cut(inputs[name].to(first.weight.dtype), inputs.get(f"{name}_mask"), self.words)
        return F.silu(self.fc3(self.LN(first(x))))  # A2

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        real = real_examples([inputs.get(f"{name}_mask") for name in self.modalities])
        keys = KeySamples(inputs.get("draws"), exact=not self.training)  # A14.3

        adapted = [self.adapt(name, inputs) for name in self.modalities]  # A2
        m, shared, read = self.encoder(torch.cat(adapted, -1), keys, real)  # A6
        self.attention = {"words/multimodal": read}
        logits = self.fc(m.flatten(1))  # A9

        if len(adapted) == 2:
            encoder_f = self.encoder_fv if self.shared else self.encoder_f
            encoder_v = self.encoder_fv if self.shared else self.encoder_v
            face, _, read_f = encoder_f(adapted[0], keys, real, shared)  # A6, A14.2
            voice, _, read_v = encoder_v(adapted[1], keys, real, shared)  # A6, A14.2
            self.attention |= {"words/visual": read_f, "words/acoustic": read_v}
            query, key = (face, voice) if self.cross_query == "visual" else (voice, face)  # A14.4
            crossed = self.cross(query, key, m)  # A8
            for branch in (crossed, face, voice):
                logits = logits + self.branch_weight(logits) * self.fc4(branch.flatten(1))  # A15

        return {self.task: logits[:, 0] if self.classes is None else logits}

    def branch_weight(self, logits: Tensor) -> Tensor:
        """Weight [B, 1] of a side branch: drawn in training, expected in evaluation."""
        z = torch.full_like(logits[:, :1], self.probability)  # A15
        return torch.bernoulli(z) if self.training and not self.expected else z  # A15


class DEPFormerReleased(nn.Module):
    """DEP-Former as it was published: the examples of a batch, of even size, exchange queries.

    Inputs are `visual` [B, L, visual_width] and `acoustic` [B, L', acoustic_width], optionally
    `visual_mask`, `acoustic_mask` (boolean, true where a step is real) and `draws`, the integers
    [N, words, u(words)] from which the N attentions take their key samples, in evaluation too.
    The output is `{"depression": logits [B, classes]}`.

    Args:
        visual_width: width of a flattened face.
        acoustic_width: width of the acoustic features.
        words: number of words, the first ones of a recording.
        stacks: number of stacks of an encoder.
        layers: number of layers of the first stack; every further stack has one layer less.
        features: width of the features.
        heads: number of attention heads.
        width: width of a head.
        feed_forward: inner width of the feed-forward blocks.
        factor: sparsity factor c of the attention.
        hidden: hidden width of the adapter.
        adapted: output width of the adapter.
        dropout: dropout probability.
        classes: number of classes.
    """

    def __init__(
        self,
        *,
        visual_width: int,
        acoustic_width: int,
        words: int = 24,
        stacks: int = 3,
        layers: int = 3,
        features: int = 224,
        heads: int = 8,
        width: int = 64,
        feed_forward: int = 32,
        factor: float = 5,
        hidden: int = 1000,
        adapted: int = 128,
        dropout: float = 0.1,
        classes: int = 2,
    ) -> None:
        super().__init__()
        self.words = words
        steps = _output_steps(words, stacks, layers)
        attention = {"heads": heads, "width": width, "factor": factor}
        encoder = {
            "stacks": stacks,
            "layers": layers,
            "features": features,
            "feed_forward": feed_forward,
            "dropout": dropout,
            **attention,
        }
        sharing = ExchangingAttention(steps=steps, features=features, dropout=dropout, **attention)
        self.fc1 = nn.Linear(visual_width, hidden)
        self.fc2 = nn.Linear(acoustic_width, hidden)
        self.LN = nn.LayerNorm(hidden)
        self.fc3 = nn.Linear(hidden, adapted)
        self.encoder = Encoder(2 * adapted, None, **encoder)
        self.encoder_fv = Encoder(adapted, sharing, **encoder)
        self.cross = CrossAttention(features=features, heads=heads, width=width, dropout=dropout)
        self.fc = nn.Linear(stacks * steps * features, classes)
        self.fc4 = nn.Linear(stacks * steps * features, classes)
        self.attention: dict[str, Tensor] = {}

    def adapt(self, name: str, inputs: dict[str, Tensor]) -> Tensor:
        """Modality adapter, [B, words, adapted]."""
        first = self.fc1 if name == "visual" else self.fc2
        x = inputs[name].to(first.weight.dtype)
        x = first_words(x, inputs.get(f"{name}_mask"), self.words)
        return F.silu(self.fc3(self.LN(first(x))))  # A2

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        if len(inputs["visual"]) % 2:
            raise ValueError("The examples exchange queries in pairs: the batch must be even.")
        real = real_examples([inputs.get("visual_mask"), inputs.get("acoustic_mask")])
        keys = KeySamples(inputs.get("draws"), exact=False)  # A4

        face, voice = self.adapt("visual", inputs), self.adapt("acoustic", inputs)  # A2
        m, indices, _ = self.encoder(torch.cat([face, voice], -1), keys, real)  # A6
        shared = [indices[-1]] * len(indices)  # A7
        face, *_ = self.encoder_fv(face, keys, real, shared)  # A6
        voice, *_ = self.encoder_fv(voice, keys, real, shared)  # A6
        crossed = self.cross(face, voice, m)  # A8

        logits = self.fc(m.flatten(1))  # A9
        for branch in (crossed, face, voice):
            logits = logits + 0.1 * self.fc4(branch.flatten(1))  # A9
        return {"depression": logits}
