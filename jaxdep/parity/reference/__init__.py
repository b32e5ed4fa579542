"""PyTorch references, written from the papers alone, with the weight names of checkpoints.

Whoever wrote them had the paper, the names of the weights and the choices that the paper leaves
open, and had not seen the Flax modules: agreement of the two is agreement of two readings.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from jaxdep.errors import UserError
from jaxdep.parity.reference.amm import AMM
from jaxdep.parity.reference.depformer import DEPFormer, DEPFormerReleased
from jaxdep.parity.reference.jamfn import JAMFN
from jaxdep.parity.reference.mddr import MDDR
from jaxdep.parity.reference.smfl import SMFL, SMFLReleased

REFERENCES: dict[str, type[nn.Module]] = {
    "jamfn": JAMFN,
    "amm": AMM,
    "mddr": MDDR,
    "smfl": SMFL,
    "smfl_released": SMFLReleased,
    "depformer": DEPFormer,
    "depformer_released": DEPFormerReleased,
}
"""Model's name to its reference, which has the same fields beside the widths of its inputs."""


def reference(
    name: str,
    fields: Mapping[str, Any],
    inputs: Mapping[str, Any],
    kind: type[nn.Module] | None = None,
) -> nn.Module:
    """The PyTorch reference of a model, in evaluation mode.

    Args:
      fields: configuration, as the Flax module has it.
      inputs: example inputs, for their widths and lengths.
      kind: another module of the same arguments in its place.

    Raises:
      UserError: there is no reference of that name.
    """
    if name not in REFERENCES:
        raise UserError(f"no PyTorch reference of {name!r}: there are {', '.join(REFERENCES)}")
    features = {key: x for key, x in inputs.items() if x.dtype == np.uint8 or x.dtype.kind == "f"}
    sizes = {f"{key}_width": x.shape[-1] for key, x in features.items()}
    if name == "jamfn":
        sizes["length"] = inputs["acoustic"].shape[1]
    return (kind or REFERENCES[name])(**fields, **sizes).eval()
