"""What a model finds among its inputs."""

from __future__ import annotations

from jaxdep.types import Inputs, Sequence


def require(inputs: Inputs, name: str, model: str) -> Sequence:
    """The sequence of that name.

    Raises:
      ValueError: it is not there, or is not [B, L, D].
    """
    if name not in inputs:
        raise ValueError(f"{model} reads inputs[{name!r}]; got only {', '.join(sorted(inputs))}")
    if inputs[name].ndim != 3:
        raise ValueError(
            f"inputs[{name!r}] must be [batch, time, feature]; got {inputs[name].shape}"
        )
    return inputs[name]
