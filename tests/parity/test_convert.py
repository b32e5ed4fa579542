"""Weights from PyTorch and back: exact, and every fault of a state named."""

from typing import Any

import flax.linen as fnn
import jax
import numpy as np
import pytest
import torch
from variants import example_inputs, small

from jaxdep import parity
from jaxdep.models import AMM, JAMFN, MODELS, SPECS
from jaxdep.parity.reference import reference
from jaxdep.testing.weights import draw

ALL = [
    pytest.param(name, label, marks=pytest.mark.slow if label in spec.slow_variants else ())
    for name, spec in SPECS.items()
    for label in spec.variants
]


def reference_of(name, label="", only=()):
    variants = small(name)
    model = variants[label or next(iter(variants))]
    inputs = example_inputs(model, 2, 4)
    inputs = {key: x for key, x in inputs.items() if not only or key in only}
    return model, reference(model, inputs)


def state_of(name, label="", only=()):
    model, module = reference_of(name, label, only)
    return model, {key: x.numpy().copy() for key, x in module.state_dict().items()}


@pytest.mark.parametrize(("name", "label"), ALL)
def test_round_trip_is_exact(name, label):
    model, state = state_of(name, label)
    variables = parity.from_torch(model, state)
    # A count of batches, which neither side computes with.
    state = {key: x for key, x in state.items() if not key.endswith("num_batches_tracked")}
    back = parity.to_torch(model, variables)
    assert back.keys() == state.keys()
    for key, value in state.items():
        np.testing.assert_array_equal(back[key], value, strict=True)
    jax.tree.map(np.testing.assert_array_equal, parity.from_torch(model, back), variables)


@pytest.mark.parametrize("label", ["paper", "no inter-modal"])
def test_absent_knowledge_is_read_off_the_state(label):
    model, state = state_of("amm", label, ("text", "visual", "color"))
    back = parity.to_torch(model, parity.from_torch(model, state))
    assert back.keys() == state.keys()


@pytest.mark.parametrize("name", MODELS)
def test_state_of_a_fresh_flax_model_loads_into_the_reference(name):
    model, module = reference_of(name)
    inputs = example_inputs(model, 2, 4)
    variables = draw(model, inputs)
    state = {key: torch.as_tensor(x) for key, x in parity.to_torch(model, variables).items()}
    missing, surplus = module.load_state_dict(state, strict=False)
    assert not surplus
    assert all(key.endswith("num_batches_tracked") for key in missing)
    again = parity.from_torch(model, module.state_dict())
    jax.tree.map(np.testing.assert_array_equal, again, variables)


def test_every_fault_of_a_state_is_named():
    model, state = state_of("jamfn")
    state["conv_a.9.weight"] = np.zeros((1, 1, 1), np.float32)
    del state["classifier.bias"], state["conv_v.1.weight"]
    state["jaf.1.fc1.weight"] = np.zeros((2, 6), np.float32)
    state["bilstm_v.weight_hh_l1"] = state["bilstm_v.weight_hh_l1"].T
    with pytest.raises(ValueError, match="does not match JAMFN") as error:
        parity.from_torch(model, state)
    assert sorted(str(error.value).splitlines()[1:]) == [
        "! bilstm_v.weight_hh_l1 has shape (5, 20), expected (20, 5)",
        "! jaf.1.fc1.weight has shape (2, 6), expected (1, 6)",
        "+ conv_a.9.weight is unexpected",
        "- classifier.bias is missing",
        "- conv_v.1.weight is missing",
    ]


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("jamfn", "bilstm_a.weight_ih_l0"),
        ("jamfn", "jaf.0.fc3.weight"),
        ("amm", "text_gru.weight_ih_l0"),
        ("amm", "t2v.q.weight"),
    ],
)
def test_entry_that_shows_a_width_is_named(name, gone):
    model, state = state_of(name)
    with pytest.raises(ValueError, match=f"! {gone} has shape \\(7,\\)"):
        parity.from_torch(model, {**state, gone: np.zeros(7, np.float32)})
    del state[gone]
    with pytest.raises(ValueError, match=f"- {gone} is missing"):
        parity.from_torch(model, state)


def test_empty_state_is_said_to_miss():
    with pytest.raises(ValueError, match=r"- jaf\.0\.fc3\.weight is missing"):
        parity.from_torch(JAMFN(), {})
    with pytest.raises(ValueError, match=r"- text_gru\.weight_ih_l0 is missing"):
        parity.from_torch(AMM(), {})


def test_takes_tensors_and_parameters_and_shares_no_memory():
    model, module = reference_of("amm")
    before = parity.from_torch(model, {k: v.numpy() for k, v in module.state_dict().items()})
    variables = parity.from_torch(model, dict(module.named_parameters()))
    back = parity.to_torch(model, variables)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1.0)
    for value in back.values():
        value += 1.0
    jax.tree.map(np.testing.assert_array_equal, variables, before)


class Normed(fnn.Module):
    """One of each layer whose leaves are renamed or transposed."""

    @fnn.compact
    def __call__(self, x, train=False):
        x = fnn.Conv(5, (3,), padding=1, name="conv.0")(x)
        x = fnn.BatchNorm(not train, epsilon=1e-5, name="norm.bn")(x)
        x = fnn.LayerNorm(epsilon=1e-5, name="norm.ln")(x)
        return fnn.Dense(2, name="fc")(x)


def test_statistics_of_batches_are_carried_and_counters_ignored():
    norms = {"bn": torch.nn.BatchNorm1d(5), "ln": torch.nn.LayerNorm(5)}
    module: Any = torch.nn.ModuleDict(
        {
            "conv": torch.nn.ModuleList([torch.nn.Conv1d(4, 5, 3, padding=1)]),
            "norm": torch.nn.ModuleDict(norms),
            "fc": torch.nn.Linear(5, 2),
        }
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 6, 4)).astype(np.float32)
    with torch.no_grad():
        for value in module.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.as_tensor(rng.uniform(0.5, 1.5, value.shape)))
        module.eval()
        expected = module["norm"]["bn"](module["conv"][0](torch.as_tensor(x).mT)).mT
        expected = module["fc"](module["norm"]["ln"](expected))
    state = module.state_dict()
    assert "norm.bn.num_batches_tracked" in state
    variables = parity.from_torch(Normed(), state, x)
    model: Any = Normed()
    np.testing.assert_allclose(model.apply(variables, x), expected, atol=1e-5)
    back = parity.to_torch(Normed(), variables)
    assert back.keys() == state.keys() - {"norm.bn.num_batches_tracked"}
    for key, value in back.items():
        np.testing.assert_array_equal(value, state[key])


def test_a_model_of_unknown_widths_asks_for_inputs():
    with pytest.raises(ValueError, match="pass inputs= for this model"):
        parity.from_torch(Normed(), {"fc.weight": np.zeros((2, 5), np.float32)})
