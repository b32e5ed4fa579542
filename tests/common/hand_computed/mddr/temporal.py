"""Cases of MDDR's encoder over steps, Eq. 2, and its temporal attention."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import Array, Arrays, HandComputed, relu
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
    score_state,
    softmax,
)

CASES: list[HandComputed] = []


# 12. Positions, post-norm order, and temporal attention, "a method similar to the Inter-modality
#     attention aggregation": softmax over the steps that count of the scores of O, weighted sum.
#     One modality, faa=False, so F is the rows of the face. Self-attention and feed-forward are
#     set to give zero, so that a block is norm2(norm1(F + PE)), each with its own gain and bias.
#     PE_t = (sin t, cos t, sin(t / 100), cos(t / 100)), as 10000^(2/4) = 100.
#     Recording 2 has two real steps of four. Recording 3 has none: y(0) = 2.
_N1 = (np.array([1.0, 2, 1, 0.5]), np.array([0.0, 1, -1, 0.5]))
_N2 = (np.array([2.0, 1, 3, -1]), np.array([1.0, 2, 2.5, 1]))
_POOL = {
    "pool.score.0.weight": np.array([[0.0, 1, 0, 1], [1, 0, -1, 0]]),
    "pool.score.0.bias": np.array([0.5, 1.0]),
    "pool.score.2.weight": np.array([[1.0, 0.5]]),
    "pool.score.2.bias": np.array([-1.0]),
}


def _pool_score(o: Array) -> float:
    return relu(o[1] + o[3] + 0.5) + 0.5 * relu(o[0] - o[2] + 1) - 1


def _position(t: int) -> Array:
    return np.array([math.sin(t), math.cos(t), math.sin(t / 100), math.cos(t / 100)])


def _block_state(i: int, n1: tuple[Array, Array], n2: tuple[Array, Array]) -> Arrays:
    p = f"encoder.layers.{i}"
    return {
        f"{p}.self_attn.in_proj_weight": pattern(12, 4, step=2) / 2,
        f"{p}.self_attn.in_proj_bias": pattern(12, step=3) / 4,
        f"{p}.self_attn.out_proj.weight": np.zeros((4, 4)),
        f"{p}.self_attn.out_proj.bias": np.zeros(4),
        f"{p}.linear1.weight": np.ones((3, 4)),
        f"{p}.linear1.bias": np.ones(3),
        f"{p}.linear2.weight": np.zeros((4, 3)),
        f"{p}.linear2.bias": np.zeros(4),
        f"{p}.norm1.weight": n1[0],
        f"{p}.norm1.bias": n1[1],
        f"{p}.norm2.weight": n2[0],
        f"{p}.norm2.bias": n2[1],
    }


def _affine_norm(x: Array, norm: tuple[Array, Array]) -> Array:
    return norm[0] * layer_norm(x) + norm[1]


_PLACES = [2, 0, 1, 3]
_O = [_affine_norm(_affine_norm(e(k) + _position(t), _N1), _N2) for t, k in enumerate(_PLACES)]
_W4 = softmax([_pool_score(o) for o in _O])
_W2 = softmax([_pool_score(o) for o in _O[:2]])
CASES.append(
    HandComputed(
        name="positions_and_temporal_attention",
        fields={**FIELDS, "modalities": ("visual",), "faa": False},
        state={
            **one_hot_state(("visual",)),
            **_block_state(0, _N1, _N2),
            **_POOL,
            **head_state(),
        },
        inputs={
            "visual": frames(_PLACES, _PLACES[:2], [], length=4),
            "visual_mask": real(4, 2, 0, length=4),
        },
        outputs=depression(
            head(sum(w * o for w, o in zip(_W4, _O, strict=True))),
            head(sum(w * o for w, o in zip(_W2, _O[:2], strict=True))),
            2.0,
        ),
        attention={"sea/frames": np.array([_W4, [_W2[0], _W2[1], 0, 0], [0] * 4])},
    )
)


# 13. Eq. 2: O = softmax(Q K^T / sqrt(d_k)) V with two heads of d_k = 4 / 2 = 2, then the rest of
#     the block: "followed by a residual connection and Layer Normalization, then fed into a Feed
#     Forward network" with ReLU, and again residual and norm. Two blocks of unlike weights. The
#     rows of in_proj are those of Q, then K, then V; head h has features 2 h and 2 h + 1 of each.
#     Padded steps are no keys. Explicit loops over heads, queries and keys.
def _loud_block_state(i: int) -> Arrays:
    p = f"encoder.layers.{i}"
    return {
        f"{p}.self_attn.in_proj_weight": pattern(12, 4, step=2 + i) / 2,
        f"{p}.self_attn.in_proj_bias": pattern(12, step=3 - i) / 4,
        f"{p}.self_attn.out_proj.weight": pattern(4, 4, step=3 + i) / 2,
        f"{p}.self_attn.out_proj.bias": np.array([0.5, 0, -0.5, 1]),
        f"{p}.linear1.weight": pattern(3, 4, step=2 - i),
        f"{p}.linear1.bias": np.array([0.5, -1, 0]),
        f"{p}.linear2.weight": pattern(4, 3, step=4 - i) / 8,
        f"{p}.linear2.bias": np.array([0.0, 0.25, 0, -1]),
        f"{p}.norm1.weight": _N1[0],
        f"{p}.norm1.bias": _N1[1],
        f"{p}.norm2.weight": _N2[0],
        f"{p}.norm2.bias": _N2[1],
    }


def _block(x: list[Array], state: Arrays, i: int) -> list[Array]:
    w = {key.removeprefix(f"encoder.layers.{i}."): value for key, value in state.items()}
    weight, bias = w["self_attn.in_proj_weight"], w["self_attn.in_proj_bias"]
    q = [weight[0:4] @ row + bias[0:4] for row in x]
    k = [weight[4:8] @ row + bias[4:8] for row in x]
    v = [weight[8:12] @ row + bias[8:12] for row in x]
    out = []
    for t in range(len(x)):
        o = np.zeros(4)
        for h in range(2):
            f = slice(2 * h, 2 * h + 2)
            weights = softmax([q[t][f] @ key[f] / math.sqrt(2) for key in k])
            for weight_of_step, value in zip(weights, v, strict=True):
                o[f] += weight_of_step * value[f]
        o = w["self_attn.out_proj.weight"] @ o + w["self_attn.out_proj.bias"]
        y = _affine_norm(x[t] + o, (w["norm1.weight"], w["norm1.bias"]))
        hidden = relu(w["linear1.weight"] @ y + w["linear1.bias"])
        z = w["linear2.weight"] @ hidden + w["linear2.bias"]
        out.append(_affine_norm(y + z, (w["norm2.weight"], w["norm2.bias"])))
    return out


_BLOCKS = {**_loud_block_state(0), **_loud_block_state(1)}


def _encoded(places: list[int]) -> list[Array]:
    x = [e(k) + _position(t) for t, k in enumerate(places)]
    return _block(_block(x, _BLOCKS, 0), _BLOCKS, 1)


_O3, _O2 = _encoded([2, 0, 3]), _encoded([1, 3])
_W3 = softmax([_pool_score(o) for o in _O3])
_W2 = softmax([_pool_score(o) for o in _O2])
CASES.append(
    HandComputed(
        name="self_attention_blocks_over_real_steps",
        fields={**FIELDS, "modalities": ("visual",), "faa": False, "layers": 2},
        state={**one_hot_state(("visual",)), **_BLOCKS, **_POOL, **head_state()},
        inputs={
            "visual": frames([2, 0, 3], [1, 3], length=3),
            "visual_mask": real(3, 2, length=3),
        },
        outputs=depression(
            head(sum(w * o for w, o in zip(_W3, _O3, strict=True))),
            head(sum(w * o for w, o in zip(_W2, _O2, strict=True))),
        ),
        attention={"sea/frames": np.array([_W3, [*_W2, 0]])},
    )
)


# 14. A step at which the face is padding is no key and has no temporal weight, although the head
#     is present there; and the encoder reads F, not the face. Blocks as in 13. Face 0 1 (n = 2 of
#     4), head 2 3 0 (m = 3 of 3):
#         t = 0: softmax(0.75, 5.75), t = 1: softmax(-1.25, 0.25), t = 2: the head alone, weight 1,
#         but the step does not count, t = 3: nothing.
_W = [softmax([0.75, 5.75]), softmax([-1.25, 0.25])]
_X2 = [
    e(0, _W[0][0]) + e(2, 3 * _W[0][1]) + _position(0),
    e(1, _W[1][0]) + e(3, 3 * _W[1][1]) + _position(1),
]
_O2 = _block(_block(_X2, _BLOCKS, 0), _BLOCKS, 1)
_W2 = softmax([_pool_score(o) for o in _O2])
CASES.append(
    HandComputed(
        name="steps_without_the_face_do_not_count",
        fields={**FIELDS, "modalities": ("visual", "pose"), "layers": 2},
        state={
            **one_hot_state(("visual", "pose")),
            **score_state("faa"),
            **_BLOCKS,
            **_POOL,
            **head_state(),
        },
        inputs={
            "visual": frames([0, 1], length=4),
            "visual_mask": real(2, length=4),
            "pose": frames([2, 3, 0], length=3),
        },
        outputs=depression(head(_W2[0] * _O2[0] + _W2[1] * _O2[1])),
        attention={
            "faa/visual": np.array([[_W[0][0], _W[1][0], 0, 0]]),
            "faa/pose": np.array([[_W[0][1], _W[1][1], 1, 0]]),
            "sea/frames": np.array([[*_W2, 0, 0]]),
        },
    )
)
