"""SMFL's equations in explicit loops, one row at a time."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import Arrays, affine, array, lstm, relu, softmax


def lstm_last(rows: list[np.ndarray], state: Arrays, name: str) -> np.ndarray:
    size = state[f"{name}.weight_hh_l0"].shape[1]
    return lstm(rows, state, name)[-1] if rows else np.zeros(size)


def causal(x: list[np.ndarray], state: Arrays, name: str, dilation: int) -> list[np.ndarray]:
    """Causal dilated convolution: tap j of kernel K reads frame t - (K - 1 - j) * dilation."""
    g, v = state[f"{name}.weight_g"], state[f"{name}.weight_v"]
    outputs, _, taps = v.shape
    out = []
    for t in range(len(x)):
        y = state[f"{name}.bias"].copy()
        for o in range(outputs):
            w = g[o, 0, 0] * v[o] / math.sqrt((v[o] ** 2).sum())
            for j in range(taps):
                u = t - (taps - 1 - j) * dilation
                if u >= 0:  # frames before the first are zeros
                    y[o] += w[:, j] @ x[u]
        out.append(y)
    return out


def tcn(x: list[np.ndarray], state: Arrays, name: str, layers: int) -> list[np.ndarray]:
    """Residual blocks: ReLU(ReLU(conv2(ReLU(conv1(x)))) + skip)."""
    for i in range(layers):
        block = f"{name}.network.{i}"
        h = [relu(y) for y in causal(x, state, f"{block}.conv1", 2**i)]
        h = [relu(y) for y in causal(h, state, f"{block}.conv2", 2**i)]
        skip = x
        if f"{block}.downsample.weight" in state:
            w, b = state[f"{block}.downsample.weight"][..., 0], state[f"{block}.downsample.bias"]
            skip = [w @ y + b for y in x]
        x = [relu(a + b) for a, b in zip(h, skip, strict=True)]
    return x


def multihead(
    q: list[np.ndarray], k: list[np.ndarray], v: list[np.ndarray], heads: int, scale: float
) -> tuple[list[np.ndarray], np.ndarray]:
    """Attention of each query over all the keys given, heads one after the other."""
    width = len(q[0]) // heads
    weights = np.zeros((heads, len(q), len(k)))
    out = []
    for i in range(len(q)):
        parts = []
        for h in range(heads):
            part = slice(h * width, (h + 1) * width)
            sim = array([q[i][part] @ k[j][part] for j in range(len(k))]) * scale
            weights[h, i] = softmax(sim)
            parts.append(sum(weights[h, i, j] * v[j][part] for j in range(len(k))))
        out.append(np.concatenate(parts))
    return out, weights


def self_attention(
    x: list[np.ndarray], state: Arrays, modality: str, heads: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """LN(x + attention(x)) over the sentences that are there; scores / sqrt(head width)."""
    name = f"attention_{modality}"
    c = len(x[0])
    w, b = state[f"{name}.in_proj_weight"], state[f"{name}.in_proj_bias"]
    q, k, v = ([w[p : p + c] @ y + b[p : p + c] for y in x] for p in (0, c, 2 * c))
    out, weights = multihead(q, k, v, heads, 1.0 / math.sqrt(c // heads))
    rows = []
    for a, y in zip(x, out, strict=True):
        s = a + affine(y, state, f"{name}.out_proj")
        s = (s - s.mean()) / math.sqrt(((s - s.mean()) ** 2).mean() + 1e-5)
        rows.append(state[f"norm_{modality}.weight"] * s + state[f"norm_{modality}.bias"])
    return rows, weights


def cmjat(
    text: list[np.ndarray | None],
    weak: list[np.ndarray | None],
    state: Arrays,
    target: str,
    heads: int,
    scale: float,
) -> list[np.ndarray | None]:
    """Equations 3 to 6; None marks a sentence that is not there: its token is zero, no key."""
    name = f"cmjat_{target}"
    c = state[f"{name}.proj.weight"].shape[0]
    tokens = text + weak
    full = [affine(np.zeros(c) if z is None else z, state, f"{name}.qkv") for z in tokens]
    q = [y[:c] for y in full]  # (3)
    k = [y[c : 2 * c] for y, z in zip(full, tokens, strict=True) if z is not None]  # (4)
    v = [y[2 * c :] for y, z in zip(full, tokens, strict=True) if z is not None]  # (5)
    out, _ = multihead(q, k, v, heads, scale)  # (6)
    w_s, w_w = softmax(state[f"{name}.mixture"])
    s = len(text)
    return [
        None if weak[i] is None else affine(w_s * out[i] + w_w * out[s + i], state, f"{name}.proj")
        for i in range(s)
    ]


def cross(fused: np.ndarray, m: np.ndarray, state: Arrays, name: str) -> np.ndarray:
    """Normalised mapping of 2.7 [d]: features are the tokens, of width one."""
    q = [state[f"{name}.q.weight"][:, 0] * f + state[f"{name}.q.bias"] for f in fused]
    k = [state[f"{name}.k.weight"][:, 0] * f + state[f"{name}.k.bias"] for f in m]
    v = [state[f"{name}.v.weight"][:, 0] * f + state[f"{name}.v.bias"] for f in m]
    lifted, _ = multihead(q, k, v, 1, 1.0 / math.sqrt(len(fused)))
    return softmax(array([affine(a, state, f"{name}.out")[0] for a in lifted]))


def mean_there(rows: list[np.ndarray | None]) -> np.ndarray:
    there = [r for r in rows if r is not None]
    return np.sum(there, axis=0) / len(there)
