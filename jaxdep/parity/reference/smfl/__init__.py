"""SMFL, depression recognition from the sentences of an interview (Zhang et al., 2025)."""

from jaxdep.parity.reference.smfl.network import SMFL
from jaxdep.parity.reference.smfl.released import SMFLReleased

__all__ = ["SMFL", "SMFLReleased"]
