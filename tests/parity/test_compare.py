"""Agreement with the PyTorch references, and that disagreement would be seen."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from jaxdep import parity
from jaxdep.errors import UserError
from jaxdep.models import JAMFN, SPECS
from jaxdep.models.spec import Case
from jaxdep.parity import compare

FLOAT32, FLOAT64 = ("float32",), ("float64",)
OPTIMISED = [
    ("jamfn", "masked", FLOAT32),
    pytest.param("jamfn", "batch of 5", FLOAT64, marks=pytest.mark.slow),
    ("amm", "paper", FLOAT32),
    pytest.param("mddr", "resampled", FLOAT32, marks=pytest.mark.slow),
    pytest.param("smfl", "paper", FLOAT64, marks=pytest.mark.slow),
    pytest.param("depformer", "paper", FLOAT64, marks=pytest.mark.slow),
]


def case_of(name, label):
    return next(case for case in SPECS[name].cases() if case.label == label)


@pytest.mark.parametrize(("name", "label", "dtypes"), OPTIMISED)
def test_optimisation_is_within_the_bars(name, label, dtypes):
    rows = compare.compare(case_of(name, label), dtypes)
    assert {row.quantity for row in rows} == set(compare.TOLERANCES[dtypes[0]])
    assert not [row for row in rows if not row.ok]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "label"), [(name, case.label) for name, spec in SPECS.items() for case in spec.cases()]
)
def test_every_case(name, label):
    """Each variant in both precisions and with updates; shapes and masks beside it in float64."""
    if label in SPECS[name].variants:
        rows = compare.compare(case_of(name, label))
        expected = {"outputs", "gradients", "losses", "parameters"}
    else:
        rows = compare.compare(case_of(name, label), FLOAT64, steps=0)
        expected = {"outputs", "gradients"}
    assert {row.quantity for row in rows} == expected
    assert not [row for row in rows if not row.ok]


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_the_papers_size(name):
    rows = compare.compare(SPECS[name].paper_size(), steps=0)
    assert {row.quantity for row in rows} == {"outputs", "gradients"}
    assert not [row for row in rows if not row.ok]


@pytest.mark.parametrize("name", SPECS)
def test_the_full_comparison_leaves_no_case_out(name, monkeypatch):
    compared = []
    monkeypatch.setattr(compare, "compare", lambda case, **how: compared.append(case.label) or [])
    compare.run(name, full=True)
    assert compared == [case.label for case in SPECS[name].cases()] + ["the paper's size"]


@pytest.mark.parametrize("name", SPECS)
def test_cases_reach_every_edge(name):
    cases = SPECS[name].cases()
    assert len({case.label for case in cases}) == len(cases)
    assert {case.masked for case in cases} == {True, False}
    if not SPECS[name].mixes_examples:  # which may read its examples in pairs
        assert {1, 3, 5} <= {case.batch for case in cases}
    assert any(case.length == 1 for case in cases)
    inputs = SPECS[name].case_inputs(case_of(name, "empty row"))
    present: Any = next(x for key, x in inputs.items() if key.endswith("_mask")).any(1)
    assert present[:-1].all()
    assert not present[-1]


@pytest.fixture
def probe():
    model = JAMFN(hidden=3, layers=1, channels=4, scales=(3,), masked=True)
    return Case("probe", model, batch=2, length=5)


def perturbed(state):
    name = "jaf.0.fc3.weight"
    weight = state[name].copy()
    weight[1, 2] += 1e-6
    return {**state, name: weight}


def permuted(state):
    """Gates in the order i, g, f, o, as some libraries have them."""
    name = "bilstm_a.weight_hh_l0"
    i, f, g, o = np.split(state[name], 4)
    return {**state, name: np.concatenate([i, g, f, o])}


@pytest.mark.parametrize("fault", [perturbed, permuted])
def test_a_fault_in_the_weights_is_seen(probe, monkeypatch, fault):
    before = compare.compare(probe, FLOAT64, steps=0)
    assert all(row.ok for row in before)
    faulty = lambda model, state, inputs: parity.from_torch(model, fault(state), inputs)
    monkeypatch.setattr(compare, "from_torch", faulty)
    after = compare.compare(probe, FLOAT64, steps=0)
    assert not any(row.ok for row in after)


def test_decoupled_weight_decay_is_seen(probe, monkeypatch):
    ours = lambda config, *epoch: build(replace(config, name="adamw"), *epoch)
    build = compare.optimizer.build
    monkeypatch.setattr(compare.optimizer, "build", ours)
    rows = compare.compare(probe, FLOAT64)
    assert {row.quantity for row in rows if not row.ok} == {"losses", "parameters"}


def test_not_a_number_is_a_failure_and_is_shown():
    rows = [
        compare.Row("jamfn", "probe", "outputs", "float32", worst, 1e-5)
        for worst in (0.0, float("nan"))
    ]
    assert [row.ok for row in rows] == [True, False]
    text = io.StringIO()
    compare.show(rows, Console(file=text, width=140))
    assert "FAILED" in text.getvalue()


def test_unknown_model():
    with pytest.raises(UserError, match="choose one of jamfn, amm"):
        compare.run("vgg")
