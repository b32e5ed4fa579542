"""Plain PyTorch twins, written from the papers' equations, with the weight names of checkpoints."""

from typing import Any

from torch import nn

from jaxdep.errors import UserError
from jaxdep.parity.reference.amm import AMM
from jaxdep.parity.reference.depformer import DEPFormer
from jaxdep.parity.reference.jamfn import JAMFN
from jaxdep.parity.reference.mddr import MDDR
from jaxdep.parity.reference.smfl import SMFL

TWINS: dict[str, type[nn.Module]] = {
    "jamfn": JAMFN,
    "amm": AMM,
    "mddr": MDDR,
    "smfl": SMFL,
    "depformer": DEPFormer,
}
"""Model's name to its twin, which has the same fields beside the widths of its inputs."""


def twin(
    name: str,
    fields: dict[str, Any],
    inputs: dict[str, Any],
    kind: type[nn.Module] | None = None,
) -> nn.Module:
    """The twin of a model, in evaluation mode.

    Args:
      fields: configuration, as the Flax module has it.
      inputs: example inputs, for their widths and lengths.
      kind: another module of the same arguments in its place.

    Raises:
      UserError: there is no twin of that name.
    """
    if name not in TWINS:
        raise UserError(f"no PyTorch twin of {name!r}: there are {', '.join(TWINS)}")
    sizes = {
        f"{key}_width": value.shape[-1]
        for key, value in inputs.items()
        if not key.endswith("_mask") and key != "draws"
    }
    if name == "jamfn":
        sizes["length"] = inputs["acoustic"].shape[1]
    return (kind or TWINS[name])(**fields, **sizes).eval()
