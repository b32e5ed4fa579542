"""Cases of the whole SMFL network."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import NAN, Arrays, HandComputed, affine, linear, relu
from hand_computed.smfl.build import attention_state, cmjat_state, lstm_state, table, tcn_state
from hand_computed.smfl.equations import cmjat, cross, lstm_last, mean_there, self_attention, tcn

CASES: list[HandComputed] = []


# ---------------------------------------------------------------------------------------------
# 16, 17. The whole network by loops, in the order of the method section: encoder, fused stream
# from the encoder's vectors, self-attention (2.5), joint attention (2.6), LSTMs, cross-attention
# (2.7), head. Case 16: TCN, both targets, dense heads. Case 17: LSTM encoder, scaled scores, and
# the permutation, which has no effect in evaluation. Text is there in every real sentence.
# ---------------------------------------------------------------------------------------------
def whole(name: str, seed: int, encoder: str, targets: tuple[str, ...], scaled: bool, dense: bool):
    rng = np.random.default_rng(seed)
    c, d, heads, names = 4, 3, 2, ("acoustic", "visual", "text")
    widths = {"acoustic": 3, "visual": 4, "text": 2}
    state: Arrays = {}
    for m in names:
        if encoder == "tcn":
            state |= tcn_state(rng, f"tcn_{m}", widths[m], c, 2)
        else:
            state |= lstm_state(rng, f"encoder_{m}", widths[m], c)
        state |= attention_state(rng, m, c)
        state |= lstm_state(rng, f"lstm_{m}", c, d)
        for part, shape in (("q", (d, 1)), ("k", (d, 1)), ("v", (d, 1)), ("out", (1, d))):
            weight = rng.uniform(-3, 3, shape)
            state |= linear(f"cross_{m}.{part}", weight, rng.uniform(-1, 1, shape[0]))
    for m in targets:
        state |= cmjat_state(rng, m, c)
        if dense:
            weight = rng.uniform(-1.5, 1.5, (2, c))
            state |= linear(f"cmjat_{m}.head", weight, rng.uniform(-1, 1, 2))
    state |= linear("fusion", rng.uniform(-1, 1.5, (c, 3 * c)), rng.uniform(-0.5, 1, c))
    state |= lstm_state(rng, "lstm_fusion", c, d)
    state |= linear("head", rng.uniform(-3, 3, (2, 4 * d)), rng.uniform(-1, 1, 2))

    # Row 0: 9, 8, 7 frames, 4 sentences, holes in acoustic (1) and visual (2).
    # Row 1: 5, 6, 4 frames, 2 sentences, no hole.
    counts = {"acoustic": (9, 5), "visual": (8, 6), "text": (7, 4)}
    sentences = np.stack(
        [
            table((0, 3, 0, 2, 0, 2), (3, 3, 2, 5, 2, 3), (3, 7, 5, 5, 3, 5), (7, 12, 4, 9, 5, 8)),
            table((1, 4, 0, 3, 0, 1), (4, 5, 3, 7, 1, 4), (0, 5, 0, 6, 0, 4), (9, 1, 3, 2, 0, 0)),
        ]
    )
    real = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)
    inputs: Arrays = {"sentences": sentences, "sentences_mask": real}
    for m in names:
        padded = rng.uniform(-1.5, 2.0, (2, 10, widths[m]))
        mask = np.arange(10)[None] < np.array(counts[m])[:, None]
        padded[~mask] = NAN
        inputs |= {m: padded, f"{m}_mask": mask}

    outputs: dict[str, list[np.ndarray]] = {"depression": []}
    outputs |= {f"cmjat_{m}": [] for m in targets if dense}
    attention: dict[str, list[np.ndarray]] = {f"cross_{m}/weights": [] for m in names}
    for b in range(2):
        x: dict[str, list[np.ndarray | None]] = {}
        for column, m in zip((0, 2, 4), names, strict=True):
            x[m] = []
            for s in range(int(real[b].sum())):
                start, end = sentences[b, s, column : column + 2]
                end = min(end, counts[m][b])
                frames = list(inputs[m][b, start:end])
                if end <= start:
                    x[m].append(None)
                elif encoder == "tcn":
                    x[m].append(tcn(frames, state, f"tcn_{m}", 2)[-1])
                else:
                    x[m].append(lstm_last(frames, state, f"encoder_{m}"))
        fused = []
        for vectors in zip(*(x[m] for m in names), strict=True):
            three = np.concatenate([np.zeros(c) if v is None else v for v in vectors])
            fused.append(relu(affine(three, state, "fusion")))
        for m in names:
            rows, _ = self_attention([v for v in x[m] if v is not None], state, m, heads)
            left = iter(rows)
            x[m] = [None if v is None else next(left) for v in x[m]]
        for m in targets:
            scale = 1 / math.sqrt(c // heads) if scaled else 1.0
            x[m] = cmjat(x["text"], x[m], state, m, heads, scale)
            if dense:
                outputs[f"cmjat_{m}"].append(affine(mean_there(x[m]), state, f"cmjat_{m}.head"))
        f_fuse = lstm_last(fused, state, "lstm_fusion")
        ca = {}
        for m in names:
            f_m = lstm_last([v for v in x[m] if v is not None], state, f"lstm_{m}")
            weights = cross(f_fuse, f_m, state, f"cross_{m}")
            attention[f"cross_{m}/weights"].append(weights)
            ca[m] = weights * f_fuse
        parts = np.concatenate([f_fuse, ca["text"], ca["acoustic"], ca["visual"]])
        outputs["depression"].append(affine(parts, state, "head"))
    return HandComputed(
        name=name,
        fields={
            "encoder": encoder,
            "cmjat_targets": targets,
            "cmjat_head": dense,
            "channels": c,
            "layers": 2,
            "kernel": 2,
            "heads": heads,
            "hidden": d,
            "scale": scaled,
            "permute": scaled,
        },
        state=state,
        inputs=inputs,
        outputs={k: np.stack(v) for k, v in outputs.items()},
        attention={k: np.stack(v) for k, v in attention.items()},
    )


CASES.append(whole("whole_network_with_tcn", 16, "tcn", ("visual", "acoustic"), False, True))
CASES.append(whole("whole_network_with_lstm_encoder", 17, "lstm", ("visual",), True, False))
