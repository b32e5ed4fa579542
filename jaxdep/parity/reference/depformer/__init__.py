"""DEP-Former: depression recognition from a face and a voice for every word read aloud."""

from jaxdep.parity.reference.depformer.network import DEPFormer
from jaxdep.parity.reference.depformer.released import DEPFormerReleased

__all__ = ["DEPFormer", "DEPFormerReleased"]
