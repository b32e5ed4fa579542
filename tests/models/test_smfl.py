"""SMFL: the paper's network looks back only; the released one has the published one's oddities."""

from functools import partial
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from variants import example_inputs, small

from jaxdep.models import SMFL, SMFLReleased, modalities_of
from jaxdep.models.inputs import MODALITIES
from jaxdep.models.modalities import without
from jaxdep.models.spec import without_dropout
from jaxdep.nn.convolution import TCN
from jaxdep.testing.weights import draw, program

RELEASED: Any = SMFLReleased()
SMALL = small("smfl") | {"released": small("smfl_released")["published"]}


def inputs_of(model, length=6, batch=3, **how):
    return example_inputs(model, batch, length, **how)


def test_released_has_the_published_number_of_parameters():
    inputs = inputs_of(RELEASED, masked=False)
    inputs["acoustic"] = np.zeros((3, 20, 513), np.float32)
    inputs["visual"] = np.zeros((3, 20, 204), np.float32)
    shapes = jax.eval_shape(lambda: RELEASED.init(jax.random.key(0), inputs))
    size = sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))
    assert size == 53_060


def test_released_ignores_sentence_22_onwards():
    inputs = inputs_of(RELEASED, length=26, masked=False)
    variables = draw(RELEASED, inputs)
    first = {**inputs, "sentences": inputs["sentences"][:, :21]}
    chex.assert_trees_all_equal(
        program(RELEASED)(variables, inputs), program(RELEASED)(variables, first)
    )
    cut = {**inputs, "sentences": inputs["sentences"][:, :20]}
    assert (
        program(RELEASED)(variables, cut)["depression"]
        != program(RELEASED)(variables, first)["depression"]
    ).any()


@pytest.mark.parametrize("label", ["paper", "released"])
@pytest.mark.parametrize("absent", MODALITIES)
def test_windows_of_an_absent_modality_tell_nothing(label, absent):
    """They stay in `sentences`, whose other columns the model goes on reading."""
    model = without_dropout(SMALL[label])
    whole = inputs_of(model)
    inputs = without(whole, modalities_of(model), [absent])
    variables = draw(model, whole)
    run = lambda inputs: program(model)(variables, inputs)["depression"]
    column = 2 * MODALITIES.index(absent)
    other = inputs["sentences"].copy()
    other[..., column : column + 2] = [0, 2]
    np.testing.assert_array_equal(run({**inputs, "sentences": other}), run(inputs))
    assert (run({**whole, "sentences": other}) != run(whole)).any()


def test_released_reads_the_last_sentence_of_face_and_words_alone():
    """Unless its history is mended."""
    inputs = inputs_of(RELEASED, masked=False)
    other = {**inputs, "text": inputs["text"].copy()}
    other["text"][:, 0] += 1  # the first sentence's words also reach the fused stream
    table = inputs["sentences"].copy()
    table[:, 0, 2:4] = 0  # the first sentence has no frame of the face
    blind = {**inputs, "sentences": table}
    for mended in (False, True):
        model = RELEASED.clone(fix_history=mended)
        variables = draw(model, inputs)
        variables = {**variables, "params": dict(variables["params"])}
        fused = variables["params"]["linear"]
        kernel = fused["kernel"].copy()
        kernel[24:] = 0  # leave the fused stream out
        variables["params"]["linear"] = {**fused, "kernel": kernel}
        outputs = program(model)(variables, inputs)["depression"]
        for changed in (blind, other):
            same = np.allclose(outputs, program(model)(variables, changed)["depression"], atol=1e-7)
            assert same is not mended


def test_without_sentences_the_face_alone_is_read():
    model = SMALL["released"]
    inputs = inputs_of(model)
    variables = draw(model, inputs)
    inputs["sentences_mask"] = np.zeros_like(inputs["sentences_mask"])
    outputs = program(model)(variables, inputs)["depression"]
    changed = {**inputs, "acoustic": inputs["acoustic"] + 1, "text": inputs["text"] + 1}
    chex.assert_trees_all_equal(outputs, program(model)(variables, changed)["depression"])
    face = {**inputs, "visual": inputs["visual"] + 1}
    assert (outputs != program(model)(variables, face)["depression"]).all()


@pytest.mark.parametrize("label", ["paper", "released"])
def test_frames_behind_the_last_sentence_are_not_read(label):
    model = SMALL[label]
    inputs = inputs_of(model, masked=False)
    table = inputs["sentences"]
    last = {"acoustic": int(table[..., 1].max()), "visual": int(table[..., 3].max())}
    variables = draw(model, inputs)
    later = dict(inputs)
    for name, end in last.items():
        extra = np.ones((3, 4, inputs[name].shape[-1]), np.float32)
        later[name] = np.concatenate([inputs[name][:, :end], extra], 1)
    chex.assert_trees_all_close(
        program(model)(variables, inputs), program(model)(variables, later), atol=1e-6
    )


def test_permuted_tokens_change_nothing():
    model = SMALL["paper"].clone(dropout=0.0)
    inputs = inputs_of(model)
    variables = draw(model, inputs)
    key = {"dropout": jax.random.key(3)}
    run = lambda model: jax.jit(partial(model.apply, train=True))(variables, inputs, rngs=key)
    chex.assert_trees_all_close(run(model), run(model.clone(permute=True)), atol=1e-6)


def test_no_more_than_the_limit_of_sentences_is_read():
    model = SMALL["paper"]
    inputs = inputs_of(model, length=8, masked=False)
    variables = draw(model, inputs)
    cut = {**inputs, "sentences": inputs["sentences"][:, : model.max_sentences]}
    chex.assert_trees_all_equal(program(model)(variables, inputs), program(model)(variables, cut))


def test_embeddings_of_another_width_are_refused_by_the_released_network():
    inputs = inputs_of(RELEASED)
    inputs["text"] = inputs["text"][..., :700]
    with pytest.raises(ValueError, match="768 features; got 700"):
        draw(RELEASED, inputs)


def test_unknown_modality():
    with pytest.raises(ValueError, match="modalities must be one or more of"):
        SMFL(modalities=("pose",))


def test_mixture_of_cmjat_begins_at_three_to_one():
    model = SMALL["paper"]
    params = jax.jit(model.init)(jax.random.key(0), inputs_of(model))["params"]
    mixture = jax.nn.softmax(jnp.asarray(params["cmjat_visual"]["mixture"]))
    np.testing.assert_allclose(mixture, [0.75, 0.25], atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"modalities": ("acoustic",)}, "cmjat_targets must be visual or acoustic"),
        ({"modalities": ("acoustic", "visual")}, "require text in modalities"),
        ({"cmjat_targets": ("text",)}, "cmjat_targets must be visual or acoustic"),
        ({"cmjat_targets": ("visual", "visual")}, "without repetition"),
        ({"cmjat_targets": (), "cmjat_head": True}, "requires cmjat_targets"),
        ({"pooling": "mean"}, "set model.split=False"),
    ],
)
def test_settings_that_do_not_go_together(fields, message):
    with pytest.raises(ValueError, match=message):
        SMALL["paper"].clone(**fields)


def test_cmjat_strengthens_voice_or_face():
    """The paper names both as weak modalities; each target has weights of its own."""
    inputs = inputs_of(SMALL["paper"])
    for targets in (("visual",), ("acoustic",), ("visual", "acoustic")):
        model = SMALL["paper"].clone(cmjat_targets=targets)
        params = draw(model, inputs)["params"]
        assert {name for name in params if name.startswith("cmjat")} == {
            f"cmjat_{target}" for target in targets
        }


def test_a_strengthened_modality_may_predict_by_itself():
    model = SMALL["paper"].clone(cmjat_head=True)
    inputs = inputs_of(model)
    outputs, _ = jax.eval_shape(model.init_with_output, jax.random.key(0), inputs)
    assert {task: y.shape for task, y in outputs.items()} == {
        "depression": (3, 2),
        "cmjat_visual": (3, 2),
    }


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_how_far_back_a_whole_recording_is_read(pooling):
    """The last frame depends on the last 13 frames alone, the mean on all."""
    model = SMALL["TCN (all)"].clone(pooling=pooling, dropout=0.0)
    assert TCN(model.channels, model.layers, model.kernel).receptive_field == 13
    inputs = inputs_of(model, length=5, batch=1, masked=False)
    variables = draw(model, inputs)
    end = int(inputs["sentences"][..., 1].max())
    early = {**inputs, "acoustic": inputs["acoustic"].copy()}
    early["acoustic"][:, : end - 13] += 3
    first, second = (program(model)(variables, x)["depression"] for x in (inputs, early))
    assert bool((first != second).any()) is (pooling == "mean")


def test_the_last_layer_reads_the_modalities_in_the_papers_order():
    """Whatever the order of `modalities`: its weights are those of the same vectors."""
    inputs = inputs_of(SMALL["paper"])
    model = SMALL["paper"].clone(dropout=0.0)
    turned = model.clone(modalities=("text", "visual", "acoustic"))
    params = dict(draw(model, inputs)["params"])
    expected = program(model)({"params": params}, inputs)["depression"]
    # The fusion's weights follow the order in which modalities are named; turn them likewise.
    kernel = params["fusion"]["kernel"].reshape(3, model.channels, -1)[::-1]
    fusion = {**params["fusion"], "kernel": kernel.reshape(-1, model.channels)}
    found = program(turned)({"params": params | {"fusion": fusion}}, inputs)["depression"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
