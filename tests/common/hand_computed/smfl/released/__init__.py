"""Hand computed cases of the released SMFL network, which is not that of the paper."""

from __future__ import annotations

from hand_computed import HandComputed
from hand_computed.smfl.released import encoders, history, whole

CASES: list[HandComputed] = [
    *history.CASES,
    *encoders.CASES,
    *whole.CASES,
]
