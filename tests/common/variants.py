"""Small models of every variant, and random inputs of a model, as the specs have them."""

from typing import Any

from jaxdep.models import SPECS, spec_of


def small(name) -> dict[str, Any]:
    """Label to a small model, of every variant."""
    return SPECS[name].small()


def example_inputs(model, batch, length, seed=0, **how):
    """Random ragged inputs."""
    return spec_of(model).inputs(model, batch, length, seed, **how)
