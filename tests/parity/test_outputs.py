"""Outputs of every variant beside PyTorch's, with weights so large that every attention chooses."""

import chex
import jax
import numpy as np
import pytest
import torch

from jaxdep import parity
from jaxdep.models import SPECS, spec_of
from jaxdep.parity.compare import TOLERANCES, enlarge
from jaxdep.parity.reference import reference
from jaxdep.parity.training import tensors

ALL = [
    pytest.param(
        case,
        id=f"{name}-{case.label}",
        marks=pytest.mark.slow if case.label in spec.slow_variants else (),
    )
    for name, spec in SPECS.items()
    for case in spec.variant_cases()
]


@pytest.mark.parametrize("case", ALL)
def test_outputs_are_those_of_pytorch(case, x64):
    spec = spec_of(case.model)
    inputs = {
        name: x.astype(float) if x.dtype == np.float32 else x
        for name, x in spec.case_inputs(case).items()
    }
    torch.manual_seed(0)
    module = reference(case.model, inputs).double()
    enlarge(spec.enlarge, module)
    variables = parity.from_torch(case.model, module.state_dict(), inputs)
    with torch.no_grad():
        theirs = {task: y.numpy() for task, y in module(tensors(inputs)).items()}
    ours = jax.jit(case.model.apply)(variables, inputs)
    chex.assert_trees_all_close(ours, theirs, atol=TOLERANCES["float64"]["outputs"], rtol=0)
