"""The experiments by name: one file a paper, each a list of values."""

from jaxdep.experiments import amm, jamfn

from jaxdep.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment for paper in (jamfn, amm) for experiment in paper.EXPERIMENTS
}
"""Every experiment, by the name that `jaxdep run` takes."""
