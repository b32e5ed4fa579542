"""Cases of the released DEP-Former, which is not that of the paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_computed import Arrays, HandComputed
from hand_computed.depformer.build import FIELDS, constructor_fields, drawn, recordings
from hand_computed.depformer.fusion import fusion_head_counts_the_shared_bias_three_times
from hand_computed.depformer.network import looped


def _released(name: str, fields: dict[str, Any], seed: int, inputs: Arrays) -> HandComputed:
    fields = {"released": True, **fields}
    full = FIELDS | fields
    inputs = {**inputs, "draws": drawn(seed, full["words"], full["factor"])}
    return looped(name, fields, seed, inputs)


def released_head_is_constant() -> HandComputed:
    """README §13: logits = fc(m) + 0.1 fc4(cross) + 0.1 fc4(face) + 0.1 fc4(voice), each flat.

    All norms return their bias, as in `fusion_head_counts_the_shared_bias_three_times`:
    m = (1, 2), face = voice = (6, -2), cross = (-4, 5), two words; with the same heads
      fc(m) = (5.5, 4.5), fc4(cross) = (16, 21), fc4(face) = fc4(voice) = (12, 24)
      (5.5 + .1 * 40, 4.5 + .1 * 69) = (9.5, 11.4)
    """
    base = fusion_head_counts_the_shared_bias_three_times()
    fields = {"released": True, "words": 2, "features": 2}
    return HandComputed(
        name="released_head_is_constant",
        fields=constructor_fields(fields),
        state=base.state,
        inputs={**base.inputs, "draws": drawn(5, 2, 2)},
        outputs={"depression": np.array([[9.5, 11.4], [9.5, 11.4]])},
    )


def released_pair_swaps_its_queries() -> HandComputed:
    """README §12 with B = 2, high = [t], low = [w].

    r_0 = q[w] at I[t] and r_1 = q[t] at S[w].  t = 0: pi = (0, 1), example 0 asks with
    q[1] at I[0], example 1 with q[0] at S[1].  t = 1: pi = (1, 0), example 0 asks with
    r_1 = q[1] at S[0], example 1 with r_0 = q[0] at I[1].  Always the other one's queries.
    """
    return _released("released_pair_swaps_its_queries", {}, 631, recordings(631, 2, (4, 3), (4, 2)))


def released_four_are_gathered_by_pi() -> HandComputed:
    """README §12, step 4: rows are gathered by pi, not by its inverse; B = 4."""
    return _released(
        "released_four_are_gathered_by_pi", {}, 1032, recordings(1032, 4, (4, 3), (4, 2))
    )


def released_index_is_of_the_last_stack() -> HandComputed:
    """README §12: the same S, of the last stack, for all stacks; §4: the order of the draws."""
    fields = {"words": 8, "stacks": 2, "layers": 2}
    return _released(
        "released_index_is_of_the_last_stack", fields, 2933, recordings(2933, 4, (8, 3), (8, 2))
    )


def released_measure_is_sampled() -> HandComputed:
    """README §14: M over sampled keys in evaluation too, one draw for all examples and heads.

    Eight words, c = 1: u(8) = 2 keys for each query and 2 queries kept of 8.
    """
    return _released(
        "released_measure_is_sampled",
        {"words": 8, "factor": 1},
        134,
        recordings(134, 2, (8, 3), (8, 2)),
    )


def released_words_are_padded() -> HandComputed:
    """Missing and padded words are zeros, further steps are not read; three stacks."""
    inputs = recordings(386235, 2, (10, 3), (6, 2))
    inputs["visual_mask"] = np.array([[1, 1, 0] + [1] * 7, [1] * 5 + [0] * 5], dtype=bool)
    inputs["visual"][~inputs["visual_mask"]] = np.nan
    fields = {"words": 8, "stacks": 3, "layers": 3, "factor": 3}
    return _released("released_words_are_padded", fields, 386235, inputs)


CASES: list[HandComputed] = [
    released_head_is_constant(),
    released_pair_swaps_its_queries(),
    released_four_are_gathered_by_pi(),
    released_index_is_of_the_last_stack(),
    released_measure_is_sampled(),
    released_words_are_padded(),
]
