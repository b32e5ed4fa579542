"""Cases of SMFL whose expected numbers are worked out by hand or by loops over the equations."""

from __future__ import annotations

from hand_computed import HandComputed
from hand_computed.smfl import (
    attention,
    encoder,
    fusion,
    joint_attention,
    recurrence,
    whole,
    windows,
)

CASES: list[HandComputed] = [
    *encoder.CASES,
    *windows.CASES,
    *fusion.CASES,
    *attention.CASES,
    *joint_attention.CASES,
    *recurrence.CASES,
    *whole.CASES,
]
