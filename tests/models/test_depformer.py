"""DEP-Former: the published network with its faults, and the repaired one without them."""

import csv
from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import jaxdep
from jaxdep import parity
from jaxdep.errors import UserError
from jaxdep.experiment import fields_of
from jaxdep.experiments import EXPERIMENTS
from jaxdep.models import DEPFormer, examples
from jaxdep.parity.cases import draws_of
from jaxdep.parity.reference import TWINS, twin

SMALL = dict(examples.small("depformer"))["paper"].clone(dropout=0.0)
RELEASED = SMALL.clone(variant="released")
FULL = {
    "visual": np.zeros((2, 24, 224 * 224), np.uint8),
    "acoustic": np.zeros((2, 24, 1000), np.float32),
}


def inputs_of(batch=4, seed=0):
    return examples.example_inputs(SMALL, batch, 24, seed, masked=False)


def initial(model, inputs):
    variables = dict(jax.jit(model.init)(jax.random.key(0), inputs))
    variables.pop("intermediates", None)
    return variables


def size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def test_released_has_the_published_number_of_parameters():
    """A10: 59,790,834 with the dead ones, 59,115,172 that live, and the gate that never learns."""
    model = DEPFormer(variant="released")
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), FULL))
    assert size(shapes["params"]) == 59_115_172
    assert size(shapes["untrained"]) == 3_073
    with torch.device("meta"):
        module = TWINS["depformer"](variant="released", dead=True)
    assert sum(p.numel() for p in module.parameters()) == 59_790_834
    assert len(list(module.parameters())) == 252


def test_dead_weights_of_a_published_state_are_left_out_and_named_once():
    inputs = inputs_of()
    fields = {name: getattr(RELEASED, name) for name in fields_of(RELEASED)}
    module = TWINS["depformer"](**fields, dead=True, visual_width=10, acoustic_width=7)
    state = module.state_dict()
    state |= {
        f"{e}.embedding.position_embedding.pe": np.zeros(3) for e in ("encoder", "encoder_fv")
    }
    with pytest.warns(UserWarning, match="take part in nothing") as said:
        variables = parity.from_torch(RELEASED, state)
    assert len(said) == 1
    named = str(said[0].message)
    assert "projection.weight" in named
    assert "encoder.en_fv.conv1.bias" in named
    assert "encoder.stacks.0.elayer00.attention.alpha.0.weight" in named
    assert "encoder_fv.en_fv.attention.alpha" not in named
    chex.assert_trees_all_equal_shapes(variables, initial(RELEASED, inputs))
    surplus = {**module.state_dict(), "fc9.weight": np.zeros(2)}
    with pytest.warns(UserWarning, match="nothing"), pytest.raises(ValueError, match="fc9"):
        parity.from_torch(RELEASED, surplus)


def test_released_needs_an_even_batch():
    inputs = inputs_of(3)
    variables = initial(RELEASED, inputs)
    with pytest.raises(UserError, match=r"even batch.*got 3"):
        RELEASED.apply(variables, inputs)


def test_released_mixes_patients_and_the_paper_does_not():
    """A7 d: other patients change a patient's logits; repaired, they do not."""
    inputs = inputs_of() | draws_of(SMALL, 0)
    other = {**inputs, "visual": inputs["visual"].copy()}
    other["visual"][1:] += 1
    for model, mixes in ((RELEASED, True), (SMALL, False)):
        run = jax.jit(model.apply)
        variables = initial(model, inputs)
        first, second = (run(variables, x)["depression"][0] for x in (inputs, other))
        assert bool(np.abs(first - second).max() > 1e-6) is mixes


def test_what_the_paper_evaluates_is_the_same_every_time():
    inputs = inputs_of()
    variables = initial(SMALL, inputs)
    run = jax.jit(lambda key: SMALL.apply(variables, inputs, rngs={"sample": key}))
    chex.assert_trees_all_equal(run(jax.random.key(0)), run(jax.random.key(1)))


def test_keys_are_drawn_anew_in_training():
    inputs = inputs_of()
    variables = initial(SMALL, inputs)
    run = jax.jit(
        lambda key: SMALL.apply(
            variables, inputs, train=True, rngs={"sample": key}, mutable=["batch_stats"]
        )[0]["depression"]
    )
    first = run(jax.random.key(0))
    assert (first == run(jax.random.key(0))).all()
    assert any((first != run(jax.random.key(seed))).any() for seed in range(1, 5))


@pytest.mark.parametrize("factor", [2, pytest.param(0, marks=pytest.mark.slow)])
def test_the_gate_learns_where_not_all_queries_are_shared(factor):
    """A7 g: with all of 6 queries the unit does nothing; with 3 of them it does."""
    model, inputs = SMALL.clone(shared_factor=factor), inputs_of()
    variables = initial(model, inputs)
    loss = lambda params: model.apply({**variables, "params": params}, inputs)["depression"].sum()
    gradient = jax.jit(jax.grad(loss))(variables["params"])
    gate = gradient["encoder_fv"]["en_fv"]["attention"]["alpha.0"]
    assert bool((jnp.abs(gate["kernel"]) > 1e-9).any()) is (factor > 0)


def test_a_patients_words_are_told():
    """Shares of each branch sum to one; a word alone answers for itself."""
    inputs = inputs_of()
    variables = initial(SMALL, inputs)
    run = jax.jit(lambda x: SMALL.apply(variables, x, mutable=["intermediates"])[1])
    other = {**inputs, "acoustic": inputs["acoustic"].copy()}
    other["acoustic"][:, 10:12] += 3  # of 48 frames: the sixth word
    first, second = (run(x)["intermediates"] for x in (inputs, other))
    for branch in ("multimodal", "visual", "acoustic"):
        whole = first[f"words/{branch}"][0]
        assert whole.shape == (4, 24)
        np.testing.assert_allclose(whole.sum(1), 1, atol=1e-5)
    moved = lambda name: np.abs(first[name][0] - second[name][0]).max(0) > 1e-6
    assert not moved("alone/visual").any()
    for branch in ("acoustic", "multimodal"):
        assert np.flatnonzero(moved(f"alone/{branch}")).tolist() == [5]
        assert moved(f"words/{branch}").sum() > 1


def test_segments_are_the_words_of_other_corpora():
    """As PyTorch's adaptive average pooling of each recording's real frames."""
    inputs = examples.example_inputs(SMALL, 3, 60)
    fields = {name: getattr(SMALL, name) for name in fields_of(SMALL)}
    module = twin("depformer", fields, inputs)
    state = {name: x.numpy() for name, x in module.state_dict().items()}
    found = jax.jit(SMALL.apply)(parity.from_torch(SMALL, state), inputs)
    expected = module({name: torch.as_tensor(x) for name, x in inputs.items()})
    np.testing.assert_allclose(
        found["depression"], expected["depression"].detach(), atol=1e-5, rtol=1e-5
    )


def test_faces_may_be_bytes():
    inputs = inputs_of()
    inputs["visual"] = np.arange(inputs["visual"].size, dtype=np.uint8).reshape(4, 24, 10)
    variables = initial(SMALL, inputs)
    run = jax.jit(SMALL.apply)
    floats = {**inputs, "visual": inputs["visual"].astype(np.float32)}
    chex.assert_trees_all_close(run(variables, inputs), run(variables, floats), atol=1e-6)


def test_words_that_cannot_be_halved_are_refused():
    inputs = inputs_of()
    with pytest.raises(ValueError, match="multiple of 4"):
        jax.eval_shape(lambda: SMALL.clone(words=18).init(jax.random.key(0), inputs))


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["paper", "released"])
def test_a_run_tells_of_its_words(variant, tmp_path):
    """From files to `words.csv`; every recording has its shares in every run."""
    base = EXPERIMENTS["depformer-demo"]
    small = replace(
        base,
        model=SMALL.clone(variant=variant, expected=False, dropout=0.1),
        corpus=replace(base.corpus, synthetic={"items": 24, "seed": 0}),
        training=replace(base.training, batch_size=4, epochs=1),
    )
    quiet = lambda line: None
    result = jaxdep.run(small, seeds=2, out=tmp_path / "run", data_dir=tmp_path, log=quiet)
    with np.load(result.folder / "words.npz") as stored:
        assert stored["words/visual"].shape == stored["alone/acoustic"].shape == (2, 6, 24)
        np.testing.assert_allclose(stored["words/multimodal"].sum(-1), 1, atol=1e-5)
    with (result.folder / "words.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 24
    assert rows[0]["word"] == "joy"
    assert (result.folder / "figures" / "words_alone.png").is_file()
    released = replace(small, model=small.model.clone(variant="released"))
    odd = replace(released, training=replace(small.training, batch_size=3))
    uneven = replace(small, model=small.model.clone(words=18))
    for wrong, message in ((odd, "even batch"), (uneven, "multiple of 4")):
        with pytest.raises(UserError, match=message):
            jaxdep.run(wrong, out=tmp_path / "wrong", data_dir=tmp_path, log=quiet)
        assert not (tmp_path / "wrong").exists()
