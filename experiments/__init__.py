"""The experiments by name: one file a paper, each a list of values."""

from jaxdep.experiment import Experiment
from jaxdep.experiments import amm, depformer, jamfn, mddr, smfl

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for paper in (jamfn, amm, mddr, smfl, depformer)
    for experiment in paper.EXPERIMENTS
}
"""Every experiment, by the name that `jaxdep run` takes."""
