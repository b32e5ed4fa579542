"""Text and image baselines: their sizes, what they read, and what they refuse."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdep.errors import ModelError
from jaxdep.models.baselines.bert import BERT
from jaxdep.models.baselines.bigru import BiGRU
from jaxdep.models.baselines.dcnn import DCNN
from jaxdep.models.baselines.han import HAN
from jaxdep.models.baselines.mha_bilstm import MHABiLSTM
from jaxdep.models.baselines.mult import MulT
from jaxdep.models.baselines.rcnn import RCNN
from jaxdep.testing.weights import draw, program

ALL = (BiGRU, HAN, MHABiLSTM, DCNN, BERT, RCNN, MulT)
MEANS: Any = BERT()
THREE = ("text", "visual", "color")


def shapes(model, **widths):
    """Shapes of a model's parameters; all inputs are short sequences."""
    inputs = {name: np.zeros((2, 3, width), np.float32) for name, width in widths.items()}
    return jax.eval_shape(lambda: model.init(jax.random.key(0), inputs))["params"]


def parameters(model, **widths):
    return sum(leaf.size for leaf in jax.tree.leaves(shapes(model, **widths)))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (BiGRU(), 1_380_354),
        (HAN(), 624_402),
        (MHABiLSTM(), 1_914_882),
        (DCNN(), 919_298),
        (BERT(), 3_074),
        (RCNN(), 830_202),
        (MulT(), 473_762),
    ],
    ids=lambda value: type(value).__name__,
)
def test_number_of_parameters_at_the_default_size(model, expected):
    assert parameters(model, text=768, visual=768) == expected


@pytest.mark.slow
def test_number_of_parameters_of_mult_with_one_and_three_modalities():
    assert parameters(MulT(modalities=("text",)), text=768) == 154_722
    assert parameters(MulT(modalities=THREE), **dict.fromkeys(THREE, 10)) == 1_294_202


def test_mult_joins_each_ordered_pair_of_modalities():
    model = MulT(modalities=THREE, cross_layers=1, memory_layers=1)
    keys = shapes(model, **dict.fromkeys(THREE, 10))
    names = {key for key in keys if key.startswith("cross.")}
    assert names == {f"cross.{s}_to_{t}" for s in THREE for t in THREE if s != t}


def test_mult_needs_heads_that_divide_the_width():
    with pytest.raises(ModelError, match="multiple of heads"):
        MulT(features=10, heads=4)


def test_dcnn_is_shallow_for_texts_and_deep_for_all_others():
    keys = shapes(DCNN(modalities=THREE), **dict.fromkeys(THREE, 4))
    depth = {name: sum(key.startswith(f"conv.{name}.") for key in keys) for name in THREE}
    assert depth == {"text": 2, "visual": 6, "color": 6}


def test_segments_of_han_begin_anew():
    """Words of the second sentence leave the attention to words of the first as it is."""
    model = HAN(hidden=3, attention=2, segment=3, modalities=("text",))
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    variables = draw(model, {"text": x})
    apply = jax.jit(lambda inputs: model.apply(variables, inputs, mutable=["intermediates"])[1])
    words = lambda x: apply({"text": x})["intermediates"]["alpha_word_text"][0]
    before, after = words(x), words(x + (np.arange(5) > 2)[:, None].astype(np.float32))
    np.testing.assert_array_equal(before[:, 0], after[:, 0])
    assert (before[:, 1, :2] != after[:, 1, :2]).all()
    np.testing.assert_array_equal(before[:, 1, 2], 0)  # the second sentence has two words


@pytest.fixture(scope="module")
def bert():
    inputs = {
        "text": np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32),
        "visual": np.random.default_rng(1).integers(0, 256, (2, 5), np.uint8),
    }
    return inputs, draw(MEANS, inputs)


def test_a_vector_is_one_real_frame_whatever_its_mask_says(bert):
    inputs, variables = bert
    frame = {**inputs, "visual": inputs["visual"][:, None]}
    masked = {**inputs, "visual_mask": np.zeros((2, 1), bool)}
    expected = program(MEANS)(variables, frame)
    for other in (inputs, masked):
        chex.assert_trees_all_equal(program(MEANS)(variables, other), expected)


def test_bytes_are_read_as_fractions(bert):
    inputs, variables = bert
    fractions = {**inputs, "visual": inputs["visual"].astype(np.float32) / 255}
    found = program(MEANS)(variables, inputs)
    chex.assert_trees_all_close(found, program(MEANS)(variables, fractions), rtol=1e-6)


def test_integers_are_refused(bert):
    inputs, variables = bert
    with pytest.raises(ModelError, match="floating point or uint8"):
        MEANS.apply(variables, {**inputs, "visual": np.ones((2, 5), np.int32)})


@pytest.mark.parametrize("network", ALL)
@pytest.mark.parametrize("modalities", [(), ("text", "text"), ("text", "a.b")])
def test_modalities_are_names_and_none_is_repeated(network, modalities):
    model = network(modalities=modalities)
    inputs = {"text": jnp.zeros((1, 1, 2)), "a.b": jnp.zeros((1, 2))}
    with pytest.raises(ModelError, match="modalit"):
        jax.eval_shape(model.init, jax.random.key(0), inputs)
