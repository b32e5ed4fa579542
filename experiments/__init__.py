"""Registry of experiments: a module for each paper, and two for what is on other corpora."""

from collections.abc import Mapping

from jaxdep.experiment import Experiment
from jaxdep.experiments import amm, baselines, depformer, jamfn, mddr, smfl, transfers
from jaxdep.plugins import Registry

_BUILTIN = (
    experiment
    for part in (jamfn, amm, mddr, smfl, depformer, transfers, baselines)
    for experiment in part.EXPERIMENTS
)

EXPERIMENTS: Mapping[str, Experiment] = Registry(
    "jaxdep.experiments", {experiment.name: experiment for experiment in _BUILTIN}, Experiment
)
"""All experiments by name; other packages can add theirs through entry points."""
