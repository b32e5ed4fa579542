"""Tests that every variant of every registered model must pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdep.models import MODELS, SPECS, modalities_of
from jaxdep.models.modalities import subsets, without
from jaxdep.models.spec import without_dropout
from jaxdep.overrides import to_json
from jaxdep.parity.compare import NORM, TOLERANCES
from jaxdep.testing.weights import draw

BATCH, LENGTH = 4, 6
DRAWS = 4
"""Number of draws of the weights, of which one has to show each parameter."""

Variant = tuple[str, str]
"""Name of a model and label of its variant."""

# They compile a program of their own.
_EXPENSIVE = (
    "test_vectorised_over_weights_equals_each_alone",
    "test_every_parameter_moves_the_outputs",
)


class ModelBattery:
    """Base class of model tests, to be subclassed in a test file: `class TestToy(ModelBattery)`.

    Each test runs for every variant in the spec of each model. Those of `slow_variants` are marked
    `slow`, a marker to be registered in pytest's configuration, as are those of the most expensive
    tests for all variants but the first.

    Attributes:
      models: names of the models to test.
    """

    models: ClassVar[tuple[str, ...]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrises a test over all variants or all models."""
        if "variant" in metafunc.fixturenames:
            expensive = metafunc.function.__name__ in _EXPENSIVE
            metafunc.parametrize("variant", list(self._variants(expensive)))
        elif "name" in metafunc.fixturenames:
            metafunc.parametrize("name", list(self._names()))

    def _names(self) -> Iterator[Any]:
        """Models, `slow` if their first variant is."""
        for name in self.models:
            slow = next(iter(SPECS[name].variants)) in SPECS[name].slow_variants
            yield pytest.param(name, marks=pytest.mark.slow if slow else ())

    def _variants(self, expensive: bool) -> Iterator[Any]:
        """Pairs of a model and a label, `slow` as described above."""
        for name in self.models:
            spec = SPECS[name]
            for number, label in enumerate(spec.variants):
                slow = label in spec.slow_variants or (expensive and number > 0)
                marks = pytest.mark.slow if slow else ()
                yield pytest.param((name, label), id=f"{name}-{label}", marks=marks)

    def test_initial_weights_need_shapes_alone(self, variant):
        """Weights are drawn without a forward pass, as training draws them."""
        model, _, inputs = initialised(*variant)
        key, shapes = jax.random.key(0), jax.eval_shape(lambda: inputs)
        drawn = jax.eval_shape(lambda: model.lazy_init(key, shapes))
        chex.assert_trees_all_equal_shapes_and_dtypes(
            drawn, jax.eval_shape(lambda: model.init(key, inputs))
        )

    @pytest.mark.parametrize("value", [1e3, np.nan])
    def test_padding_changes_neither_outputs_nor_gradients(self, variant, value):
        """Padding may hold any value, including NaN."""
        _, variables, inputs = initialised(*variant)
        program = compiled(*variant)
        assert any(not inputs[name].all() for name in inputs if name.endswith("_mask"))
        padded = {}
        for name, x in inputs.items():
            mask = inputs.get(f"{name}_mask")
            fill = x.dtype.type(value if x.dtype.kind == "f" else 3)
            padded[name] = x if mask is None else np.where(mask[..., None], x, fill)
        chex.assert_trees_all_close(
            program(variables["params"], padded),
            program(variables["params"], inputs),
            atol=1e-6,
            rtol=1e-5,
        )

    def test_examples_do_not_see_one_another(self, variant):
        """Outputs follow permutations of the batch and do not depend on its other examples."""
        model, variables, inputs = initialised(*variant)
        spec = SPECS[variant[0]]
        if spec.mixes_examples:
            return
        run = lambda inputs: compiled(*variant)(variables["params"], inputs)[1]
        outputs = run(inputs)
        order = np.array([2, 0, 3, 1])
        permuted = run({name: x[order] for name, x in inputs.items()})
        expected = {task: y[order] for task, y in outputs.items()}
        chex.assert_trees_all_close(permuted, expected, atol=1e-6)
        others = spec.inputs(model, BATCH, LENGTH, seed=2)
        mixed = {
            name: np.concatenate([others[name][:1], x[1:2], others[name][2:]])
            for name, x in inputs.items()
        }
        example = {task: y[1] for task, y in run(mixed).items()}
        chex.assert_trees_all_close(example, {task: y[1] for task, y in outputs.items()}, atol=1e-6)

    def test_a_recording_without_frames_is_finite(self, variant):
        """Outputs and gradients stay finite if one or all modalities are missing."""
        _, variables, inputs = initialised(*variant)
        empty = {name: x.copy() for name, x in inputs.items()}
        masks = [name for name in empty if name.endswith("_mask")]
        empty[masks[0]][1] = False
        for name in masks:
            empty[name][2] = False
        gradient, outputs = compiled(*variant)(variables["params"], empty)
        chex.assert_tree_all_finite((gradient, outputs))

    def test_outputs_are_finite_without_some_modalities(self, variant):
        """Outputs and gradients stay finite with every subset of the modalities.

        The others are absent as in `jaxdep missing` and in modality dropout.
        """
        model, variables, inputs = initialised(*variant)
        parts = modalities_of(model)
        assert parts, "set ModelSpec.modalities"
        for present in subsets(parts):
            absent = [name for name in parts if name not in present]
            gradient, outputs = compiled(*variant)(
                variables["params"], without(inputs, parts, absent)
            )
            chex.assert_tree_all_finite((gradient, outputs))

    def test_every_input_belongs_to_a_modality_or_to_the_structure(self, name):
        """What the spec does not declare would stay if a modality is absent, unnoticed."""
        spec = SPECS[name]
        model = next(iter(spec.small().values()))
        inputs = spec.inputs(model, BATCH, LENGTH)
        parts = spec.modalities(model).values()
        declared = [*spec.structure, *(each for names in parts for each in names)]
        assert sorted(declared) == sorted(x for x in inputs if not x.endswith("_mask"))

    @pytest.mark.slow  # uncompiled, every primitive is compiled by itself
    def test_compiled_equals_not_compiled(self, name):
        """Compiled and eager outputs agree, for the first variant."""
        label = next(iter(SPECS[name].variants))
        model, variables, inputs = initialised(name, label)
        _, outputs = compiled(name, label)(variables["params"], inputs)
        expected = model.apply(variables, inputs)
        chex.assert_trees_all_close(outputs, expected, atol=1e-6, rtol=1e-5)

    def test_vectorised_over_weights_equals_each_alone(self, variant):
        """`jax.vmap` over weights, by which runs are trained together, equals separate runs."""
        model, variables, inputs = initialised(*variant)
        params = variables["params"]
        other = jax.tree.map(lambda leaf: leaf * 0.5 + 0.01, params)
        both = jax.tree.map(lambda a, b: np.stack([a, b]), params, other)
        apply = lambda params: model.apply({**variables, "params": params}, inputs)
        together = jax.jit(jax.vmap(apply))(both)
        for row, weights in enumerate((params, other)):
            alone = compiled(*variant)(weights, inputs)[1]
            row_outputs = {task: y[row] for task, y in together.items()}
            chex.assert_trees_all_close(row_outputs, alone, atol=1e-5, rtol=1e-5)

    def test_one_trace_for_all_batches_of_a_shape(self, variant):
        """The trace of a model must not depend on the values of a batch."""
        model, variables, inputs = initialised(*variant)
        program = compiled(*variant)
        program(variables["params"], inputs)
        program(variables["params"], SPECS[variant[0]].inputs(model, BATCH, LENGTH, seed=2))
        assert TRACES[variant] == 1

    def test_every_parameter_gets_a_gradient(self, variant):
        """Except for parameters that the spec lists as having zero gradient by construction.

        One draw of the weights may leave a rectifier closed: one of several has to show a gradient.
        """
        model, _, inputs = initialised(*variant)
        scale = SPECS[variant[0]].gradient_scale
        expected, reached = set(), set()
        for seed in range(DRAWS):
            params = jax.tree.map(lambda leaf: scale * leaf, draw(model, inputs, seed)["params"])
            gradient, _ = jax.device_get(compiled(*variant)(params, inputs))
            sizes = {
                path: float(np.abs(leaf).max())
                for path, leaf in jax.tree_util.tree_leaves_with_path(gradient)
            }
            largest = max(sizes.values())
            for path, size in sizes.items():
                if has_no_gradient(variant, path):
                    assert size < 1e-6 * largest, name_of(path)
            reached |= {path for path, size in sizes.items() if size > 1e-12 * largest}
            expected = {path for path in sizes if not has_no_gradient(variant, path)}
            if expected <= reached:
                break
        assert not [name_of(path) for path in expected - reached]

    def test_every_parameter_moves_the_outputs(self, variant):
        """By at least ten times the tolerance of parity, so that errors show in the outputs.

        An error in an attention whose weights are nearly uniform would pass any comparison.
        """
        with jax.enable_x64(True):
            without_effect = parameters_without_effect(variant)
        assert not without_effect

    def test_dropout_follows_its_key(self, name):
        """Equal keys give equal outputs, different keys do not, and evaluation drops nothing."""
        spec = SPECS[name]
        small = spec.small()
        model = small.get("dropout") or next(iter(small.values()))
        rates = [f for f in ("dropout", "fusion_dropout") if hasattr(model, f)]
        if not rates:
            return
        changes: dict[str, Any] = dict.fromkeys(rates, 0.4)
        model = model.clone(**changes)
        inputs = spec.inputs(model, BATCH, LENGTH)
        variables = draw(model, inputs)
        train = jax.jit(
            lambda key: model.apply(
                variables, inputs, train=True, rngs={"dropout": key}, mutable=["batch_stats"]
            )[0]
        )
        first, second = train(jax.random.key(1)), train(jax.random.key(2))
        chex.assert_trees_all_equal(train(jax.random.key(1)), first)
        one, other = jax.tree.leaves(first)[0], jax.tree.leaves(second)[0]
        assert (one != other).any()
        jax.eval_shape(model.apply, variables, inputs)  # fails if dropout asks for its key

    def test_missing_inputs_are_named(self, variant):
        """Missing inputs and inputs of a wrong rank are named in a `ValueError`."""
        model, variables, inputs = initialised(*variant)
        with pytest.raises(ValueError, match="requires inputs"):
            model.apply(variables, {"age": np.zeros((2, 1))})
        deep = {
            name: np.zeros((2, 3, 1, 1), np.float32)  # a matrix may be a vector per recording
            for name, x in inputs.items()
            if not name.endswith("_mask") and x.ndim == 3
        }
        deep |= {name: np.zeros((2, 3, 6), np.int32) for name in inputs if name == "sentences"}
        with pytest.raises(ValueError, match="must be"):
            model.apply(variables, deep)

    def test_float64_stays_float64(self, variant):
        """No constant or cast lowers the precision."""
        model, variables, inputs = initialised(*variant)
        with jax.enable_x64(True):
            outputs = jax.eval_shape(model.apply, double(variables), double(dict(inputs)))
        assert all(y.dtype == jnp.float64 for y in outputs.values())

    def test_configuration_is_plain_data(self, variant):
        """The configuration survives a round trip through JSON, in which runs are stored."""
        model, _, _ = initialised(*variant)
        data = json.loads(json.dumps(to_json(model)))
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "name"}
        assert MODELS[data["name"]](**fields) == model


TRACES: Counter[Variant] = Counter()
"""Number of traces of each variant's program."""


@cache
def initialised(name: str, label: str) -> tuple[nn.Module, Mapping[str, Any], dict[str, Any]]:
    """Model, weights and inputs of a variant, without dropout."""
    spec = SPECS[name]
    model = without_dropout(spec.small()[label])
    inputs = spec.inputs(model, BATCH, LENGTH, seed=1)
    with jax.enable_x64(False):  # whichever test calls this first
        initial = draw(model, inputs)
    params = jax.tree.map(lambda leaf: spec.gradient_scale * leaf, initial["params"])
    state = {name: initial[name] for name in ("batch_stats", "untrained") if name in initial}
    return model, {"params": params, **state}, inputs


@cache
def compiled(name: str, label: str) -> Any:
    """Program from params and inputs to the gradient of a loss of all outputs, and the outputs."""
    model, variables, _ = initialised(name, label)

    def loss_of(params: Any, inputs: Any) -> tuple[Any, Any]:
        TRACES[name, label] += 1
        outputs: Any = model.apply({**variables, "params": params}, inputs)
        terms = [
            (jnp.sin(y) * jnp.cos(jnp.arange(y.size).reshape(y.shape))).sum()
            for y in outputs.values()
        ]
        return sum(terms), outputs

    return jax.jit(jax.grad(loss_of, has_aux=True))


def name_of(path: Any) -> str:
    """Path of a parameter in the tree, such as `jaf.0/fc3/kernel`."""
    return jax.tree_util.keystr(path, simple=True, separator="/")


def has_no_gradient(variant: Variant, path: Any) -> bool:
    """Whether the spec lists a parameter as having zero gradient by construction."""
    name, label = variant
    listed = SPECS[name].without_gradient
    endings = (*listed.get(label, ()), *listed.get("*", ()))
    return bool(endings) and name_of(path).endswith(endings)


def parameters_without_effect(variant: Variant) -> list[str]:
    """Parameters whose halving changes no output by ten times the float64 tolerance.

    One draw of the weights may leave a rectifier closed, or saturate a gate: a parameter counts as
    without effect where none of several draws shows any.
    """
    name, _ = variant
    model, variables, inputs = initialised(*variant)
    program, inputs = jax.jit(model.apply), double(dict(inputs))
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(variables["params"])]
    paths = [path for path in paths if not has_no_gradient(variant, path)]
    for seed in range(DRAWS):
        if not paths:
            break
        drawn = draw(model, inputs, seed)
        params = double(_enlarged(name, drawn["params"]))
        state = {name: double(tree) for name, tree in drawn.items() if name != "params"}
        outputs = lambda params, state=state: program({**state, "params": params}, inputs)
        paths = _without_effect(outputs, params, paths)
    return [name_of(path) for path in paths]


def _without_effect(outputs: Any, params: Any, paths: list[Any]) -> list[Any]:
    before = jax.tree.leaves(outputs(params))
    leaves = dict(jax.tree_util.tree_leaves_with_path(params))
    found = []
    for path in paths:
        halved = np.array(leaves[path])
        # Every third entry of a matrix: a normalisation would undo the scaling of whole rows.
        halved.reshape(-1)[:: 1 if halved.ndim == 1 else 3] /= 2
        changed = {**leaves, path: halved}.values()
        after = jax.tree.leaves(outputs(jax.tree.unflatten(jax.tree.structure(params), changed)))
        change = max(float(np.abs(a - b).max()) for a, b in zip(before, after, strict=True))
        if change < 10 * TOLERANCES["float64"]["outputs"]:
            found.append(path)
    return found


def double(tree: Any) -> Any:
    """Casts float32 leaves to float64."""
    return jax.tree.map(lambda x: np.float64(x) if x.dtype == np.float32 else x, tree)


def _enlarged(name: str, params: Any) -> Any:
    """Weights enlarged as in `jaxdep parity`, so that no attention is nearly uniform."""
    rng, spec = np.random.default_rng(0), SPECS[name]

    def enlarge(path: Any, leaf: Any) -> Any:
        if path[-1].key == "weight_g":
            return leaf * NORM
        return leaf + rng.uniform(0, 0.5, leaf.shape) if leaf.ndim == 1 else leaf * spec.enlarge

    return jax.tree_util.tree_map_with_path(enlarge, params)
