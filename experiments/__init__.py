"""Registry of experiments; each module defines those of one paper."""

from collections.abc import Mapping

from jaxdep.experiment import Experiment
from jaxdep.experiments import amm, depformer, jamfn, mddr, smfl
from jaxdep.plugins import Registry

_BUILTIN = (
    experiment for paper in (jamfn, amm, mddr, smfl, depformer) for experiment in paper.EXPERIMENTS
)

EXPERIMENTS: Mapping[str, Experiment] = Registry(
    "jaxdep.experiments", {experiment.name: experiment for experiment in _BUILTIN}, Experiment
)
"""All experiments by name; other packages can add theirs through entry points."""
