"""Cases of DEP-Former's sparse attention: which queries are kept, which words are read."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import Array, HandComputed, softmax
from hand_computed.depformer.build import constructor_fields, drawn, recordings, zeros
from hand_computed.depformer.network import looped


def words_that_are_read() -> HandComputed:
    """README §4, §10: the attention map of the first layer, from the positions alone.

    The embedding has weight and bias 0, so x0[t] = PE[t] = (sin t, cos t), D = 2. One head of
    width 2. In `encoder` W_Q = 3 I, W_K = I: the score of query t and key s is 3 cos(t - s).
      M[t] = 3 (1 - mean_s cos(t - s));  the means are, with cos 0..3 = 1, .5403, -.4161, -.9900,
        t = 0 and 3: ( 1 + .5403 - .4161 - .9900) / 4 =  .0335
        t = 1 and 2: ( .5403 + 1 + .5403 - .4161) / 4 =  .4161
      c = 2: u(4) = floor(2 ln 4) = 2, so queries 0 and 3 are kept.
      Map = ( softmax_s(3 cos(s) / sqrt 2) + softmax_s(3 cos(3 - s) / sqrt 2) + 2 (1/4, ...) ) / 4
    In `encoder_fv` W_K = -I: the scores are -3 cos(t - s),
      M[t] = 3 (mean - min): t = 0, 3: 3 (.0335 + .9900) = 3.07;  t = 1, 2: 3 (.4161 + .4161) = 2.50
      so queries 0 and 3 again, which now read the far words.
    The norms have weight 0 and the heads have weight 0: the logits are fc.bias + .3 fc4.bias.
    """
    fields = {"features": 2, "heads": 1}
    state = zeros(fields, 2, 3)
    for name, sign in (("encoder", 1), ("encoder_fv", -1)):
        state[f"{name}.stacks.0.elayer00.attention.W_Q.weight"] = 3 * np.eye(2)
        state[f"{name}.stacks.0.elayer00.attention.W_K.weight"] = sign * np.eye(2)
    state["fc.bias"] = np.array([1.0, -1.0])
    state["fc4.bias"] = np.array([10.0, 20.0])

    def read(sign: int) -> Array:
        rows = [
            softmax(np.array([sign * 3 * math.cos(t - s) / math.sqrt(2) for s in range(4)]))
            for t in (0, 3)
        ]
        return np.stack([(rows[0] + rows[1] + 2 * np.full(4, 0.25)) / 4] * 2)

    return HandComputed(
        name="words_that_are_read",
        fields=constructor_fields(fields),
        state=state,
        inputs=recordings(3, 2, (4, 2), (4, 3)),
        outputs={"depression": np.array([[4.0, 5.0], [4.0, 5.0]])},
        attention={
            "words/multimodal": read(1),
            "words/visual": read(-1),
            "words/acoustic": read(-1),
        },
    )


def one_word() -> HandComputed:
    """README §4 with L = 1: floor(c ln 1) = 0 queries must not fail; the word reads itself.

    Both circular neighbours of the only word are the word. The map is 1.
    """
    return looped("one_word", {"words": 1, "features": 3}, 11, recordings(11, 2, (1, 3), (1, 2)))


def index_is_the_exact_measure() -> HandComputed:
    """README §4: evaluation takes the measure over all keys, whatever draws are given."""
    inputs = recordings(23, 2, (8, 3), (8, 2))
    inputs["draws"] = drawn(23, 8, 1)
    return looped("index_is_the_exact_measure", {"words": 8, "factor": 1}, 23, inputs)


CASES: list[HandComputed] = [
    words_that_are_read(),
    one_word(),
    index_is_the_exact_measure(),
]
