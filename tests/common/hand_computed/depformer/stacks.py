"""Cases of DEP-Former's stacks over parts of the words, and of distilling in them."""

from __future__ import annotations

import math

import numpy as np

from hand_computed import HandComputed
from hand_computed.depformer.build import constructor_fields, recordings, set_ones, zeros
from hand_computed.depformer.network import looped


def distilling_is_circular() -> HandComputed:
    """README §5: distilling is MaxPool(ELU(BatchNorm(CircConv1d(x)))), running statistics.

    elayer00.norm has weight 0 and bias (1, 2, 3), so its output is (1, 2, 3) at all four steps.
      downConv, tap weights (channel by channel): channel 0: 1, 2, 3; channel 1: 1, -4, 1;
        channel 2: 0, 0, -1; bias (0, 1, 0).  Circular: no step sees a zero pad, so
        (1 * 6, 2 * (-2) + 1, 3 * (-1)) = (6, -3, -3) at every step.
      BatchNorm: running mean (2, -2, 0), running variance (4, 1, 9), weight (1, 1, 2), bias
        (0, 0, 3):  (4 / sqrt(4 + 1e-5), -1 / sqrt(1 + 1e-5), -6 / sqrt(9 + 1e-5) + 3)
                    which is about (2, -1, 1)
      ELU: the second becomes e^v - 1, the others stay; the pool of equal steps changes nothing.
      elayer01: W_V = 0, so a = LN(x); conv1 = conv2 = 0, so out = LN(a); then LN_enc: three norms.
    One modality; fc reads channel 1 of the second of the two steps left, plus 1.
    """
    fields = {"modalities": ("acoustic",), "layers": 2, "features": 3, "classes": None}
    state = zeros(fields, 2, 2)
    first, second = "encoder.stacks.0.elayer00", "encoder.stacks.0.elayer01"
    state[f"{first}.norm.bias"] = np.array([1.0, 2.0, 3.0])
    taps = [[1.0, 2.0, 3.0], [1.0, -4.0, 1.0], [0.0, 0.0, -1.0]]
    name = "encoder.stacks.0.clayer01"
    for channel, weights in enumerate(taps):
        state[f"{name}.downConv.weight"][channel, channel] = weights
    state[f"{name}.downConv.bias"] = np.array([0.0, 1.0, 0.0])
    state[f"{name}.norm.running_mean"] = np.array([2.0, -2.0, 0.0])
    state[f"{name}.norm.running_var"] = np.array([4.0, 1.0, 9.0])
    state[f"{name}.norm.weight"] = np.array([1.0, 1.0, 2.0])
    state[f"{name}.norm.bias"] = np.array([0.0, 0.0, 3.0])
    set_ones(
        state, f"{second}.attention.norm.weight", f"{second}.norm.weight", "encoder.norm.weight"
    )
    state["fc.weight"] = np.array([[0.0, 0.0, 0.0, 0.0, 1.0, 0.0]])
    state["fc.bias"] = np.array([1.0])
    x = np.array(
        [
            4 / math.sqrt(4 + 1e-5),
            math.exp(-1 / math.sqrt(1 + 1e-5)) - 1,
            3 - 6 / math.sqrt(9 + 1e-5),
        ]
    )
    for _ in range(3):
        x = (x - x.mean()) / np.sqrt(((x - x.mean()) ** 2).mean() + 1e-5)
    return HandComputed(
        name="distilling_is_circular",
        fields=constructor_fields(fields),
        state=state,
        inputs=recordings(4, 2, (4, 2), (4, 2)),
        outputs={"depression": np.array([x[1] + 1, x[1] + 1])},
    )


def three_stacks_over_suffixes() -> HandComputed:
    """README §6: 8 -> 4 -> 2, the last 4 -> 2, the last 2; one LN_enc for all; concat over time.

    Seven steps of voice: the eighth word is a silent one. u(2) with c = 2 is 1.
    """
    fields = {"words": 8, "stacks": 3, "layers": 3, "shared_factor": 2}
    return looped("three_stacks_over_suffixes", fields, 75819, recordings(75819, 2, (9, 3), (7, 2)))


CASES: list[HandComputed] = [
    distilling_is_circular(),
    three_stacks_over_suffixes(),
]
