"""PyTorch references of DEP-Former: the paper's and the released network."""

from jaxdep.models.depformer.reference.network import DEPFormer
from jaxdep.models.depformer.reference.released import DEPFormerReleased

__all__ = ["DEPFormer", "DEPFormerReleased"]
