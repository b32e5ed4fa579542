"""Parity with PyTorch: weight conversion and comparison with independent references."""

from jaxdep.parity.convert import from_torch, to_torch

__all__ = ["from_torch", "to_torch"]
