"""The five systems, and the networks that two papers' authors published beside them."""

import flax.linen as nn

from jaxdep.models.amm import AMM
from jaxdep.models.baselines import LogisticRegression
from jaxdep.models.depformer import DEPFormer, DEPFormerReleased
from jaxdep.models.jamfn import JAMFN
from jaxdep.models.mddr import MDDR
from jaxdep.models.smfl import SMFL
from jaxdep.models.smfl_released import SMFLReleased

MODELS: dict[str, type[nn.Module]] = {
    "jamfn": JAMFN,
    "amm": AMM,
    "mddr": MDDR,
    "smfl": SMFL,
    "smfl_released": SMFLReleased,
    "depformer": DEPFormer,
    "depformer_released": DEPFormerReleased,
}
"""Name to Flax module; its fields are its configuration."""

BASELINES: dict[str, type] = {"logistic_regression": LogisticRegression}
"""Name to what scikit-learn fits."""

__all__ = [
    "AMM",
    "BASELINES",
    "JAMFN",
    "MDDR",
    "MODELS",
    "SMFL",
    "DEPFormer",
    "DEPFormerReleased",
    "LogisticRegression",
    "SMFLReleased",
]
