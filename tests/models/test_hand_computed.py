"""Every system against numbers worked out by hand from its paper, by whoever had not seen ours."""

from functools import partial
from typing import Any

import chex
import jax
import numpy as np
import pytest
import torch
from hand_computed.mddr.loss import LOSS_CASES
from hand_computed.registry import CASES

from jaxdep import losses, parity
from jaxdep.models import MODELS
from jaxdep.parity.losses import dr_loss
from jaxdep.parity.reference import reference

ALL = [
    pytest.param(name, case, id=f"{name}-{case.name}")
    for name, cases in CASES.items()
    for case in cases
]
# A program a case: all but the first are slow. Every day, the references are held against all these
# numbers, and the outputs of every variant against the references.
COMPILED = [
    pytest.param(name, case, id=f"{name}-{case.name}", marks=pytest.mark.slow if number else ())
    for name, cases in CASES.items()
    for number, case in enumerate(cases)
]


def fields_of(name, case):
    """The configuration; widths and lengths are the inputs' own."""
    drop = {"length"} if name == "jamfn" else set()
    return {field: value for field, value in case.fields.items() if field not in drop}


def sown(variables):
    """Maps by their names in the collection of intermediates."""
    leaves = jax.tree_util.tree_leaves_with_path(variables.get("intermediates", {}))
    keys = lambda path: [key.key for key in path if isinstance(key, jax.tree_util.DictKey)]
    return {"/".join(keys(path)): np.asarray(leaf) for path, leaf in leaves}


@pytest.mark.parametrize(("name", "case"), COMPILED)
def test_our_outputs_and_attention(name, case, x64):
    model = MODELS[name](**fields_of(name, case))
    variables = parity.from_torch(model, case.state, case.inputs)
    apply = jax.jit(partial(model.apply, mutable=["intermediates"]))
    outputs, found = apply(variables, case.inputs)
    chex.assert_trees_all_close(outputs, dict(case.outputs), atol=1e-9, rtol=1e-9)
    maps = sown(found)
    for path, expected in case.attention.items():
        np.testing.assert_allclose(maps[path], expected, atol=1e-9, err_msg=path)


@pytest.mark.parametrize(("name", "case"), ALL)
def test_outputs_and_attention_of_the_reference(name, case):
    module: Any = reference(MODELS[name](**fields_of(name, case)), case.inputs).double()
    state = {key: torch.as_tensor(value) for key, value in case.state.items()}
    missing, surplus = module.load_state_dict(state, strict=False)
    assert not surplus
    assert all(key.endswith("num_batches_tracked") for key in missing)
    with torch.no_grad():
        outputs = module({key: torch.as_tensor(x) for key, x in case.inputs.items()})
    for task, expected in case.outputs.items():
        np.testing.assert_allclose(outputs[task], expected, atol=1e-9, rtol=1e-9)
    for path, expected in case.attention.items():
        np.testing.assert_allclose(module.attention[path], expected, atol=1e-9, err_msg=path)


@pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.name)
def test_dr_loss_and_its_gradient(case, x64):
    total = lambda p: losses.dr_loss(p, case.target, case.delta, case.weight).sum()
    found = losses.dr_loss(case.prediction, case.target, case.delta, case.weight)
    np.testing.assert_allclose(found, case.loss, atol=1e-12)
    np.testing.assert_allclose(jax.grad(total)(case.prediction), case.gradient, atol=1e-12)
    prediction = torch.tensor(case.prediction, requires_grad=True)
    theirs = dr_loss(prediction, torch.as_tensor(case.target), case.delta, case.weight)
    np.testing.assert_allclose(theirs.detach(), case.loss, atol=1e-12)
    theirs.sum().backward()
    assert prediction.grad is not None
    np.testing.assert_allclose(prediction.grad, case.gradient, atol=1e-12)
