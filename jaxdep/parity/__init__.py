"""Agreement with PyTorch: weights in both directions, references written by other hands."""

from jaxdep.parity.convert import from_torch, to_torch

__all__ = ["from_torch", "to_torch"]
