"""Plain PyTorch twins, written from the papers' equations, with the weight names of checkpoints."""

from typing import Any

from torch import nn

from jaxdep.errors import UserError
from jaxdep.parity.reference.amm import AMM
from jaxdep.parity.reference.jamfn import JAMFN

TWINS: dict[str, Any] = {"jamfn": JAMFN, "amm": AMM}
"""Model's name to its twin, which is built from the same fields and example inputs."""


def twin(name: str, fields: dict[str, Any], inputs: dict[str, Any]) -> nn.Module:
    """The twin of a model.

    Args:
      fields: configuration, as the Flax module has it; what only concerns Flax is ignored.
      inputs: example inputs, for their widths and lengths.

    Raises:
      UserError: there is no twin of that name.
    """
    if name not in TWINS:
        raise UserError(f"no PyTorch twin of {name!r}: there are {', '.join(TWINS)}")
    return TWINS[name](fields, {key: tuple(value.shape) for key, value in inputs.items()})
