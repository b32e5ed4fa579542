"""LSTM and GRU against PyTorch's packed sequences, and our backward pass against JAX's own."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from jaxdep.nn import rnn_scan
from jaxdep.nn.rnn import GRU, LSTM

KINDS = {"lstm": (LSTM, torch.nn.LSTM), "gru": (GRU, torch.nn.GRU)}
BATCH, LENGTH, WIDTH, HIDDEN = 4, 6, 3, 5


def sequences(seed=0, lengths=(6, 2, 5, 1)):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(BATCH, LENGTH, WIDTH)).astype(np.float32)
    mask = np.arange(LENGTH) < np.asarray(lengths)[:, None]
    return x, mask


def both(kind, layers, bidirectional, merge="concat"):
    """Our module and PyTorch's with its weights."""
    ours, theirs = KINDS[kind]
    torch.manual_seed(1)
    reference = theirs(WIDTH, HIDDEN, layers, batch_first=True, bidirectional=bidirectional)
    state = {name: value.detach().numpy() for name, value in reference.state_dict().items()}
    module = ours(HIDDEN, layers, bidirectional=bidirectional, merge=merge)
    return (
        module,
        {"params": {name: np.transpose(value) for name, value in state.items()}},
        reference,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_equals_pytorch_with_gradients(kind, layers, bidirectional, masked):
    module, variables, reference = both(kind, layers, bidirectional)
    x, mask = sequences()
    mask = mask if masked else np.ones_like(mask)
    weigh = np.random.default_rng(2).normal(size=(BATCH, LENGTH, 1)).astype(np.float32)

    def loss(variables, x):
        y = module.apply(variables, x, mask if masked else None)
        return (jnp.sin(y) * weigh).sum(), y

    inputs = torch.tensor(x, requires_grad=True)
    packed = pack_padded_sequence(inputs, mask.sum(1), batch_first=True, enforce_sorted=False)
    theirs, _ = pad_packed_sequence(reference(packed)[0], batch_first=True, total_length=LENGTH)
    (torch.sin(theirs) * torch.tensor(weigh)).sum().backward()
    (dvariables, dx), y = jax.jit(jax.grad(loss, (0, 1), has_aux=True))(variables, x)
    np.testing.assert_allclose(y, theirs.detach(), atol=1e-6)
    assert inputs.grad is not None
    np.testing.assert_allclose(dx, inputs.grad, atol=2e-6)
    for name, parameter in reference.named_parameters():
        found = dvariables["params"][name]
        np.testing.assert_allclose(found, parameter.grad.numpy().T, atol=5e-6, err_msg=name)


def test_sum_of_directions():
    module, variables, _ = both("lstm", 2, True)
    x, mask = sequences()
    joined = module.apply(variables, x, mask)
    summed = module.clone(merge="sum").apply(variables, x, mask)
    np.testing.assert_allclose(summed, joined[..., :HIDDEN] + joined[..., HIDDEN:], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hole_in_the_mask_is_as_if_those_frames_were_not_there(kind):
    module, variables, _ = both(kind, 2, True)
    x, _ = sequences()
    mask = np.array([1, 0, 1, 1, 0, 1], bool)
    with_hole = module.apply(variables, x, np.tile(mask, (BATCH, 1)))
    without = module.apply(variables, x[:, mask])
    np.testing.assert_allclose(with_hole[:, mask], without, atol=1e-6)
    assert not with_hole[:, ~mask].any()


@pytest.mark.parametrize("kind", KINDS)
def test_no_real_frame(kind):
    module, variables, _ = both(kind, 2, True)
    x, mask = sequences(lengths=(0, 0, 3, 0))
    x[~mask] = np.nan
    loss = lambda v: module.apply(v, x, mask).sum()
    assert not module.apply(variables, x, mask)[0].any()
    chex.assert_tree_all_finite(jax.grad(loss)(variables))


def directions(kind, masked, seed=0, dtype=jnp.float32):
    rng = np.random.default_rng(seed)
    gates = HIDDEN * (4 if kind == "lstm" else 3)
    result = []
    for _ in range(2):
        draw = lambda *shape: jnp.asarray(rng.normal(size=shape), dtype)
        real = jnp.asarray(rng.random((LENGTH, BATCH, 1)) < 0.6) if masked else None
        arrays = draw(LENGTH, BATCH, gates), draw(HIDDEN, gates), draw(gates), draw(gates)
        result.append(rnn_scan.Direction(*arrays, real))
    return tuple(result)


def weighed(run, kind, reals, weigh=None):
    """A loss of the arrays of both directions."""

    def loss(arrays):
        both = tuple(rnn_scan.Direction(*a, real=r) for a, r in zip(arrays, reals, strict=True))
        return sum((jnp.cos(y) * (i + 1)).sum() for i, y in enumerate(run(kind, both)))

    return loss


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [False, True])
class TestBackward:
    """Ours against JAX's own differentiation of the same scan."""

    def losses(self, kind, masked, dtype=jnp.float32):
        both = directions(kind, masked, dtype=dtype)
        arrays, reals = [d[:4] for d in both], [d.real for d in both]
        ours = weighed(rnn_scan.recurrence, kind, reals)
        theirs = weighed(rnn_scan.reference_recurrence, kind, reals)
        return arrays, ours, theirs

    def test_gradient(self, kind, masked):
        arrays, ours, theirs = self.losses(kind, masked)
        chex.assert_trees_all_close(
            jax.jit(jax.grad(ours))(arrays), jax.jit(jax.grad(theirs))(arrays), atol=1e-5
        )

    def test_gradient_in_float64(self, kind, masked, x64):
        arrays, ours, theirs = self.losses(kind, masked, jnp.float64)
        found = jax.jit(jax.grad(ours))(arrays)
        chex.assert_trees_all_close(found, jax.jit(jax.grad(theirs))(arrays), atol=1e-12)
        assert all(leaf.dtype == jnp.float64 for leaf in jax.tree.leaves(found))

    def test_gradient_in_bfloat16(self, kind, masked):
        """To the three digits that the format has, and in that format throughout."""
        arrays, ours, _ = self.losses(kind, masked)
        rounded = jax.tree.map(lambda a: a.astype(jnp.bfloat16), arrays)
        found = jax.jit(jax.grad(ours))(rounded)
        assert all(leaf.dtype == jnp.bfloat16 for leaf in jax.tree.leaves(found))
        exact = jax.jit(jax.grad(ours))(jax.tree.map(lambda a: a.astype(jnp.float32), rounded))
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(exact), strict=True):
            assert np.linalg.norm(a.astype(jnp.float32) - b) < 0.03 * np.linalg.norm(b)

    def test_gradient_vectorised(self, kind, masked):
        arrays, ours, theirs = self.losses(kind, masked)
        several = jax.tree.map(lambda a: jnp.stack([a, 0.5 * a, -a]), arrays)
        chex.assert_trees_all_close(
            jax.jit(jax.vmap(jax.grad(ours)))(several),
            jax.jit(jax.vmap(jax.grad(theirs)))(several),
            atol=1e-5,
        )

    def test_second_derivative(self, kind, masked):
        arrays, ours, theirs = self.losses(kind, masked)

        def twice(loss):
            inner = lambda a: sum((leaf**2).sum() for leaf in jax.tree.leaves(jax.grad(loss)(a)))
            return jax.jit(jax.grad(inner))(arrays)

        chex.assert_trees_all_close(twice(ours), twice(theirs), rtol=1e-3, atol=1e-3)
