"""One file a paper; the forward reads like the paper's method section."""

import flax.linen as nn

from jaxdep.models.amm import AMM
from jaxdep.models.baselines import LogisticRegression
from jaxdep.models.depformer import DEPFormer
from jaxdep.models.jamfn import JAMFN
from jaxdep.models.mddr import MDDR
from jaxdep.models.smfl import SMFL

MODELS: dict[str, type[nn.Module]] = {
    "jamfn": JAMFN,
    "amm": AMM,
    "mddr": MDDR,
    "smfl": SMFL,
    "depformer": DEPFormer,
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
    "LogisticRegression",
]
