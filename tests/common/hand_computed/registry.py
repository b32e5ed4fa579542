"""All hand computed cases, by the implementation that they check."""

from __future__ import annotations

from hand_computed import HandComputed, amm, baselines, depformer, jamfn, mddr, smfl
from hand_computed.depformer import released as depformer_released
from hand_computed.smfl import released as smfl_released
from hand_computed.text_baselines import CASES as TEXT_BASELINES

CASES: dict[str, list[HandComputed]] = {
    **TEXT_BASELINES,
    "jamfn": jamfn.CASES,
    "amm": amm.CASES,
    "mddr": mddr.CASES,
    "smfl": smfl.CASES,
    "smfl_released": smfl_released.CASES,
    "depformer": depformer.CASES,
    "depformer_released": depformer_released.CASES,
    "blstm": baselines.BLSTM,
    "tfn": baselines.TFN,
    "feature_fusion": baselines.FEATURE_FUSION,
    "depression_detector": baselines.DEPRESSION_DETECTOR,
    "tamfn": baselines.TAMFN,
}
