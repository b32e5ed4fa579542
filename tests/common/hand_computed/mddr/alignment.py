"""Cases of the networks that bring MDDR's modalities to one width."""

from __future__ import annotations

import numpy as np

from hand_computed import NAN, Array, HandComputed, relu
from hand_computed.mddr.build import (
    FIELDS,
    depression,
    e,
    frames,
    head,
    head_state,
    layer_norm,
    one_hot_state,
    pattern,
    real,
    score,
    score_state,
    softmax,
)

CASES: list[HandComputed] = []


# 5. Visual alignment: relu(gain * norm(W x + b) + bias), in this order. Three features in, D = 4,
#    by loops. Rows are read out by sea=False and one modality, whose weight is 1 everywhere.
_X = np.array([[1.0, -2, 3], [0, 4, -1], [2, 2, 2]])
_PROJ = np.array([[1.0, 2, 0], [0, -1, 1], [3, 0, -2], [-1, 1, 1]])
_BIAS = np.array([0.5, 0, -1, 2])
_GAIN = np.array([1.0, -2, 0.5, 3])
_SHIFT = np.array([0.25, 1, -0.5, -1])
_ROWS = [relu(_GAIN * layer_norm(_PROJ @ x + _BIAS) + _SHIFT) for x in _X]
CASES.append(
    HandComputed(
        name="visual_alignment_is_linear_norm_relu",
        fields={**FIELDS, "modalities": ("visual",), "sea": False},
        state={
            "visual_align.proj.weight": _PROJ,
            "visual_align.proj.bias": _BIAS,
            "visual_align.norm.weight": _GAIN,
            "visual_align.norm.bias": _SHIFT,
            **score_state("faa"),
            **head_state(),
        },
        inputs={
            "visual": np.concatenate([_X, np.full((1, 3), NAN)])[None],
            "visual_mask": real(3, length=4),
        },
        outputs=depression(head(sum(_ROWS) / 3)),
        attention={"faa/visual": np.array([[1.0, 1, 1, 0]])},
    )
)


# 6. "three 1D convolutional layers for acoustic features", each followed by LayerNorm over its
#    channels and ReLU. Kernels 3, 2, 1 with strides 2, 1, 1 and no padding: nine frames give
#    4, 3, 3 rows. A row is real where it saw real frames alone: eight real frames give
#    (8 - 3) // 2 + 1 = 3, then 2, then 2 real rows, although the third row saw seven real frames.
#    The voice is named first and the face is absent: L = 3 rows is its length AFTER alignment.
#    The head has four frames, of which L = 3 are kept. Loops over time, kernel and channels.
def _conv(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    rows = []
    for start in range(0, len(x) - weight.shape[2] + 1, stride):
        row = bias.copy()
        for o in range(weight.shape[0]):
            for i in range(weight.shape[1]):
                for k in range(weight.shape[2]):
                    row[o] += weight[o, i, k] * x[start + k, i]
        rows.append(row)
    return np.array(rows)


_CONVS = [
    (pattern(3, 2, 3, step=2), np.array([0.5, -1, 0]), 2),
    (pattern(4, 3, 2, step=3), np.array([0.0, 0.5, 2, -1]), 1),
    (pattern(4, 4, 1, step=7), np.array([0.0, 1, -1, 0]), 1),
]
_NORMS = [
    (np.array([1.0, 2, -1]), np.array([0.5, 0, 1])),
    (np.array([1.0, -2, 1, 2]), np.array([0.5, 1, 1, 0])),
    (np.array([1.0, 1, 2, 1]), np.array([0.0, 0.5, 0, 1])),
]


def _acoustic_rows(x: Array) -> Array:
    for (weight, bias, stride), (gain, shift) in zip(_CONVS, _NORMS, strict=True):
        rows = _conv(x, weight, bias, stride)
        x = np.array([relu(gain * layer_norm(row) + shift) for row in rows])
    return x


_VOICE = np.array(
    [[1.0, 0], [2, -1], [0, 3], [-2, 1], [1, 1], [3, -2], [0, -1], [2, 2], [-1, 4], [1, -3]]
)
_FULL = _acoustic_rows(_VOICE[:9])  # three rows
_PART = _acoustic_rows(_VOICE[1:9])  # eight real frames: two rows
_HEADS = [e(0, 3), e(2, 3), e(3, 3)]
_W = [softmax([score(a), score(p)]) for a, p in zip(_FULL, _HEADS, strict=True)]
_V = [softmax([score(a), score(p)]) for a, p in zip(_PART, _HEADS[:2], strict=True)]
CASES.append(
    HandComputed(
        name="acoustic_convolutions_and_their_lengths",
        fields={
            **FIELDS,
            "modalities": ("acoustic", "pose"),
            "kernels": (3, 2, 1),
            "strides": (2, 1, 1),
            "filters": (3, 4),
            "sea": False,
        },
        state={
            **{f"acoustic_align.conv.{i}.weight": c[0] for i, c in enumerate(_CONVS)},
            **{f"acoustic_align.conv.{i}.bias": c[1] for i, c in enumerate(_CONVS)},
            **{f"acoustic_align.norm.{i}.weight": n[0] for i, n in enumerate(_NORMS)},
            **{f"acoustic_align.norm.{i}.bias": n[1] for i, n in enumerate(_NORMS)},
            **one_hot_state(("pose",)),
            **score_state("faa"),
            **head_state(),
        },
        inputs={
            "acoustic": np.stack([_VOICE[:9], np.concatenate([_VOICE[1:9], np.full((1, 2), NAN)])]),
            "acoustic_mask": real(9, 8, length=9),
            "pose": frames([0, 2, 3, 1], [0, 2, 3, 1], length=4),
        },
        outputs=depression(
            head(sum(w[0] * a + w[1] * p for w, a, p in zip(_W, _FULL, _HEADS, strict=True)) / 3),
            head(
                sum(v[0] * a + v[1] * p for v, a, p in zip(_V, _PART, _HEADS[:2], strict=True)) / 2
            ),
        ),
        attention={
            "faa/acoustic": np.array([[w[0] for w in _W], [_V[0][0], _V[1][0], 0]]),
            "faa/pose": np.array([[w[1] for w in _W], [_V[0][1], _V[1][1], 1]]),
        },
    )
)
