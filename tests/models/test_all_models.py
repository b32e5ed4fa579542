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
from jaxdep.parity.compare import BARS, ENLARGED, NORM

# Variants that pass line by line what others of the same model do; `make test-slow` has them.
SLOW = {
    "jamfn": {
        *("two scales", "multiply", "shared jaf", "add", "mean", "concat"),
        *("literal", "no scales", "dropout"),
    },
    "amm": {"emotion", "depression", "no inter-task", "no attention", "residual", "image"},
    "mddr": {
        *("SAN", "FAN", "neither", "pose", "visual", "acoustic", "voice first", "separate"),
    },
    "smfl": {
        *("scaled", "TCN (all), last", "LSTM", "no LSTM", "no CMJAT", "LSTM (all)"),
        *("acoustic", "visual", "text", "acoustic and text", "TCN (sentence)"),
    },
    "smfl_released": {"published", "mended"},
    "depformer_released": {"published"},
    "depformer": {
        *("published c", "hard gate", "the figure", "segments", "acoustic"),
        *("regression", "4 classes"),
    },
}
VARIANTS = [
    pytest.param((name, label), marks=pytest.mark.slow if label in SLOW.get(name, ()) else ())
    for name in MODELS
    for label, _ in examples.small(name)
]
BATCH, LENGTH = 4, 6

MIXES = {"depformer_released"}
"""Models whose examples see one another, as their authors published them."""

# How much larger than at the start weights are, so that softmaxes and gates are far from their
# linear middle; DEP-Former's, between two normalisations, would be past their end.
SCALE = {"smfl": 2, "depformer": 1.5, "depformer_released": 1.5}

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
    # Keys' biases, values', and the result's, which all features of a softmax share.
    ("smfl", "*"): (
        *(
            f"cross_{m}/{leaf}"
            for m in ("acoustic", "visual", "text")
            for leaf in ("k/bias", "v/bias", "out/bias")
        ),
    ),
    # A sentence's text is one frame, at which an LSTM has no state yet.
    ("smfl", "LSTM"): ("encoder_text/weight_hh_l0",),
    # One sentence is one step, likewise.
    ("smfl", "LSTM (all)"): tuple(
        f"lstm_{m}/weight_hh_l0" for m in ("fusion", "acoustic", "visual", "text")
    ),
    # Where all queries are kept, the own and the shared ones are the same.
    ("depformer", "published c"): ("alpha.0/kernel", "alpha.0/bias"),
    # Attention over one step chooses nothing; without sentences the face would be read alone.
    ("smfl_released", "*"): (
        "Fusion.attention_weights/kernel",
        "Fusion.attention_weights/bias",
        "Fusion.context_vector/kernel",
        "linear_face/kernel",
        "linear_face/bias",
    ),
}


@cache
def made(name, label):
    """Model, weights and inputs of a variant; dropout off."""
    model = examples.calm(dict(examples.small(name))[label])
    inputs = examples.example_inputs(model, BATCH, LENGTH, seed=1)
    with jax.enable_x64(False):  # whichever test asks first
        initial = jax.jit(model.init)(jax.random.key(0), inputs)
    params = jax.tree.map(lambda leaf: SCALE.get(name, 4) * leaf, initial["params"])
    held = {name: initial[name] for name in ("batch_stats", "untrained") if name in initial}
    return model, {"params": params, **held}, inputs


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
    if variant[0] in MIXES:
        return
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


def place(path):
    """A parameter's place in the tree."""
    where = jax.tree_util.keystr(path, simple=True, separator="/")
    return where.replace("task_attention.", "")


def listed(variant, path):
    """Whether a parameter changes nothing by construction."""
    name, label = variant
    endings = WITHOUT_GRADIENT.get((name, label), ()) + WITHOUT_GRADIENT.get((name, "*"), ())
    return bool(endings) and place(path).endswith(endings)


def test_every_parameter_gets_a_gradient(variant):
    _, variables, inputs = made(*variant)
    gradient, _ = compiled(*variant)(variables["params"], inputs)
    largest = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(gradient))
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        size = float(jnp.abs(leaf).max())
        if listed(variant, path):
            assert size < 1e-6 * largest, place(path)
        else:
            assert size > 1e-12 * largest, place(path)


def enlarged(name, params):
    """Weights of `made` as `jaxdep parity` compares them: so large that every attention chooses."""
    rng, factor = np.random.default_rng(0), 1 / SCALE.get(name, 4)

    def enlarge(path, leaf):
        if path[-1].key == "weight_g":
            return leaf * factor * NORM
        if leaf.ndim == 1:
            return leaf * factor + rng.uniform(0, 0.5, leaf.shape)
        return leaf * factor * ENLARGED[name]

    return jax.tree_util.tree_map_with_path(enlarge, params)


def double(tree):
    """In float64 what was in float32."""
    return jax.tree.map(lambda x: np.float64(x) if x.dtype == np.float32 else x, tree)


def test_every_parameter_moves_the_outputs(variant, x64):
    """By ten times the bar of parity: what a part computes must be seen at the outputs.

    Where an attention hardly chooses, a wrong formula in it would pass any comparison.
    """
    name, label = variant
    model, variables, inputs = made(name, label)
    params, run = double(enlarged(name, variables["params"])), jax.jit(model.apply)
    held, inputs = double({**variables, "params": {}}), double(dict(inputs))
    outputs = lambda params: jax.tree.leaves(run({**held, "params": params}, inputs))
    before, leaves = outputs(params), jax.tree_util.tree_leaves_with_path(params)
    blind = []
    for number, (path, leaf) in enumerate(leaves):
        halved = np.array(leaf)
        # Of a matrix not whole rows or columns, which a normalisation would undo.
        halved.reshape(-1)[:: 1 if leaf.ndim == 1 else 3] /= 2
        changed = [x if n != number else halved for n, (_, x) in enumerate(leaves)]
        after = outputs(jax.tree.unflatten(jax.tree.structure(params), changed))
        moved = max(float(np.abs(a - b).max()) for a, b in zip(before, after, strict=True))
        if moved < 10 * BARS["float64"]["outputs"] and not listed(variant, path):
            blind.append(place(path))
    assert not blind


@pytest.mark.parametrize("name", MODELS)
def test_dropout_follows_its_key(name):
    variants = dict(examples.small(name))
    model = variants.get("dropout") or next(iter(variants.values()))
    rates = [f for f in ("dropout", "fusion_dropout") if hasattr(model, f)]
    model = model.clone(**dict.fromkeys(rates, 0.4))
    inputs = examples.example_inputs(model, BATCH, LENGTH)
    variables = dict(model.init(jax.random.key(0), inputs))
    variables.pop("intermediates", None)
    train = jax.jit(
        lambda key: model.apply(
            variables, inputs, train=True, rngs={"dropout": key}, mutable=["batch_stats"]
        )[0]
    )
    first, second = train(jax.random.key(1)), train(jax.random.key(2))
    chex.assert_trees_all_equal(train(jax.random.key(1)), first)
    drawn, other = jax.tree.leaves(first)[0], jax.tree.leaves(second)[0]
    assert (drawn != other).any()
    calm = jax.tree.leaves(model.apply(variables, inputs))[0]
    assert (calm != drawn).any()


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
    outputs = jax.eval_shape(model.apply, double(variables), double(dict(inputs)))
    assert all(y.dtype == jnp.float64 for y in outputs.values())


def test_configuration_is_plain_data(variant):
    model, _, _ = made(*variant)
    data = json.loads(json.dumps(to_json(model)))
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "name"}
    assert MODELS[data["name"]](**fields) == model
