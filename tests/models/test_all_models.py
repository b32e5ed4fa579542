"""Batteries that every model of the registry passes, in every variant."""

import json
from collections import Counter
from functools import cache

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from weights import draw

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
SEEN = 10 * BARS["float64"]["outputs"]

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
        initial = draw(model, inputs)
    params = jax.tree.map(lambda leaf: SCALE.get(name, 4) * leaf, initial["params"])
    held = {name: initial[name] for name in ("batch_stats", "untrained") if name in initial}
    return model, {"params": params, **held}, inputs


TRACES = Counter()
"""How often the program of a variant was traced."""


@cache
def compiled(name, label):
    """Outputs, and the gradient of a loss that weighs every output differently."""
    model, variables, _ = made(name, label)

    def loss_of(params, inputs):
        TRACES[name, label] += 1
        outputs = model.apply({**variables, "params": params}, inputs)
        terms = [
            (jnp.sin(y) * jnp.cos(jnp.arange(y.size).reshape(y.shape))).sum()
            for y in outputs.values()
        ]
        return sum(terms), outputs

    return jax.jit(jax.grad(loss_of, has_aux=True))


@pytest.fixture(params=VARIANTS, ids=lambda pair: "-".join(pair))
def variant(request):
    return request.param


def spoiled(inputs, value):
    """The inputs with something else in the padding."""
    changed = {}
    for name, x in inputs.items():
        mask = inputs.get(f"{name}_mask")
        junk = value if x.dtype.kind == "f" else 3
        changed[name] = x if mask is None else np.where(mask[..., None], x, x.dtype.type(junk))
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
    model, variables, inputs = made(*variant)
    if variant[0] in MIXES:
        return
    run = lambda inputs: compiled(*variant)(variables["params"], inputs)[1]
    whole = run(inputs)
    order = np.array([2, 0, 3, 1])
    permuted = run({name: x[order] for name, x in inputs.items()})
    chex.assert_trees_all_close(permuted, {t: y[order] for t, y in whole.items()}, atol=1e-6)
    others = examples.example_inputs(model, BATCH, LENGTH, seed=2)
    mixed = run(
        {name: np.r_[others[name][:1], x[1:2], others[name][2:]] for name, x in inputs.items()}
    )
    chex.assert_trees_all_close(
        {t: y[1] for t, y in mixed.items()}, {t: y[1] for t, y in whole.items()}, atol=1e-6
    )


def test_a_recording_without_frames_is_finite(variant):
    _, variables, inputs = made(*variant)
    empty = {name: x.copy() for name, x in inputs.items()}
    masks = [name for name in empty if name.endswith("_mask")]
    empty[masks[0]][1] = False
    for name in masks:
        empty[name][2] = False
    gradient, outputs = compiled(*variant)(variables["params"], empty)
    chex.assert_tree_all_finite((gradient, outputs))


# Uncompiled, the others take half a minute each.
QUICK = ("jamfn", "amm", "mddr")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in MODELS]
)
def test_compiled_equals_not_compiled(name):
    label, _ = examples.small(name)[0]
    model, variables, inputs = made(name, label)
    _, outputs = compiled(name, label)(variables["params"], inputs)
    chex.assert_trees_all_close(outputs, model.apply(variables, inputs), atol=1e-6, rtol=1e-5)


def test_vectorised_over_weights_equals_each_alone(variant):
    model, variables, inputs = made(*variant)
    params = variables["params"]
    other = jax.tree.map(lambda leaf: leaf * 0.5 + 0.01, params)
    both = jax.tree.map(lambda a, b: np.stack([a, b]), params, other)
    apply = lambda params: model.apply({**variables, "params": params}, inputs)
    together = jax.jit(jax.vmap(apply))(both)
    for row, each in enumerate((params, other)):
        here = {task: y[row] for task, y in together.items()}
        chex.assert_trees_all_close(here, compiled(*variant)(each, inputs)[1], atol=1e-5)


def test_one_trace_for_all_batches_of_a_shape(variant):
    model, variables, inputs = made(*variant)
    run = compiled(*variant)
    run(variables["params"], inputs)
    run(variables["params"], examples.example_inputs(model, BATCH, LENGTH, seed=2))
    assert TRACES[variant] == 1


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
    gradient, _ = jax.device_get(compiled(*variant)(variables["params"], inputs))
    largest = max(float(np.abs(leaf).max()) for leaf in jax.tree.leaves(gradient))
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        size = float(np.abs(leaf).max())
        if listed(variant, path):
            assert size < 1e-6 * largest, place(path)
        else:
            assert size > 1e-12 * largest, place(path)


def enlarged(name, params):
    """Weights as `jaxdep parity` compares them: so large that every attention chooses."""
    rng = np.random.default_rng(0)

    def enlarge(path, leaf):
        if path[-1].key == "weight_g":
            return leaf * NORM
        return leaf + rng.uniform(0, 0.5, leaf.shape) if leaf.ndim == 1 else leaf * ENLARGED[name]

    return jax.tree_util.tree_map_with_path(enlarge, params)


def double(tree):
    """In float64 what was in float32."""
    return jax.tree.map(lambda x: np.float64(x) if x.dtype == np.float32 else x, tree)


def test_every_parameter_moves_the_outputs(variant, x64):
    """By ten times the bar of parity: what a part computes must be seen at the outputs.

    Where an attention hardly chooses, a wrong formula in it would pass any comparison. One draw of
    the weights may leave a rectifier closed: of four, one has to show each parameter.
    """
    name, label = variant
    model, variables, inputs = made(name, label)
    run, inputs = jax.jit(model.apply), double(dict(inputs))
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(variables["params"])]
    blind = [path for path in paths if not listed(variant, path)]
    for seed in range(4):
        if not blind:
            break
        drawn = draw(model, inputs, seed)
        params = double(enlarged(name, drawn["params"]))
        held = {name: double(tree) for name, tree in drawn.items() if name != "params"}
        outputs = lambda params, held=held: run({**held, "params": params}, inputs)
        blind = unmoved(outputs, params, blind)
    assert not [place(path) for path in blind]


def unmoved(outputs, params, paths):
    """Those of the parameters whose change no output shows."""
    before = jax.tree.leaves(outputs(params))
    leaves = dict(jax.tree_util.tree_leaves_with_path(params))
    blind = []
    for path in paths:
        halved = np.array(leaves[path])
        # Of a matrix not whole rows or columns, which a normalisation would undo.
        halved.reshape(-1)[:: 1 if halved.ndim == 1 else 3] /= 2
        changed = {**leaves, path: halved}.values()
        after = jax.tree.leaves(outputs(jax.tree.unflatten(jax.tree.structure(params), changed)))
        if max(float(np.abs(a - b).max()) for a, b in zip(before, after, strict=True)) < SEEN:
            blind.append(path)
    return blind


@pytest.mark.parametrize("name", MODELS)
def test_dropout_follows_its_key(name):
    variants = dict(examples.small(name))
    model = variants.get("dropout") or next(iter(variants.values()))
    rates = [f for f in ("dropout", "fusion_dropout") if hasattr(model, f)]
    model = model.clone(**dict.fromkeys(rates, 0.4))
    inputs = examples.example_inputs(model, BATCH, LENGTH)
    variables = draw(model, inputs)
    train = jax.jit(
        lambda key: model.apply(
            variables, inputs, train=True, rngs={"dropout": key}, mutable=["batch_stats"]
        )[0]
    )
    first, second = train(jax.random.key(1)), train(jax.random.key(2))
    chex.assert_trees_all_equal(train(jax.random.key(1)), first)
    drawn, other = jax.tree.leaves(first)[0], jax.tree.leaves(second)[0]
    assert (drawn != other).any()
    calm = jax.tree.leaves(jax.jit(model.apply)(variables, inputs))[0]
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
