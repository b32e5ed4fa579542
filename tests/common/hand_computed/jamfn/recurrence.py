"""Cases of JAMFN's BiLSTM: several layers, and where a row ends."""

from __future__ import annotations

import numpy as np

from hand_computed import NAN, HandComputed, array, linear
from hand_computed.jamfn.build import bilstm, chosen, wavy

CASES: list[HandComputed] = []


# 6. Two layers: "O_p^(i) = [h_p^(i), H_{t-p}^(i)]" (3) between the layers, forward first; "For the
# last layer of BiLSTM, we simply add forward and backward output features" (4). L = 3, no scales.
# FC3's bias chooses A = (0.5, 0.25, 0.25) and V = (0.25, 0.25, 0.5); "flatten" keeps the frames
# apart, so that a backward output at the wrong frame is seen.

DEEP_STATE = {
    **wavy("bilstm_a", 2, 2, 2, 0.3),
    **wavy("bilstm_v", 1, 2, 2, 1.1),
    **chosen("jaf.0", 2, (0.5, 0.25, 0.25), (0.25, 0.25, 0.5)),
    **linear("classifier", [[4, -2, 1, 3, -5, 2], [1, 2, -3, 4, 5, -6]], [0.5, -1]),
}
DEEP_INPUTS = {
    "acoustic": array([[[1.0, -0.5], [-2.0, 0.25], [0.5, 1.5]]]),
    "visual": array([[[-1.0], [2.0], [0.75]]]),
}


def deep_logits() -> np.ndarray:
    """Expected logits of case 6."""
    f_a = bilstm(DEEP_INPUTS["acoustic"][0], DEEP_STATE, "bilstm_a", 2)
    f_v = bilstm(DEEP_INPUTS["visual"][0], DEEP_STATE, "bilstm_v", 2)
    fused = []
    for p, (weight_a, weight_v) in enumerate([(0.5, 0.25), (0.25, 0.25), (0.25, 0.5)]):
        fused += [weight_a * f_a[p, n] + weight_v * f_v[p, n] for n in range(2)]  # (12)
    return array([DEEP_STATE["classifier.weight"] @ fused + DEEP_STATE["classifier.bias"]])  # (14)


CASES.append(
    HandComputed(
        name="bilstm_concatenates_between_layers_and_adds_at_the_last",
        fields={"length": 3, "hidden": 2, "layers": 2, "scales": (), "readout": "flatten"},
        state=DEEP_STATE,
        inputs=DEEP_INPUTS,
        outputs={"depression": deep_logits()},
    )
)


# 7. masked=True with a real BiLSTM: the recurrences stop at each row's true length, the backward
# direction starts there (README §5). The loops see only the first n frames of a row. L = 4, no
# scales, readout "sum".
# FC3's bias is the logarithm of (1, 2, 3, 4 | 4, 3, 2, 1), so that a row with n real frames has the
# weights (1, ..., n) / (1 + ... + n), or (4, 3, ...) / (4 + 3 + ...).
# Padding holds NaN. Row 0: 3 acoustic and 2 visual frames; row 1: 1 and 4; row 2: 4 and 3.

LENGTHS = ((3, 2), (1, 4), (4, 3))
STOP_STATE = {
    **wavy("bilstm_a", 2, 2, 2, 0.3),
    **wavy("bilstm_v", 1, 2, 2, 1.1),
    **chosen("jaf.0", 2, (1, 2, 3, 4), (4, 3, 2, 1)),
    **linear("classifier", [[4, -2], [1, 3]], [0.5, -1]),
}
STOP_MASKS = {
    "acoustic_mask": np.asarray([[p < n_a for p in range(4)] for n_a, _ in LENGTHS]),
    "visual_mask": np.asarray([[p < n_v for p in range(4)] for _, n_v in LENGTHS]),
}
STOP_VALUES = {
    "acoustic": 2 * np.cos(np.arange(24.0)).reshape(3, 4, 2),
    "visual": 2 * np.cos(0.5 + 2 * np.arange(12.0)).reshape(3, 4, 1),
}


def stop_logits() -> np.ndarray:
    """Expected logits of case 7."""
    rows = []
    for b, (n_a, n_v) in enumerate(LENGTHS):
        f_a = bilstm(STOP_VALUES["acoustic"][b, :n_a], STOP_STATE, "bilstm_a", 2)
        f_v = bilstm(STOP_VALUES["visual"][b, :n_v], STOP_STATE, "bilstm_v", 2)
        total = np.zeros(2)
        for p in range(n_a):
            total = total + (p + 1) / sum(range(1, n_a + 1)) * f_a[p]  # (12)
        for p in range(n_v):
            total = total + (4 - p) / sum(4 - q for q in range(n_v)) * f_v[p]  # (12)
        rows.append(STOP_STATE["classifier.weight"] @ total + STOP_STATE["classifier.bias"])  # (14)
    return array(rows)


CASES.append(
    HandComputed(
        name="masked_bilstm_stops_at_the_true_length",
        fields={"length": 4, "hidden": 2, "layers": 2, "scales": (), "masked": True},
        state=STOP_STATE,
        inputs={
            **{
                name: np.where(STOP_MASKS[f"{name}_mask"][..., None], values, NAN)
                for name, values in STOP_VALUES.items()
            },
            **STOP_MASKS,
        },
        outputs={"depression": stop_logits()},
        attention={
            "jaf.0/A_A": array([[1 / 6, 2 / 6, 3 / 6, 0], [1, 0, 0, 0], [0.1, 0.2, 0.3, 0.4]]),
            "jaf.0/A_V": array(
                [[4 / 7, 3 / 7, 0, 0], [0.4, 0.3, 0.2, 0.1], [4 / 9, 3 / 9, 2 / 9, 0]]
            ),
        },
    )
)
