"""Small cases of DEP-Former, worked out on paper or by loops over the printed equations.

`equations` and `network` write the equations A2 to A9, A14 and A15 as loops over examples, heads,
steps and keys. `build` fills weights. The other modules hold the cases: some need no more than the
numbers in their comments, the others run the loops.
"""

from __future__ import annotations

from hand_computed import HandComputed
from hand_computed.depformer import attention, fusion, padding, sharing, stacks

CASES: list[HandComputed] = [
    *fusion.CASES,
    *attention.CASES,
    *stacks.CASES,
    *padding.CASES,
    *sharing.CASES,
]
