"""PyTorch's folded JAMFN is the twin: what is timed against ours computes the same."""

import torch

from jaxdep.benchmarks import measured, sides
from jaxdep.models import spec_of
from jaxdep.parity import training


def test_equals_the_twin():
    target = measured.find("jamfn", "tiny")
    stock = sides.module_of(target.case, target.references["stock"]).double()
    folded = sides.module_of(target.case, target.references["folded"]).double()
    folded.load_state_dict(stock.state_dict())
    drawn = spec_of(target.case.model).case_inputs(target.case)
    inputs = {name: x.double() for name, x in training.tensors(drawn).items()}
    gradients = []
    for module in (stock, folded):
        outputs = module(inputs)["depression"]
        outputs.square().sum().backward()
        gradients.append([outputs, *(p.grad for p in module.parameters())])
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)
