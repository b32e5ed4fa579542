"""Outputs of every variant beside PyTorch's, with weights so large that every attention chooses."""

import chex
import jax
import numpy as np
import pytest
import torch

from jaxdep import parity
from jaxdep.experiment import fields_of
from jaxdep.models import MODELS
from jaxdep.parity.cases import variants
from jaxdep.parity.compare import BARS, enlarge
from jaxdep.parity.reference import reference
from jaxdep.parity.training import tensors

# Variants that pass line by line what others of the same model do; `make test-slow` has them.
SLOW = {
    "smfl": {"scaled", "TCN (all), last", "no LSTM", "no CMJAT", "acoustic", "visual"},
    "depformer": {"published c", "4 classes", "acoustic", "the figure"},
}
ALL = [
    pytest.param(
        case,
        id=f"{name}-{case.label}",
        marks=pytest.mark.slow if case.label in SLOW.get(name, ()) else (),
    )
    for name in MODELS
    for case in variants(name)
]


@pytest.mark.parametrize("case", ALL)
def test_outputs_are_those_of_pytorch(case, x64):
    inputs = {k: x.astype(float) if x.dtype == np.float32 else x for k, x in case.inputs().items()}
    torch.manual_seed(0)
    fields = {name: getattr(case.model, name) for name in fields_of(case.model)}
    module = reference(case.name, fields, inputs).double()
    enlarge(case.name, module)
    variables = parity.from_torch(case.model, module.state_dict(), inputs)
    with torch.no_grad():
        theirs = {task: y.numpy() for task, y in module(tensors(inputs)).items()}
    ours = jax.jit(case.model.apply)(variables, inputs)
    chex.assert_trees_all_close(ours, theirs, atol=BARS["float64"]["outputs"], rtol=0)
