"""The attention, the layers and the embedding of DEP-Former, by loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hand_computed import Array, Arrays, softmax


def kept(factor: float, steps: int) -> int:
    """README §4: u(L) = max(1, min(floor(c ln L), L))."""
    return max(1, min(math.floor(factor * math.log(steps)), steps))


def norm(x: Array, state: Arrays, name: str) -> Array:
    """Layer norm of one vector, eps 1e-5, biased variance."""
    centred = x - x.mean()
    scale = math.sqrt((centred**2).mean() + 1e-5)
    return centred / scale * state[f"{name}.weight"] + state[f"{name}.bias"]


def norms(x: Array, state: Arrays, name: str) -> Array:
    return np.stack([norm(row, state, name) for row in x])


def circular(x: Array, state: Arrays, name: str) -> Array:
    """README §3: the circular convolution over three steps of [L, C]."""
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    steps = len(x)
    return np.stack(
        [
            bias + sum(weight[:, :, tap] @ x[(t + tap - 1) % steps] for tap in range(3))
            for t in range(steps)
        ]
    )


def position(t: int, features: int) -> Array:
    """README §3: PE[t,2i] = sin(t w_i), PE[t,2i+1] = cos(t w_i), w_i = exp(-ln(10000) 2i / D)."""
    row = []
    for channel in range(features):
        i = channel // 2
        w = math.exp(-math.log(10000) * 2 * i / features)
        row.append(math.sin(t * w) if channel % 2 == 0 else math.cos(t * w))
    return np.array(row)


def embed(x: Array, state: Arrays, name: str) -> Array:
    """README §3: E(x), the convolution and the positions."""
    out = circular(x, state, f"{name}.embedding.value_embedding.Conv")
    return np.stack([row + position(t, len(row)) for t, row in enumerate(out)])


def largest(values: Array, count: int) -> list[int]:
    """Positions of the largest values, in descending order."""
    return sorted(range(len(values)), key=lambda i: -values[i])[:count]


def heads_of(x: Array, weight: Array, heads: int) -> Array:
    """README §4: a projection cut into heads, those side by side, for one example: [H, L, W]."""
    width = len(weight) // heads
    return np.stack([x @ weight[h * width : (h + 1) * width].T for h in range(heads)])


def sparsity(q: Array, k: Array, sample: Array | None) -> Array:
    """README §4: M, the largest score minus the mean; over all keys where nothing is sampled."""
    values = []
    for t in range(len(q)):
        keys = range(len(k)) if sample is None else sample[t]
        scores = [float(q[t] @ k[s]) for s in keys]
        values.append(max(scores) - sum(scores) / len(scores))
    return np.array(values)


def reads(query: Array, k: Array) -> Array:
    """README §4: softmax(q . k / sqrt(W)) over all keys, of one query."""
    return softmax(np.array([query @ key for key in k]) / math.sqrt(len(query)))


def context(q: Array, k: Array, v: Array, index: list[int]) -> Array:
    """README §4: P v of one head: kept queries read, at all other steps the mean of v."""
    out = np.stack([v.mean(0)] * len(v))
    for t in index:
        out[t] = reads(q[t], k) @ v
    return out


def attention_end(contexts: list[Array], x: Array, state: Arrays, name: str) -> Array:
    """README §4: LN(x + [P v of all heads] W_O), heads side by side."""
    merged = np.concatenate(contexts, axis=1)
    return norms(merged @ state[f"{name}.fc.weight"].T + x, state, f"{name}.norm")


def layer_end(a: Array, state: Arrays, name: str) -> Array:
    """README §5: z = W2 gelu(W1 a + b1) + b2, out = LN(a + z)."""
    w1, b1 = state[f"{name}.conv1.weight"][:, :, 0], state[f"{name}.conv1.bias"]
    w2, b2 = state[f"{name}.conv2.weight"][:, :, 0], state[f"{name}.conv2.bias"]
    out = []
    for row in a:
        inner = w1 @ row + b1
        gelu = np.array([c * 0.5 * (1 + math.erf(c / math.sqrt(2))) for c in inner])
        out.append(row + w2 @ gelu + b2)
    return norms(np.stack(out), state, f"{name}.norm")


def projected(x: Array, state: Arrays, name: str, f: dict[str, Any]) -> tuple[Array, ...]:
    return tuple(
        heads_of(x, state[f"{name}.{w}.weight"], f["heads"]) for w in ("W_Q", "W_K", "W_V")
    )


def plain_layer(
    x: Array, state: Arrays, name: str, f: dict[str, Any], sample: Array | None
) -> tuple[Array, list[list[int]], Array]:
    """README §4 and §5 for one example: output, index I of every head, attention map [L]."""
    q, k, v = projected(x, state, f"{name}.attention", f)
    steps = len(x)
    index, contexts, maps = [], [], []
    for h in range(f["heads"]):
        index.append(largest(sparsity(q[h], k[h], sample), kept(f["factor"], steps)))
        contexts.append(context(q[h], k[h], v[h], index[h]))
        for t in range(steps):  # §10: kept queries by their softmax, the others uniform
            maps.append(reads(q[h, t], k[h]) if t in index[h] else np.full(steps, 1 / steps))
    a = attention_end(contexts, x, state, f"{name}.attention")
    return layer_end(a, state, name), index, np.mean(maps, axis=0)


def distil(x: Array, state: Arrays, name: str) -> Array:
    """README §5: distilling; the maximum is over real steps only."""
    y = circular(x, state, f"{name}.downConv")
    y = y - state[f"{name}.norm.running_mean"]
    y = y / np.sqrt(state[f"{name}.norm.running_var"] + 1e-5)
    y = y * state[f"{name}.norm.weight"] + state[f"{name}.norm.bias"]
    y = np.where(y > 0, y, np.exp(np.minimum(y, 0)) - 1)
    pooled = []
    for t in range(0, len(y), 2):
        pooled.append(np.max([y[s] for s in (t - 1, t, t + 1) if 0 <= s < len(y)], axis=0))
    return np.stack(pooled)


def gate_of(q: Array, state: Arrays, name: str) -> float:
    """README §7: g = sigmoid(w . vec(q) + beta), vec over head, step, channel."""
    vec = np.array([c for head in q for step in head for c in step])
    return float(
        1
        / (
            1
            + math.exp(
                -(state[f"{name}.alpha.0.weight"][0] @ vec + state[f"{name}.alpha.0.bias"][0])
            )
        )
    )


def sharing_layer(
    y: Array, state: Arrays, name: str, f: dict[str, Any], shared: list[list[int]]
) -> Array:
    """README §7: g of what the own queries read, 1 - g of the shared; the first u' of both."""
    q, k, v = projected(y, state, f"{name}.attention", f)
    g = gate_of(q, state, f"{name}.attention")
    if f["gate"] == "hard":  # the own queries if g >= 1/2
        g = 1.0 if g >= 0.5 else 0.0
    size = kept(f["shared_factor"], len(y))
    contexts = []
    for h in range(f["heads"]):
        selected = largest(sparsity(q[h], k[h], None), kept(f["factor"], len(y)))[:size]
        contexts.append(
            g * context(q[h], k[h], v[h], selected)
            + (1 - g) * context(q[h], k[h], v[h], shared[h][:size])
        )
    a = attention_end(contexts, y, state, f"{name}.attention")
    return layer_end(a, state, name)


def exchanging_layer(
    ys: list[Array],
    state: Arrays,
    name: str,
    f: dict[str, Any],
    shared: list[list[list[int]]],
    sample: Array | None,
) -> list[Array]:
    """README §12, steps 1 to 5, of a batch."""
    qkv = [projected(y, state, f"{name}.attention", f) for y in ys]
    heads, batch, steps = f["heads"], len(ys), len(ys[0])
    size = kept(f["factor"], steps)
    index = [[largest(sparsity(q[h], k[h], sample), size) for h in range(heads)] for q, k, _ in qkv]
    g = np.array([gate_of(q, state, f"{name}.attention") for q, _, _ in qkv])  # 1
    half = batch // 2
    top = largest(g, half)  # 2: high, descending
    low = largest(-g, half)  # 2: low, ascending
    pi = top + low
    rows = []  # 3: r, [B][H][j]
    for p in range(batch):
        if p < half:
            source, chosen = low[p], index[top[p]]
        else:
            source, chosen = top[p - half], shared[low[p - half]]
        rows.append([[qkv[source][0][h, t] for t in chosen[h]] for h in range(heads)])
    out = []
    for b, (_, k, v) in enumerate(qkv):
        queries = rows[pi[b]]  # 4
        contexts = []
        for h in range(heads):
            ctx = np.stack([v[h].mean(0)] * steps)
            for j, t in enumerate(index[b][h]):  # 5: own I
                ctx[t] = reads(queries[h][j], k[h]) @ v[h]
            contexts.append(ctx)
        a = attention_end(contexts, ys[b], state, f"{name}.attention")
        out.append(layer_end(a, state, name))
    return out
