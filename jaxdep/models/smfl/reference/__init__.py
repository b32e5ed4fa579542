"""PyTorch references of SMFL (Zhang et al., 2025): the paper's and the released network."""

from jaxdep.models.smfl.reference.network import SMFL
from jaxdep.models.smfl.reference.released import SMFLReleased

__all__ = ["SMFL", "SMFLReleased"]
