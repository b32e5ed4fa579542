"""Cases of MDDR worked out by hand, to check an implementation against.

Most cases use one-hot frames. The alignment networks of such a case are set so that a frame one-hot
at k becomes exactly the row g e_k, with g = 1 for the face, 2 for the voice and 3 for the head:

    LayerNorm of a one-hot row of four: mean 1/4, variance 3/16, so (3/4, -1/4, -1/4, -1/4) / s
    with s = sqrt(3/16 + 1e-5). Times the gain g s, plus the bias g/4: g at k, zero elsewhere.

A frame of zeros, that is padding, would become g/4 everywhere, so padding that leaks shows.

The common score network of these cases has two hidden units and gives

    score(x) = relu(x0 + 2 x2) - relu(x1 - x3 + 1/2) + 1/4

which is, for the rows g e_k:

              k = 0    k = 1    k = 2    k = 3
    g = 1      0.75    -1.25     1.75     0.25
    g = 2      1.75    -2.25     3.75     0.25
    g = 3      2.75    -3.25     5.75     0.25

The common head gives

    y(E) = 2 relu(E0 + 2 E1 + 3 E2 + 4 E3 + 1/2) - 3 relu(E2 - E0) + 1

so that y(0) = 2.
"""

from __future__ import annotations

from hand_computed import HandComputed
from hand_computed.mddr import alignment, attention, padding, resampling, temporal

CASES: list[HandComputed] = [
    *attention.CASES,
    *alignment.CASES,
    *padding.CASES,
    *resampling.CASES,
    *temporal.CASES,
]
