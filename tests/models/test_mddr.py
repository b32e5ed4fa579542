"""MDDR's own options and shapes; what all models share is in tests/common."""

from functools import partial

import jax
import numpy as np
import pytest
from variants import example_inputs, small

from jaxdep.models import MDDR
from jaxdep.nn import alignment
from jaxdep.testing.weights import draw, program

SMALL = small("mddr")


def sown(model, inputs):
    variables = draw(model, inputs)
    apply = jax.jit(partial(model.apply, mutable=["intermediates"]))
    outputs, extra = apply(variables, inputs)
    return outputs, extra["intermediates"]


def test_weights_of_modalities_and_of_frames():
    inputs = example_inputs(SMALL["paper"], 3, 5)
    outputs, maps = sown(SMALL["paper"], inputs)
    assert outputs["depression"].shape == (3,)
    faa = [maps[f"faa/{modality}"][0] for modality in ("visual", "acoustic", "pose")]
    sea = maps["sea/frames"][0]
    assert {weights.shape for weights in faa} == {(3, 5)}
    np.testing.assert_allclose(sum(faa), 1, atol=1e-6)
    assert sea.shape == (3, 5)
    np.testing.assert_allclose(sea.sum(-1), 1, atol=1e-6)
    assert not np.asarray(sea)[~inputs["visual_mask"]].any()


@pytest.mark.parametrize(("label", "absent"), [("FAN", "sea"), ("SAN", "faa")])
def test_what_is_left_out_is_not_there(label, absent):
    model = SMALL[label]
    inputs = example_inputs(model, 2, 4)
    names = {"faa": "faa", "sea": "encoder"}
    params = draw(model, inputs)["params"]
    assert names[absent] not in params
    assert set(names.values()) - {names[absent]} <= set(params)


def test_the_papers_size():
    model = MDDR()
    shapes = {"visual": (1, 144, 2048), "acoustic": (1, 6000, 1024), "pose": (1, 144, 12)}
    inputs = {name: jax.ShapeDtypeStruct(shape, np.float32) for name, shape in shapes.items()}
    params = jax.eval_shape(lambda x: model.init(jax.random.key(0), x), inputs)["params"]
    layer = 4 * 512 * 512 + 4 * 512 + 2 * 512 * 2048 + 2048 + 512 + 4 * 512
    counted = sum(np.prod(x.shape) for x in jax.tree.leaves(params["encoder"]))
    assert counted == 6 * layer


def test_one_second_of_voice_is_one_row():
    """Strides of 5, 5 and 2 make one row of 50; the first takes 80 frames."""
    model = SMALL["acoustic"]
    for frames, rows in ((80, 1), (130, 2), (6000, 119)):
        inputs = {"acoustic": np.zeros((1, frames, 15), np.float32)}
        shapes = jax.eval_shape(
            lambda x: model.init_with_output(jax.random.key(0), x, mutable=True)[1], inputs
        )
        assert shapes["intermediates"]["faa/acoustic"][0].shape == (1, rows)
    with pytest.raises(ValueError, match="79 frames of acoustic are too few"):
        draw(model, {"acoustic": np.zeros((1, 79, 15), np.float32)})


def test_a_voice_too_short_for_one_row_is_silent():
    """Beside a face, it counts as no voice at all."""
    model = SMALL["paper"]
    inputs = example_inputs(model, 2, 4, masked=False)
    variables = draw(model, inputs)
    short = program(model)(variables, {**inputs, "acoustic": inputs["acoustic"][:, :79]})
    assert np.isfinite(short["depression"]).all()


def test_modalities_that_do_not_exist():
    for modalities in (("face",), ()):
        with pytest.raises(ValueError, match="one or more of visual, acoustic, pose"):
            SMALL["paper"].clone(modalities=modalities)


@pytest.mark.parametrize("setting", [{"strides": (5, 5)}, {"kernels": (3,)}, {"filters": (8,)}])
def test_as_many_strides_as_kernels(setting):
    with pytest.raises(ValueError, match="one entry for each acoustic convolution"):
        SMALL["paper"].clone(**setting)


def test_a_voice_longer_than_the_face_is_cut_before_it_is_read():
    """Behind the face's length nothing is computed: what stands there reaches no gradient."""
    model = SMALL["paper"]
    inputs = example_inputs(model, 2, 4, masked=False)
    rows = alignment.receptive_field(4, model.kernels, model.strides)
    assert rows == 80 + 3 * 50
    variables = draw(model, inputs)

    def loss(params, voice):
        outputs = program(model)({"params": params}, {**inputs, "acoustic": voice})
        return outputs["depression"].sum()

    spoiled = inputs["acoustic"].copy()
    spoiled[:, rows:] = np.nan
    found, expected = (
        jax.value_and_grad(loss)(variables["params"], voice)
        for voice in (spoiled, inputs["acoustic"])
    )
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_the_face_sets_the_length_whatever_the_order():
    inputs = example_inputs(SMALL["paper"], 3, 5)
    variables = {"params": draw(SMALL["paper"], inputs)["params"]}
    expected = program(SMALL["paper"])(variables, inputs)["depression"]
    for order in (("pose", "visual", "acoustic"), ("acoustic", "pose", "visual")):
        found = program(SMALL["paper"].clone(modalities=order))(variables, inputs)["depression"]
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("align", ["pad", "resample"])
def test_an_absent_modality_takes_no_weight(align):
    """In the softmax over modalities; what its arrays hold changes nothing."""
    model = SMALL["paper"].clone(align=align)
    inputs = example_inputs(model, 3, 5)
    inputs["acoustic_mask"] = np.zeros_like(inputs["acoustic_mask"])
    outputs, maps = sown(model, inputs)
    real = inputs["visual_mask"]
    assert not np.asarray(maps["faa/acoustic"][0]).any()
    face, head = (np.asarray(maps[f"faa/{name}"][0]) for name in ("visual", "pose"))
    np.testing.assert_allclose((face + head)[real], 1, rtol=1e-6)
    assert np.isfinite(outputs["depression"]).all()
