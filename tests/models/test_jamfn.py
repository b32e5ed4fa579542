"""JAMFN: its two ways of computing, its options, its weights at the start."""

from functools import partial
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from variants import example_inputs

from jaxdep.models import JAMFN
from jaxdep.testing.weights import draw, program

SIZE: dict[str, Any] = {"hidden": 5, "layers": 1, "channels": 6}


def both(readout, masked, dtype):
    """Outputs and gradients of the folded and of the literal model on the same weights."""
    folded = JAMFN(**SIZE, readout=readout, masked=masked)
    inputs = example_inputs(folded, 3, 9)
    cast = lambda x: jnp.asarray(x, None if x.dtype == bool else dtype)
    inputs = jax.tree.map(cast, inputs)
    params = draw(folded, inputs)["params"]
    params = jax.tree.map(lambda leaf: cast(3 * leaf), params)

    def run(model):
        def loss(params):
            y = program(model)({"params": params}, inputs)["depression"]
            return jnp.sin(y).sum(), y

        return jax.jit(jax.grad(loss, has_aux=True))(params)

    return run(folded), run(folded.clone(folded=False))


@pytest.mark.parametrize(
    ("readout", "masked"),
    [
        ("sum", False),
        ("mean", True),
        pytest.param("sum", True, marks=pytest.mark.slow),
        pytest.param("mean", False, marks=pytest.mark.slow),
    ],
)
class TestFolded:
    @pytest.mark.slow
    def test_equals_literal(self, readout, masked):
        folded, literal = both(readout, masked, jnp.float32)
        chex.assert_trees_all_close(folded[1], literal[1], atol=1e-6, rtol=1e-6)
        chex.assert_trees_all_close(folded[0], literal[0], atol=2e-6, rtol=1e-5)

    def test_equals_literal_in_float64(self, readout, masked, x64):
        folded, literal = both(readout, masked, jnp.float64)
        chex.assert_trees_all_close(folded, literal, atol=1e-12, rtol=1e-12)


def test_weights_of_the_papers_size():
    model = JAMFN()
    shapes = jax.eval_shape(model.init, jax.random.key(0), example_inputs(model, 1, 596))["params"]
    assert set(shapes) == {
        *("bilstm_a", "bilstm_v", "classifier"),
        *(f"conv_{m}.{i}" for m in "av" for i in range(3)),
        *(f"jaf.{i}" for i in range(3)),
    }
    shape = lambda *path: jax.tree_util.tree_reduce(
        lambda _, x: x.shape, [shapes[path[0]][path[1]]], None
    )
    assert shape("bilstm_a", "weight_ih_l0") == (25, 800)
    assert shape("bilstm_v", "weight_ih_l0_reverse") == (136, 800)
    assert shape("bilstm_a", "weight_hh_l5") == (200, 800)
    assert shape("conv_v.2", "kernel") == (5, 200, 512)
    assert shapes["jaf.0"]["fc3"]["kernel"].shape == (1192, 1192)
    assert shapes["classifier"]["kernel"].shape == (512, 2)


def test_initial_weights_are_pytorchs_uniform():
    model = JAMFN(hidden=16, layers=2, channels=32)
    params = jax.jit(model.init)(jax.random.key(0), example_inputs(model, 1, 12))["params"]
    bounds = {
        ("bilstm_a", "weight_hh_l1"): 16**-0.5,
        ("conv_a.1", "kernel"): (3 * 16) ** -0.5,
        ("classifier", "kernel"): 32**-0.5,
    }
    for (module, name), bound in bounds.items():
        largest = float(np.abs(params[module][name]).max())
        assert 0.9 * bound < largest < bound, (module, name)


def test_two_lengths_are_refused():
    model = JAMFN(**SIZE)
    inputs = {"acoustic": np.zeros((2, 5, 25)), "visual": np.zeros((2, 6, 136))}
    with pytest.raises(ValueError, match="must have the same length; got 5 and 6"):
        draw(model, inputs)


def test_attention_is_given_by_name():
    model: Any = JAMFN(**SIZE, masked=True)
    inputs = example_inputs(model, 3, 9)
    variables = {"params": draw(model, inputs)["params"]}
    _, sown = jax.jit(partial(model.apply, mutable="intermediates"))(variables, inputs)
    for scale in range(3):
        weights = sown["intermediates"][f"jaf.{scale}"]
        for name, mask in (("A_A", "acoustic_mask"), ("A_V", "visual_mask")):
            np.testing.assert_allclose(weights[name][0].sum(1), 1, rtol=1e-5)
            assert not np.asarray(weights[name][0])[~inputs[mask]].any()
