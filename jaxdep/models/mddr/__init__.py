"""MDDR: depression severity from face, voice and head pose; see README.md."""

from jaxdep.models.mddr.model import MDDR

__all__ = ["MDDR"]
