"""AMM: which modalities and tasks it takes, and what its attention says."""

from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
from variants import example_inputs

from jaxdep.errors import ModelError
from jaxdep.models import AMM
from jaxdep.testing.weights import draw

SIZE: dict[str, Any] = {
    "text_hidden": 4,
    "visual_hidden": 6,
    "features": 8,
    "heads": 2,
    "task_hidden": 5,
    "dropout": 0.0,
}


def model_and_inputs(**fields) -> tuple[Any, dict[str, Any]]:
    model = AMM(**SIZE, **fields)
    inputs = example_inputs(model, 3, 5)
    return model, inputs


@pytest.mark.parametrize("modality", ["text", "visual"])
def test_one_modality_attends_to_itself_and_reads_no_other(modality):
    model, inputs = model_and_inputs(modalities=(modality,))
    outputs, variables = jax.jit(model.init_with_output)(jax.random.key(0), inputs)
    assert outputs["depression"].shape == (3, 2)
    assert outputs["emotion"].shape == (3, 6)
    ways = {"t2v", "v2t"} & set(variables["params"])
    assert ways == ({"t2v"} if modality == "text" else {"v2t"})
    single = {name: x for name, x in inputs.items() if name.startswith(modality)}
    single |= {"gender": inputs["gender"]} if modality == "text" else {"color": inputs["color"]}
    alone = jax.jit(model.apply)({"params": variables["params"]}, single)
    for task, logits in outputs.items():
        np.testing.assert_array_equal(alone[task], logits)


@pytest.mark.parametrize("absent", ["text", "visual"])
def test_a_corpus_without_a_modality_is_refused(absent):
    model, inputs = model_and_inputs()
    del inputs[absent]
    with pytest.raises(ValueError, match=rf"requires inputs\['{absent}'\].*remove {absent} from"):
        draw(model, inputs)


def test_knowledge_vectors_are_optional_and_matter():
    model, inputs = model_and_inputs()
    without = {n: x for n, x in inputs.items() if n not in ("gender", "color")}
    variables = draw(model, inputs)
    narrower = draw(model, without)
    wide, narrow = (v["params"]["t2v"]["q"]["kernel"].shape[0] for v in (variables, narrower))
    assert wide == narrow + 5
    changed = {**inputs, "gender": inputs["gender"] + 1}
    before, after = (jax.jit(model.apply)(variables, x)["depression"] for x in (inputs, changed))
    assert np.abs(before - after).max() > 1e-6


def test_tasks_read_one_another():
    """Each task queries the states of the other, unless that is cut."""
    for inter_task in (True, False):
        model, inputs = model_and_inputs(inter_task=inter_task)
        params = draw(model, inputs)["params"]
        loss = lambda lstm, p=params, m=model, x=inputs: m.apply(
            {"params": {**p, "lstm_emo": lstm}}, x
        )["depression"].sum()
        gradient = jax.jit(jax.grad(loss))(params["lstm_emo"])
        reached = bool(np.abs(gradient["weight_ih_l0"]).max() > 0)
        assert reached == inter_task


def test_attention_is_given_by_name():
    model, inputs = model_and_inputs()
    variables = {"params": draw(model, inputs)["params"]}
    _, sown = jax.jit(partial(model.apply, mutable="intermediates"))(variables, inputs)
    found = sown["intermediates"]
    for modality in ("text", "visual"):
        alpha = np.asarray(found[f"alpha_{modality}"][0])
        np.testing.assert_allclose(alpha.sum(1), 1, rtol=1e-5)
        assert not alpha[~inputs[f"{modality}_mask"]].any()
    between = np.asarray(found["t2v"]["attention"][0])
    assert between.shape == (3, 2, 5, 6)
    np.testing.assert_allclose(between.sum(-1), 1, rtol=1e-5)
    assert {"attention_depression", "attention_emotion"} <= set(found)


def test_tasks_are_data():
    model, inputs = model_and_inputs(tasks={"mood": 3})
    outputs, variables = jax.jit(model.init_with_output)(jax.random.key(0), inputs)
    assert outputs["mood"].shape == (3, 3)
    assert {"lstm_moo", "classifier.moo"} <= set(variables["params"])


@pytest.mark.parametrize(
    ("tasks", "message"),
    [({}, "must not be empty"), ({"a": 2, "b": 2, "c": 2}, "attention requires two tasks")],
)
def test_tasks_that_cannot_be_are_refused(tasks, message):
    with pytest.raises(ModelError, match=message):
        draw(*model_and_inputs(tasks=tasks))


def test_initial_weights_are_the_papers():
    """Uniform in (-0.1, 0.1), biases zero."""
    model, inputs = model_and_inputs()
    params = jax.jit(model.init)(jax.random.key(0), inputs)["params"]
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        if "bias" in jax.tree_util.keystr(path):
            assert not leaf.any()
        else:
            assert 0 < np.abs(leaf).max() < 0.1
