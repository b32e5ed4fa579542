"""The whole DEP-Former by loops, and cases whose numbers come from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hand_computed import Array, Arrays, HandComputed
from hand_computed.depformer.build import FIELDS, constructor_fields, filled
from hand_computed.depformer.equations import (
    attention_end,
    distil,
    embed,
    exchanging_layer,
    heads_of,
    kept,
    norm,
    norms,
    plain_layer,
    reads,
    sharing_layer,
)


def encode(
    xs: list[Array],
    state: Arrays,
    name: str,
    f: dict[str, Any],
    samples: Callable[[int], Array | None],
    shared: list[list[list[list[int]]]] | None = None,
) -> tuple[list[Array], list[list[list[list[int]]]], list[Array]]:
    """README §6 for a batch: outputs [L, D], index [stack][b][h], attention maps [words]."""
    xs = [embed(x, state, name) for x in xs]
    pieces: list[list[Array]] = [[] for _ in xs]
    indices, words = [], []
    for i in range(f["stacks"]):
        steps = f["words"] // 2**i
        ys = [x[len(x) - steps :] for x in xs]
        for j in range(f["layers"] - i):
            if j:
                ys = [distil(y, state, f"{name}.stacks.{i}.clayer{i}{j}") for y in ys]
            sample = samples(len(ys[0]))
            done = [plain_layer(y, state, f"{name}.stacks.{i}.elayer{i}{j}", f, sample) for y in ys]
            ys = [d[0] for d in done]
            index = [d[1] for d in done]
            if i == 0 and j == 0:
                words = [d[2] for d in done]
        indices.append(index)
        ys = [norms(y, state, f"{name}.norm") for y in ys]
        if shared is not None:  # y_i + LN_enc(en_fv(y_i, S_i))
            en_fv = f"{name}.en_fv"
            if f["released"]:
                more = exchanging_layer(ys, state, en_fv, f, shared[i], samples(len(ys[0])))
            else:
                more = [
                    sharing_layer(y, state, en_fv, f, s) for y, s in zip(ys, shared[i], strict=True)
                ]
            ys = [y + norms(z, state, f"{name}.norm") for y, z in zip(ys, more, strict=True)]
        for piece, y in zip(pieces, ys, strict=True):
            piece.append(y)
    return [np.concatenate(piece) for piece in pieces], indices, words


def cross(query: Array, key: Array, value: Array, state: Arrays, heads: int) -> Array:
    """README §8: LN(query + softmax(q . k / sqrt(W)) v W_O)."""
    q = heads_of(query, state["cross.W_Q.weight"], heads)
    k = heads_of(key, state["cross.W_K.weight"], heads)
    v = heads_of(value, state["cross.W_V.weight"], heads)
    contexts = [
        np.stack([reads(q[h, t], k[h]) @ v[h] for t in range(len(query))]) for h in range(heads)
    ]
    return attention_end(contexts, query, state, "cross")


def cut(x: Array, mask: Array | None, f: dict[str, Any]) -> Array:
    """The words of one recording: the first steps, or means over parts of the real steps."""
    real = np.ones(len(x), bool) if mask is None else mask
    words, out = f["words"], []
    if f["words_from"] == "first":
        for t in range(words):
            silent = t >= len(x) or not real[t]
            out.append(np.zeros(x.shape[1]) if silent else x[t].astype(float))
        return np.stack(out)
    steps = [row.astype(float) for row, r in zip(x, real, strict=True) if r]
    for i in range(words):
        begin = math.floor(i * len(steps) / words)
        end = math.ceil((i + 1) * len(steps) / words)
        out.append(np.mean(steps[begin:end], axis=0) if steps else np.zeros(x.shape[1]))
    return np.stack(out)


def adapt(x: Array, state: Arrays, first: str) -> Array:
    """README §2: silu(fc3(LN(fc(x)))) of the words of one recording."""
    out = []
    for word in x:
        h = norm(state[f"{first}.weight"] @ word + state[f"{first}.bias"], state, "LN")
        h = state["fc3.weight"] @ h + state["fc3.bias"]
        out.append(h / (1 + np.exp(-h)))
    return np.stack(out)


def network(fields: dict[str, Any], state: Arrays, inputs: Arrays) -> tuple[Arrays, Arrays]:
    """The whole network in evaluation: outputs and attention maps."""
    f = FIELDS | fields
    taken = iter(range(24))

    def samples(steps: int) -> Array | None:
        """README §4: the next draw, mod L; the encoder of both, then face and voice."""
        if not f["released"]:
            return None
        return inputs["draws"][next(taken), :steps, : kept(f["factor"], steps)] % steps

    adapted = {}
    for name, first in (("visual", "fc1"), ("acoustic", "fc2")):
        if name in f["modalities"]:
            masks = inputs.get(f"{name}_mask", [None] * len(inputs[name]))
            adapted[name] = [
                adapt(cut(x, mask, f), state, first)
                for x, mask in zip(inputs[name], masks, strict=True)
            ]
    joined = [np.concatenate(parts, axis=1) for parts in zip(*adapted.values(), strict=True)]
    ms, indices, read = encode(joined, state, "encoder", f, samples)
    maps = {"words/multimodal": np.stack(read)}
    logits = [state["fc.weight"] @ m.reshape(-1) + state["fc.bias"] for m in ms]
    if len(adapted) == 2:
        shared = [indices[-1]] * f["stacks"] if f["released"] else indices  # §12, §7
        names = ("encoder_fv", "encoder_fv") if f["share_encoder"] else ("encoder_f", "encoder_v")
        faces, _, read_f = encode(adapted["visual"], state, names[0], f, samples, shared)
        voices, _, read_v = encode(adapted["acoustic"], state, names[1], f, samples, shared)
        maps |= {"words/visual": np.stack(read_f), "words/acoustic": np.stack(read_v)}
        z = 0.1 if f["released"] else f["probability"]  # §13, §9
        for b, (m, face, voice) in enumerate(zip(ms, faces, voices, strict=True)):
            pair = (face, voice) if f["cross_query"] == "visual" else (voice, face)
            for aux in (cross(*pair, m, state, f["heads"]), face, voice):
                logits[b] = logits[b] + z * (
                    state["fc4.weight"] @ aux.reshape(-1) + state["fc4.bias"]
                )
    out = np.stack(logits)
    outputs = {"depression": out[:, 0] if f["classes"] is None else out}
    return outputs, {} if f["released"] else maps


def looped(
    name: str, fields: dict[str, Any], seed: int, inputs: Arrays, **changes: Array
) -> HandComputed:
    """A case whose numbers come from `network`."""
    widths = inputs["visual"].shape[2], inputs["acoustic"].shape[2]
    state = filled(fields, *widths, seed) | changes
    outputs, maps = network(fields, state, inputs)
    return HandComputed(name, constructor_fields(fields), state, inputs, outputs, maps)
