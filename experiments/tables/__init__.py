"""Registry of the papers whose tables `jaxdep reproduce` can repeat; one module for each paper."""

from collections.abc import Mapping

from jaxdep.experiments.tables import amm, depformer, jamfn, matrix, mddr, smfl
from jaxdep.plugins import Registry
from jaxdep.tables import Paper

_BUILTIN = (jamfn.PAPER, mddr.PAPER, amm.PAPER, smfl.PAPER, depformer.PAPER, matrix.PAPER)

PAPERS: Mapping[str, Paper] = Registry(
    "jaxdep.papers", {paper.name: paper for paper in _BUILTIN}, Paper
)
"""All papers by name; other packages can add theirs through entry points."""
