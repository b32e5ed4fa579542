"""DEP-Former: Informers over words read aloud, and the released network; see README.md."""

from jaxdep.models.depformer.model import DEPFormer
from jaxdep.models.depformer.released import DEPFormerReleased

__all__ = ["DEPFormer", "DEPFormerReleased"]
