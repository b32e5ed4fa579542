"""Agreement with PyTorch: weights in both directions, and comparison with plain twins."""

from jaxdep.parity.convert import from_torch, to_torch

__all__ = ["from_torch", "to_torch"]
