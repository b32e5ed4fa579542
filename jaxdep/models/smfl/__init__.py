"""SMFL: sentence-level features of a dialogue, and the released network; see README.md."""

from jaxdep.models.smfl.model import SMFL
from jaxdep.models.smfl.released import SMFLReleased

__all__ = ["SMFL", "SMFLReleased"]
