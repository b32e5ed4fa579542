"""The audio-visual baseline networks: their inputs, modalities, sizes and refusals."""

from functools import partial
from typing import Any

import chex
import jax
import numpy as np
import pytest

from jaxdep.models import MODELS
from jaxdep.testing.weights import draw, program

SMALL: dict[str, dict[str, Any]] = {
    "blstm": {"hidden": 3},
    "tfn": {"hidden": 3, "post": 4},
    "feature_fusion": {"hidden": 4, "layers": 1, "heads": 2, "feed_forward": 4},
    "depression_detector": {"hidden": 4, "layers": 1, "heads": 2, "feed_forward": 4},
    "tamfn": {"channels": 3, "layers": 1, "kernel_size": 2},
}
# The detector encodes and reads its inputs by the same code as the fusion.
EACH = [
    pytest.param(name, marks=pytest.mark.slow if name == "feature_fusion" else ()) for name in SMALL
]
LAST_LAYER = {name: "fc.6" if name == "tfn" else "fc.3" for name in SMALL}

# Numbers of parameters with the default fields and the widths of D-Vlog, by hand: sums over the
# matrices and biases of the specification.
PARAMETERS = [
    ("blstm", {}, 497_026),
    ("tfn", {}, 165_730),
    ("feature_fusion", {}, 583_938),
    ("feature_fusion", {"fusion": "multiply"}, 567_554),
    ("depression_detector", {}, 816_130),
    ("depression_detector", {"aggregation": "concat"}, 815_874),
    ("tamfn", {}, 658_042),
]


def small(name, **fields):
    return MODELS[name](**SMALL[name], **fields)


def ragged(seed=0, batch=2, length=4):
    """Voice and face of one length; the first recording is short in voice, the second in face."""
    rng = np.random.default_rng(seed)
    inputs: dict[str, Any] = {
        name: rng.normal(size=(batch, length, width)).astype(np.float32)
        for name, width in (("acoustic", 2), ("visual", 3))
    }
    for row, name in enumerate(("acoustic", "visual")):
        mask = np.ones((batch, length), bool)
        mask[row, 2:] = False
        inputs[f"{name}_mask"] = mask
    return inputs


def close(a, b):
    chex.assert_trees_all_close(a, b, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", EACH)
class TestInputs:
    def test_added_frames_of_nan_change_nothing(self, name):
        model, inputs = small(name), ragged()
        variables = draw(model, inputs)
        longer = {
            key: np.pad(
                x,
                ((0, 0), (0, 2), (0, 0))[: x.ndim],
                constant_values=False if x.dtype == bool else np.nan,
            )
            for key, x in inputs.items()
        }
        close(program(model)(variables, longer), program(model)(variables, inputs))

    def test_no_mask_is_a_mask_of_real_frames(self, name):
        model, inputs = small(name), ragged()
        variables = draw(model, inputs)
        full = {k: np.ones_like(x) if k.endswith("_mask") else x for k, x in inputs.items()}
        bare = {k: x for k, x in inputs.items() if not k.endswith("_mask")}
        close(program(model)(variables, full), program(model)(variables, bare))

    def test_a_vector_is_one_real_frame(self, name):
        model, inputs = small(name), ragged(length=1)
        inputs = {key: x for key, x in inputs.items() if not key.endswith("_mask")}
        variables = draw(model, inputs)
        vectors = {key: x[:, 0] for key, x in inputs.items()}
        vectors["visual_mask"] = np.zeros((2, 1), bool)  # of no sequence, so not read
        close(program(model)(variables, vectors), program(model)(variables, inputs))

    def test_bytes_are_divided_by_255(self, name):
        model, inputs = small(name), ragged()
        variables = draw(model, inputs)
        pixels = np.random.default_rng(1).integers(0, 256, inputs["visual"].shape, np.uint8)
        as_bytes = program(model)(variables, {**inputs, "visual": pixels})
        as_floats = {**inputs, "visual": pixels.astype(np.float32) / 255}
        close(as_bytes, program(model)(variables, as_floats))

    def test_one_modality_does_not_read_the_other(self, name):
        model, inputs = small(name, modalities=("visual",), classes=None, task="score"), ragged()
        variables = draw(model, inputs)
        alone = {key: x for key, x in inputs.items() if key.startswith("visual")}
        outputs = program(model)(variables, alone)
        assert outputs["score"].shape == (2,)
        close(program(model)(variables, inputs), outputs)

    def test_without_weights_the_last_layer_gives_its_bias(self, name):
        model, inputs = small(name), ragged()
        variables = draw(model, inputs)
        last = variables["params"][LAST_LAYER[name]]
        last["kernel"] = np.zeros_like(last["kernel"])
        outputs = program(model)(variables, inputs)["depression"]
        np.testing.assert_allclose(outputs, [last["bias"]] * 2, atol=1e-6)

    def test_refusals(self, name):
        inputs = ragged()
        init = lambda inputs, **fields: jax.eval_shape(
            small(name, **fields).init, jax.random.key(0), inputs
        )
        with pytest.raises(ValueError, match="without repetition; got \\(\\)"):
            init(inputs, modalities=())
        with pytest.raises(ValueError, match="without repetition"):
            init(inputs, modalities=("visual", "visual"))
        with pytest.raises(ValueError, match=r"got 'a\.b'"):
            init(inputs, modalities=("a.b",))
        with pytest.raises(ValueError, match="requires inputs\\['text'\\]"):
            init(inputs, modalities=("text",))
        with pytest.raises(ValueError, match=r"\[batch, time, feature\] or \[batch, feature\]"):
            init({**inputs, "visual": np.zeros((2, 3, 1, 1))})
        with pytest.raises(ValueError, match="must be floating point or uint8; got int32"):
            init({**inputs, "visual": np.zeros((2, 4, 3), np.int32)})


def test_bytes_take_the_type_of_the_parameters(x64):
    model, inputs = small("tfn"), ragged()
    inputs |= {"acoustic": np.full((2, 4, 2), 7, np.uint8)}
    inputs |= {"visual": np.full((2, 4, 3), 7, np.uint8)}
    variables = draw(model, inputs)
    for dtype in (np.float32, np.float64):
        weights = jax.tree.map(dtype, variables)
        outputs = jax.eval_shape(model.apply, weights, inputs)
        assert outputs["depression"].dtype == dtype


@pytest.mark.parametrize(("name", "fields", "number"), PARAMETERS)
def test_number_of_parameters(name, fields, number):
    inputs = {"acoustic": np.zeros((1, 2, 25)), "visual": np.zeros((1, 2, 136))}
    shapes = jax.eval_shape(MODELS[name](**fields).init, jax.random.key(0), inputs)["params"]
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == number


def test_lengths_may_differ_except_in_tamfn():
    inputs = {"acoustic": np.zeros((2, 4, 2)), "visual": np.zeros((2, 6, 3))}
    for name in SMALL:
        init = partial(jax.eval_shape, small(name).init, jax.random.key(0), inputs)
        if name != "tamfn":
            init()
            continue
        with pytest.raises(ValueError, match="same length; got acoustic 4, visual 6 frames"):
            init()


def test_tamfn_needs_the_name_of_its_joint_stream():
    model = small("tamfn", modalities=("joint",))
    with pytest.raises(ValueError, match="other than 'joint'"):
        draw(model, {"joint": np.zeros((2, 4, 3))})


def test_heads_must_divide_the_width():
    for name in ("feature_fusion", "depression_detector"):
        with pytest.raises(ValueError, match="multiple of heads=3"):
            draw(small(name).clone(heads=3), ragged())


def test_one_modality_of_the_detector_is_one_of_the_fusion():
    fields = {"modalities": ("visual",)}
    detector, fusion = small("depression_detector", **fields), small("feature_fusion", **fields)
    inputs = ragged()
    variables = draw(detector, inputs)
    close(program(detector)(variables, inputs), program(fusion)(variables, inputs))


def test_a_missing_modality_is_neutral():
    """Adding nothing and multiplying by one leave the encoding of the other modality."""
    inputs = ragged()
    inputs["acoustic_mask"][:] = False
    outputs = {}
    for kind in ("add", "multiply"):
        model = small("feature_fusion", fusion=kind)
        variables = draw(model, inputs)
        outputs[kind] = program(model)(variables, inputs)
    close(outputs["add"], outputs["multiply"])
