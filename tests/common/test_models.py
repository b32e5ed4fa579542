"""Batteries that every model of the registry passes, in every variant."""

import json
from functools import cache

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdep.experiment import to_json
from jaxdep.models import MODELS, examples

# What other variants of the same model pass line by line, too.
MORE = {
    "smfl": {
        "scaled",
        "TCN (all)",
        "LSTM",
        "no LSTM",
        "no CMJAT",
        "acoustic",
        "visual",
        "text",
        "released, mended",
    },
    "mddr": {"SAN", "neither", "pose", "visual"},
    "amm": {"emotion", "no inter-task", "no attention"},
    "depformer": {"paper", "published c", "hard gate", "the figure", "regression", "4 classes"},
    "jamfn": {"two scales", "multiply", "shared jaf", "add", "mean", "concat"},
}
VARIANTS = [
    pytest.param((name, label), marks=pytest.mark.slow if label in MORE.get(name, ()) else ())
    for name in MODELS
    for label, _ in examples.small(name)
]
BATCH, LENGTH = 4, 6

# How much larger than at the start weights are, so that softmaxes and gates are far from their
# linear middle; DEP-Former's, between two normalisations, would be past their end.
SCALE = {"depformer": 1.5}

# Parameters whose gradient is zero by construction, and why: ("model", "variant") -> name endings.
# "*" stands for every variant.
_QUERY_AND_KEY = [
    f"{way}/{part}"
    for way in ("t2v", "v2t")
    for part in ("q/kernel", "q/bias", "k/kernel", "k/bias")
]
WITHOUT_GRADIENT = {
    # One step of each modality: a softmax over a single key is 1 whatever the query and key are.
    ("amm", "pooled"): tuple(_QUERY_AND_KEY),
    # A bias of all keys moves every score of a query alike, which a softmax does not see.
    ("amm", "*"): ("t2v/k/bias", "v2t/k/bias", "dep/k/bias", "emo/k/bias"),
    # Between one modality there is nothing to choose.
    **{
        ("mddr", only): ("faa/score.0/kernel", "faa/score.0/bias", "faa/score.2/kernel")
        for only in ("visual", "acoustic", "pose")
    },
    # A bias of all scores alike, which a softmax does not see.
    ("mddr", "*"): ("faa/score.2/bias", "pool/score.2/bias"),
    # Keys' biases, and the result's, which all features of a softmax share.
    ("smfl", "*"): (
        *(
            f"cross_{m}/{leaf}"
            for m in ("acoustic", "visual", "text")
            for leaf in ("k/bias", "out/bias")
        ),
    ),
    # A sentence's text is one frame, at which an LSTM has no state yet.
    ("smfl", "LSTM"): ("encoder_text/weight_hh_l0",),
    # Where all queries are kept, the own and the shared ones are the same.
    ("depformer", "published c"): ("alpha.0/kernel", "alpha.0/bias"),
    ("depformer", "4 classes"): ("alpha.0/kernel", "alpha.0/bias"),
    # Attention over one step chooses nothing; without sentences the face would be read alone.
    **{
        ("smfl", label): (
            "Fusion.attention_weights/kernel",
            "Fusion.attention_weights/bias",
            "Fusion.context_vector/kernel",
            "linear_face/kernel",
            "linear_face/bias",
        )
        for label in ("released", "released, mended")
    },
}


@cache
def made(name, label):
    """Model, weights and inputs of a variant; dropout off."""
    model = dict(examples.small(name))[label].clone(dropout=0.0)
    inputs = examples.example_inputs(model, BATCH, LENGTH, seed=1)
    initial = model.init(jax.random.key(0), inputs)
    params = jax.tree.map(lambda leaf: SCALE.get(name, 4) * leaf, initial["params"])
    stats = {"batch_stats": initial["batch_stats"]} if "batch_stats" in initial else {}
    return model, {"params": params, **stats}, inputs


@cache
def compiled(name, label):
    """Outputs, and the gradient of a loss that weighs every output differently."""
    model, variables, _ = made(name, label)

    def loss_of(params, inputs):
        outputs = model.apply({**variables, "params": params}, inputs)
        terms = [
            (jnp.sin(y) * jnp.cos(jnp.arange(y.size).reshape(y.shape))).sum()
            for y in outputs.values()
        ]
        return sum(terms), outputs

    return jax.jit(jax.grad(loss_of, has_aux=True))


@cache
def applied(name, label):
    """Outputs alone, compiled once for each shape."""
    return jax.jit(made(name, label)[0].apply)


@pytest.fixture(params=VARIANTS, ids=lambda pair: "-".join(pair))
def variant(request):
    return request.param


def spoiled(inputs, value):
    """The inputs with something else in the padding."""
    changed = {}
    for name, x in inputs.items():
        mask = inputs.get(f"{name}_mask")
        changed[name] = x if mask is None else np.where(mask[..., None], x, np.float32(value))
    return changed


@pytest.mark.parametrize("value", [1e3, np.nan])
def test_padding_changes_neither_outputs_nor_gradients(variant, value):
    _, variables, inputs = made(*variant)
    run = compiled(*variant)
    assert any(not inputs[name].all() for name in inputs if name.endswith("_mask"))
    chex.assert_trees_all_close(
        run(variables["params"], spoiled(inputs, value)),
        run(variables["params"], inputs),
        atol=1e-6,
        rtol=1e-5,
    )


def test_items_do_not_see_one_another(variant):
    _, variables, inputs = made(*variant)
    run = applied(*variant)
    whole = run(variables, inputs)
    order = np.array([2, 0, 3, 1])
    permuted = run(variables, {name: x[order] for name, x in inputs.items()})
    chex.assert_trees_all_close(permuted, {t: y[order] for t, y in whole.items()}, atol=1e-6)
    alone = run(variables, {name: x[1:2] for name, x in inputs.items()})
    chex.assert_trees_all_close(alone, {t: y[1:2] for t, y in whole.items()}, atol=1e-6)


def test_a_recording_without_frames_is_finite(variant):
    _, variables, inputs = made(*variant)
    empty = {name: x.copy() for name, x in inputs.items()}
    masks = [name for name in empty if name.endswith("_mask")]
    empty[masks[0]][1] = False
    for name in masks:
        empty[name][2] = False
    gradient, outputs = compiled(*variant)(variables["params"], empty)
    chex.assert_tree_all_finite((gradient, outputs))


@pytest.mark.parametrize("name", MODELS)
def test_compiled_equals_not_compiled(name):
    label, _ = examples.small(name)[0]
    model, variables, inputs = made(name, label)
    outputs = applied(name, label)(variables, inputs)
    chex.assert_trees_all_close(outputs, model.apply(variables, inputs), atol=1e-6, rtol=1e-5)


def test_vectorised_over_weights_equals_each_alone(variant):
    model, variables, inputs = made(*variant)
    other = jax.tree.map(lambda leaf: leaf * 1.5 + 0.01, variables)
    both = jax.tree.map(lambda a, b: jnp.stack([a, b]), variables, other)
    together = jax.jit(jax.vmap(model.apply, in_axes=(0, None)))(both, inputs)
    for row, each in enumerate((variables, other)):
        here = {task: y[row] for task, y in together.items()}
        chex.assert_trees_all_close(here, applied(*variant)(each, inputs), atol=1e-5)


def test_one_trace_for_all_batches_of_a_shape(variant):
    model, variables, inputs = made(*variant)
    counted = jax.jit(chex.assert_max_traces(lambda v, x: model.apply(v, x), n=1))
    counted(variables, inputs)
    counted(variables, examples.example_inputs(model, BATCH, LENGTH, seed=2))
    chex.clear_trace_counter()


def test_every_parameter_gets_a_gradient(variant):
    name, label = variant
    _, variables, inputs = made(name, label)
    gradient, _ = compiled(name, label)(variables["params"], inputs)
    listed = WITHOUT_GRADIENT.get((name, label), ()) + WITHOUT_GRADIENT.get((name, "*"), ())
    largest = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(gradient))
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        where = jax.tree_util.keystr(path, simple=True, separator="/").replace(
            "task_attention.", ""
        )
        size = float(jnp.abs(leaf).max())
        if where.endswith(listed) if listed else False:
            assert size < 1e-6 * largest, where
        else:
            assert size > 1e-12 * largest, where


def test_dropout_follows_its_key():
    for name in MODELS:
        for label, model in examples.small(name):
            if not model.dropout or label not in ("dropout", "paper"):
                continue
            inputs = examples.example_inputs(model, BATCH, LENGTH)
            variables = dict(model.init(jax.random.key(0), inputs))
            variables.pop("intermediates", None)
            train = jax.jit(
                lambda v, x, key, model=model: model.apply(
                    v, x, train=True, rngs={"dropout": key}, mutable=["batch_stats"]
                )[0]
            )
            run = lambda seed, train=train, v=variables, x=inputs: train(v, x, jax.random.key(seed))
            chex.assert_trees_all_equal(run(1), run(1))
            first, second = jax.tree.leaves(run(1))[0], jax.tree.leaves(run(2))[0]
            assert (first != second).any(), (name, label)
            calm = model.apply(variables, inputs)
            assert (jax.tree.leaves(calm)[0] != first).any(), (name, label)


def test_missing_inputs_are_named(variant):
    model, variables, _ = made(*variant)
    with pytest.raises(ValueError, match="reads inputs"):
        model.apply(variables, {"age": np.zeros((2, 1))})
    flat = {n: np.zeros((2, 3), np.float32) for n in ("acoustic", "visual", "text", "pose")}
    flat["sentences"] = np.zeros((2, 3, 6), np.int32)
    with pytest.raises(ValueError, match="must be"):
        model.apply(variables, flat)


def test_float64_stays_float64(variant, x64):
    model, variables, inputs = made(*variant)
    double = lambda tree: jax.tree.map(
        lambda x: jnp.asarray(x, None if x.dtype == bool else jnp.float64), tree
    )
    outputs = jax.eval_shape(model.apply, double(variables), double(dict(inputs)))
    assert all(y.dtype == jnp.float64 for y in outputs.values())


def test_configuration_is_plain_data(variant):
    model, _, _ = made(*variant)
    data = json.loads(json.dumps(to_json(model)))
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "name"}
    assert MODELS[data["name"]](**fields) == model
