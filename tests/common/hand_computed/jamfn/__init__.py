"""Hand computed cases of JAMFN.

Every expected number is worked out beside its case, from the printed equations of the paper
(section 3) and NumPy only. "README" is that of `jaxdep/models/jamfn`: what the paper leaves open.

Most cases use a *memoryless* BiLSTM, so that the features after it are round numbers. With the
input and output gates at sigmoid(50) = 1, the forget gate at sigmoid(-50) = 0 (both to 1e-21), no
recurrent weights, and an identity as the cell's input weight, the forward direction of (1) is

    h_p = 1 * tanh(0 * c_{p-1} + 1 * tanh(x_p + b)) = tanh(tanh(x_p + b)).

The backward direction has only zeros: its cell input is tanh(0) = 0, so that H = 0 at all frames.
The sum (4) is then F_p = tanh(tanh(x_p + b)), and the input ``drive(f) - b`` gives F_p = f.

In the comments a = 4 F_A and v = 4 F_V: the convolutions' weights carry that factor 4.
"""

from __future__ import annotations

from hand_computed import HandComputed
from hand_computed.jamfn import attention, fusion, padding, recurrence, scales

CASES: list[HandComputed] = [
    *attention.CASES,
    *scales.CASES,
    *recurrence.CASES,
    *padding.CASES,
    *fusion.CASES,
]
