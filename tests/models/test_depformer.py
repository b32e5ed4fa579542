"""DEP-Former: the published network with its faults, and the repaired one without them."""

import csv
from dataclasses import replace
from functools import partial

import chex
import jax
import numpy as np
import pytest
from variants import example_inputs, small

import jaxdep
from jaxdep import parity
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.models import SPECS, DEPFormer, DEPFormerReleased
from jaxdep.parity.reference import reference
from jaxdep.testing.weights import draw, program

SMALL = small("depformer")["paper"].clone(dropout=0.0)
RELEASED = small("depformer_released")["published"].clone(dropout=0.0)
FULL = {
    "visual": np.zeros((2, 24, 224 * 224), np.uint8),
    "acoustic": np.zeros((2, 24, 1000), np.float32),
}


def inputs_of(batch=4, seed=0):
    return example_inputs(SMALL, batch, 24, seed, masked=False)


def size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def test_released_has_the_published_number_of_parameters():
    """Published: 59,790,834, of which 675,662 take part in nothing; the gate is never trained."""
    model = DEPFormerReleased()
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), FULL))
    assert size(shapes["params"]) == 59_115_172 == 59_790_834 - 675_662
    assert size(shapes["untrained"]) == 3_073


DEAD = {
    "projection.weight": (256, 224),
    "encoder.embedding.time_embedding.embed.weight": (224, 224),
    "encoder_fv.embedding.time_embedding.embed.weight": (224, 224),
    "encoder.en_fv.conv1.bias": (32,),
    "encoder.en_fv.attention.W_Q.weight": (512, 224),
    "encoder.stacks.0.elayer00.attention.alpha.0.weight": (1, 3072),
    "encoder_fv.stacks.2.elayer20.attention.alpha.0.bias": (1,),
}
"""Some of the entries of a published state that its network never reads."""


def test_dead_weights_of_a_published_state_are_left_out_and_named_once():
    inputs = inputs_of()
    module = reference(RELEASED, inputs)
    state = {**module.state_dict(), **{name: np.zeros(shape) for name, shape in DEAD.items()}}
    state |= {
        f"{e}.embedding.position_embedding.pe": np.zeros(3) for e in ("encoder", "encoder_fv")
    }
    with pytest.warns(UserWarning, match="unused by the network") as caught:
        variables = parity.from_torch(RELEASED, state)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert all(name in message for name in DEAD)
    assert "encoder_fv.en_fv.attention.alpha" not in message
    chex.assert_trees_all_equal_shapes(variables, draw(RELEASED, inputs))
    surplus = {**state, "fc9.weight": np.zeros(2)}
    with pytest.warns(UserWarning, match="unused"), pytest.raises(ValueError, match="fc9"):
        parity.from_torch(RELEASED, surplus)


def test_released_needs_an_even_batch():
    inputs = inputs_of(3)
    variables = draw(RELEASED, inputs)
    with pytest.raises(UserError, match=r"even batch.*got 3"):
        program(RELEASED)(variables, inputs)


@pytest.mark.slow
def test_released_mixes_patients_and_the_paper_does_not():
    """Other patients change a patient's logits; repaired, they do not."""
    inputs = inputs_of() | SPECS["depformer"].extra_inputs(SMALL, 0)
    other = {**inputs, "visual": inputs["visual"].copy()}
    other["visual"][1:] += 1
    for model, mixes in ((RELEASED, True), (SMALL, False)):
        run = jax.jit(model.apply)
        variables = draw(model, inputs)
        first, second = (run(variables, x)["depression"][0] for x in (inputs, other))
        assert bool(np.abs(first - second).max() > 1e-6) is mixes


def test_what_the_paper_evaluates_is_the_same_every_time():
    inputs = inputs_of()
    variables = draw(SMALL, inputs)
    run = jax.jit(lambda key: SMALL.apply(variables, inputs, rngs={"sample": key}))
    chex.assert_trees_all_equal(run(jax.random.key(0)), run(jax.random.key(1)))


def test_keys_are_drawn_anew_in_training():
    inputs = inputs_of()
    variables = draw(SMALL, inputs)
    run = jax.jit(
        lambda key: SMALL.apply(
            variables, inputs, train=True, rngs={"sample": key}, mutable=["batch_stats"]
        )[0]["depression"]
    )
    first = run(jax.random.key(0))
    assert (first == run(jax.random.key(0))).all()
    assert any((first != run(jax.random.key(seed))).any() for seed in range(1, 5))


def test_the_default_shares_something():
    """The gate of the default configuration learns."""
    assert DEPFormer().shared_factor < DEPFormer().factor


@pytest.mark.parametrize("factor", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_the_gate_learns_where_not_all_queries_are_shared(factor):
    """With all of 6 queries the unit does nothing; with 3 of them it does."""
    model, inputs = SMALL.clone(shared_factor=factor), inputs_of()
    variables = draw(model, inputs)

    def loss(gate):
        params = jax.tree.map(lambda leaf: leaf, variables["params"])  # a copy of the dicts
        params["encoder_fv"]["en_fv"]["attention"]["alpha.0"] = gate
        return program(model)({**variables, "params": params}, inputs)["depression"].sum()

    gate = variables["params"]["encoder_fv"]["en_fv"]["attention"]["alpha.0"]
    gradient = jax.jit(jax.grad(loss))(gate)
    assert bool((np.abs(gradient["kernel"]) > 1e-9).any()) is (factor < 5)


def test_a_gate_of_one_half_takes_the_own_queries():
    """The hard gate is "own if at least 1/2", which rounding halves to even would turn round."""
    model = small("depformer")["hard gate"]
    inputs = inputs_of()
    variables = draw(model, inputs)
    params = jax.tree.map(np.asarray, variables["params"])
    gate = params["encoder_fv"]["en_fv"]["attention"]["alpha.0"]
    outputs = []
    for bias in (0.0, 5.0, -5.0):
        gate["kernel"], gate["bias"] = (
            np.zeros_like(gate["kernel"]),
            np.full_like(gate["bias"], bias),
        )
        outputs.append(program(model)({**variables, "params": params}, inputs)["depression"])
    half, first, other = outputs
    np.testing.assert_array_equal(half, first)
    assert (half != other).any()


def test_attention_over_words_sums_to_one():
    inputs = inputs_of()
    run = jax.jit(partial(SMALL.apply, mutable=["intermediates"]))
    maps = run(draw(SMALL, inputs), inputs)[1]
    for branch in ("multimodal", "visual", "acoustic"):
        words = maps["intermediates"][f"words/{branch}"][0]
        assert words.shape == (4, 24)
        np.testing.assert_allclose(words.sum(1), 1, atol=1e-5)


def test_a_word_alone_answers_for_itself():
    inputs = inputs_of()
    variables = draw(SMALL, inputs)
    run = jax.jit(lambda x: SMALL.apply(variables, x, method="interpret"))
    other = {**inputs, "acoustic": inputs["acoustic"].copy()}
    other["acoustic"][:, 5] += 3
    first, second = run(inputs), run(other)
    moved = lambda name: np.abs(first[name] - second[name]).max(0) > 1e-6
    assert not moved("alone/visual").any()
    for branch in ("acoustic", "multimodal"):
        assert np.flatnonzero(moved(f"alone/{branch}")).tolist() == [5]


@pytest.mark.parametrize(
    ("words_from", "length"),
    [
        ("segments", 41),
        pytest.param("first", 24, marks=pytest.mark.slow),
        pytest.param("first", 30, marks=pytest.mark.slow),
        pytest.param("first", 41, marks=pytest.mark.slow),
        pytest.param("segments", 24, marks=pytest.mark.slow),
        pytest.param("segments", 30, marks=pytest.mark.slow),
    ],
)
def test_padding_counts_nowhere(words_from, length):
    """The same 20 words padded to 24, to 30 or to 41 frames are one recording."""
    model = SMALL.clone(words_from=words_from)
    inputs = inputs_of(2)
    rng = np.random.default_rng(3)

    def padded(frames):
        arrays = {}
        for name, x in inputs.items():
            fill = rng.normal(size=(2, frames - 20, x.shape[-1])).astype(np.float32)
            arrays[name] = np.concatenate([x[:, :20], fill], 1)
            arrays[f"{name}_mask"] = np.tile(np.arange(frames) < 20, (2, 1))
        return arrays

    variables = draw(model, padded(24))
    run = jax.jit(model.apply)
    expected = run(variables, {name: x[:, :20] for name, x in padded(24).items()})
    chex.assert_trees_all_close(run(variables, padded(length)), expected, atol=1e-6)


def test_one_modality_alone_leaves_out_what_needs_both():
    for modality, adapter in (("visual", "fc1"), ("acoustic", "fc2")):
        model = SMALL.clone(modalities=(modality,))
        single = {modality: inputs_of()[modality]}
        assert set(draw(model, single)["params"]) == {adapter, "LN", "fc3", "encoder", "fc"}


@pytest.mark.slow
def test_faces_may_be_bytes():
    inputs = inputs_of()
    inputs["visual"] = np.arange(inputs["visual"].size, dtype=np.uint8).reshape(4, 24, 10)
    variables = draw(SMALL, inputs)
    run = jax.jit(SMALL.apply)
    floats = {**inputs, "visual": inputs["visual"].astype(np.float32)}
    chex.assert_trees_all_close(run(variables, inputs), run(variables, floats), atol=1e-6)


def test_words_that_cannot_be_halved_are_refused():
    inputs = inputs_of()
    with pytest.raises(ValueError, match="multiple of 4"):
        jax.eval_shape(lambda: SMALL.clone(words=18, layers=3).init(jax.random.key(0), inputs))


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [SMALL.clone(expected=False), RELEASED], ids=["paper", "released"]
)
def test_a_run_tells_of_its_words(model, tmp_path):
    """From files to `words.csv`; every recording has its shares in every run."""
    base = EXPERIMENTS["depformer-demo"]
    small = replace(
        base,
        model=model.clone(dropout=0.1, stacks=2, layers=2),
        corpus=replace(base.corpus, synthetic={"items": 24, "seed": 0}),
        training=replace(base.training, batch_size=4, epochs=1),
    )
    quiet = lambda line: None
    result = jaxdep.run(small, seeds=2, out=tmp_path / "run", data_dir=tmp_path, log=quiet)
    with np.load(result.folder / "words.npz") as stored:
        assert stored["words/visual"].shape == (2, 6, 24)
        assert ("alone/acoustic" in stored) is hasattr(model, "interpret")
        np.testing.assert_allclose(stored["words/multimodal"].sum(-1), 1, atol=1e-5)
    with (result.folder / "words.csv").open() as file:
        rows = list(csv.DictReader(file))
    measures = 2 if hasattr(model, "interpret") else 1
    assert len(rows) == measures * 3 * 24
    assert rows[0]["word"] == "joy"
    assert (result.folder / "figures" / "words_words.png").is_file()
    odd = replace(small, model=RELEASED, training=replace(small.training, batch_size=3))
    uneven = replace(small, model=SMALL.clone(words=18, layers=3))
    for wrong, message in ((odd, "even batch"), (uneven, "multiple of 4")):
        with pytest.raises(UserError, match=message):
            jaxdep.run(wrong, out=tmp_path / "wrong", data_dir=tmp_path, log=quiet)
        assert not (tmp_path / "wrong").exists()
