"""Agreement with the PyTorch twins, and that disagreement would be seen."""

import io

import jax
import numpy as np
import pytest
import torch
from rich.console import Console

from jaxdep import parity
from jaxdep.errors import UserError
from jaxdep.experiment import fields_of
from jaxdep.models import JAMFN, MODELS, examples
from jaxdep.parity import compare
from jaxdep.parity.reference import twin

DAILY = """masked|mean, no mask|flatten|concat|no scales|pooled|depression|batch of 5|length 1
|text alone|visual alone|residual""".replace("\n", "").split("|")
EVERY_DAY = [case for name in MODELS for case in compare.cases(name) if case.label in DAILY]


@pytest.mark.parametrize("case", EVERY_DAY, ids=lambda case: f"{case.name}-{case.label}")
def test_within_the_bars(case):
    failed = [row for row in compare.compare(case) if not row.ok]
    assert not failed


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_case_and_the_papers_size(name):
    rows = compare.run(name)
    assert {row.quantity for row in rows} == {"outputs", "gradients", "losses", "parameters"}
    assert not [row for row in rows if not row.ok]


def state_of(name, label):
    model = dict(examples.small(name))[label]
    inputs = examples.example_inputs(model, 2, 4)
    fields = {field: getattr(model, field) for field in fields_of(model)}
    module = twin(name, fields, inputs)
    return model, inputs, {k: v.detach().numpy() for k, v in module.state_dict().items()}


ALL = [(name, label) for name in MODELS for label, _ in examples.small(name)]


@pytest.mark.parametrize(("name", "label"), ALL)
def test_round_trip_is_exact(name, label):
    model, inputs, state = state_of(name, label)
    variables = parity.from_torch(model, state)
    back = parity.to_torch(model, variables)
    assert back.keys() == state.keys()
    for key, value in state.items():
        np.testing.assert_array_equal(back[key], value)
    own = {"params": model.init(jax.random.key(0), inputs)["params"]}
    again = parity.from_torch(model, parity.to_torch(model, own))
    jax.tree.map(np.testing.assert_array_equal, again, own)


def test_every_fault_of_a_state_is_named():
    model, _, state = state_of("jamfn", "paper")
    state["conv_a.9.weight"] = np.zeros((1, 1, 1), np.float32)
    del state["classifier.bias"]
    state["jaf.1.fc1.weight"] = np.zeros((2, 6), np.float32)
    with pytest.raises(ValueError, match="does not fit JAMFN") as error:
        parity.from_torch(model, state)
    said = str(error.value)
    assert "- classifier.bias is missing" in said
    assert "+ conv_a.9.weight is not of this model" in said
    assert "! jaf.1.fc1.weight has shape (2, 6), expected (1, 6)" in said


@pytest.mark.parametrize("gone", ["bilstm_a.weight_ih_l0", "jaf.0.fc3.weight"])
def test_missing_entry_that_shows_a_shape_is_named(gone):
    model, _, state = state_of("jamfn", "paper")
    del state[gone]
    with pytest.raises(ValueError, match=f"- {gone} is missing"):
        parity.from_torch(model, state)


def test_counters_of_batches_are_ignored():
    model, _, state = state_of("jamfn", "paper")
    parity.from_torch(model, {**state, "norm.num_batches_tracked": np.array(3)})


def test_takes_tensors():
    model, _, state = state_of("amm", "paper")
    tensors = {key: torch.as_tensor(value) for key, value in state.items()}
    jax.tree.map(
        np.testing.assert_array_equal,
        parity.from_torch(model, tensors),
        parity.from_torch(model, state),
    )


@pytest.fixture
def one_case():
    model = JAMFN(hidden=3, layers=1, channels=4, masked=True)
    return compare.Case("jamfn", "probe", model, batch=2, length=5)


def test_a_perturbed_weight_is_seen(one_case, monkeypatch):
    def disturbed(model, state, inputs=None):
        return parity.from_torch(model, {**state, "jaf.0.fc3.bias": state["jaf.0.fc3.bias"] + 1e-2})

    monkeypatch.setattr(compare, "from_torch", disturbed)
    assert any(not row.ok for row in compare.compare(one_case, steps=0))


def test_permuted_gates_are_seen(one_case, monkeypatch):
    def permuted(model, state, inputs=None):
        name = "bilstm_a.weight_hh_l0"
        i, f, g, o = np.split(state[name], 4)
        return parity.from_torch(model, {**state, name: np.concatenate([i, g, f, o])})

    monkeypatch.setattr(compare, "from_torch", permuted)
    assert any(not row.ok for row in compare.compare(one_case, steps=0))


def test_not_a_number_is_a_failure_and_is_shown():
    row = compare.Row("jamfn", "probe", "outputs", "float32", float("nan"), 1e-5)
    assert not row.ok
    text = io.StringIO()
    compare.show([row], Console(file=text, width=140))
    assert "FAILED" in text.getvalue()


def test_unknown_model():
    with pytest.raises(UserError, match="there are jamfn, amm"):
        compare.run("bert")
