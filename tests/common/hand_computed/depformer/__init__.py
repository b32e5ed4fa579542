"""Small cases of DEP-Former, worked out on paper or by loops over its equations.

`equations` and `network` write §1 to §10 and §12 to §14 of `jaxdep/models/depformer/README.md` as
loops over examples, heads, steps and keys. `build` fills weights. The other modules hold the cases:
some need no more than the numbers in their comments, the others run the loops.

"README" and sections (§) in this folder are those of that file.
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
