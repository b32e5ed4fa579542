"""All hand computed cases, by the implementation that they check."""

from __future__ import annotations

from hand_computed import HandComputed, amm, depformer, jamfn, mddr, smfl
from hand_computed.depformer import released as depformer_released
from hand_computed.smfl import released as smfl_released

CASES: dict[str, list[HandComputed]] = {
    "jamfn": jamfn.CASES,
    "amm": amm.CASES,
    "mddr": mddr.CASES,
    "smfl": smfl.CASES,
    "smfl_released": smfl_released.CASES,
    "depformer": depformer.CASES,
    "depformer_released": depformer_released.CASES,
}
