"""Cases of the index that DEP-Former's encoders share, and of its gate."""

from __future__ import annotations

import numpy as np

from hand_computed import HandComputed
from hand_computed.depformer.build import recordings
from hand_computed.depformer.network import looped


def soft_gate_mixes_two_contexts() -> HandComputed:
    """README §7: each context is the mean of V with rows scattered to the index of its queries.

    Eight words, one layer: u(8) = 4 queries are kept, and u with c = 1 is 2 of them are shared.
    """
    fields = {"words": 8}
    return looped("soft_gate_mixes_two_contexts", fields, 915, recordings(915, 2, (8, 3), (8, 2)))


def hard_gate_takes_one_index() -> HandComputed:
    """README §7: own queries if g >= 1/2; one example on each side, for face and voice."""
    fields = {"words": 8, "gate": "hard"}
    return looped("hard_gate_takes_one_index", fields, 2016, recordings(2016, 4, (8, 3), (8, 2)))


def hard_gate_at_one_half_is_its_own() -> HandComputed:
    """alpha = 0: g = sigmoid(0) = .5 exactly, which takes the own index (`round(.5)` is 0)."""
    fields = {"words": 8, "gate": "hard"}
    return looped(
        "hard_gate_at_one_half_is_its_own",
        fields,
        17,
        recordings(17, 2, (8, 3), (8, 2)),
        **{
            "encoder_fv.en_fv.attention.alpha.0.weight": np.zeros((1, 32)),
            "encoder_fv.en_fv.attention.alpha.0.bias": np.zeros(1),
        },
    )


def every_stack_shares_its_own_index() -> HandComputed:
    """README §7: S_i is the index of the multimodal encoder's last layer of stack i.

    Two stacks over 8 and the last 4 words, both end with 4 steps. The gate leans to the shared
    index (bias -3), so that the wrong stack's index shows.
    """
    fields = {"words": 8, "stacks": 2, "layers": 2}
    return looped(
        "every_stack_shares_its_own_index",
        fields,
        18,
        recordings(18, 2, (8, 3), (8, 2)),
        **{"encoder_fv.en_fv.attention.alpha.0.bias": np.array([-3.0])},
    )


CASES: list[HandComputed] = [
    soft_gate_mixes_two_contexts(),
    hard_gate_takes_one_index(),
    hard_gate_at_one_half_is_its_own(),
    every_stack_shares_its_own_index(),
]
