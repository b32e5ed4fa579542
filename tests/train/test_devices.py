"""Where runs live: padding of the runs axis, placement and return, messages."""

import jax
import numpy as np
import pytest

from jaxdep.errors import UserError
from jaxdep.train import devices


@pytest.mark.parametrize("backend", ["jit", "pmap"])
@pytest.mark.parametrize(("runs", "count"), [(1, 1), (5, 2), (8, 8), (9, 8)])
def test_round_trip(backend, runs, count):
    layout = devices.layout(runs, devices=count, backend=backend)
    values = np.random.default_rng(0).normal(size=(runs, 3)).astype(np.float32)
    np.testing.assert_array_equal(layout.fetch(layout.place_runs(values)), values)
    assert layout.padded % count == 0


@pytest.mark.parametrize("backend", ["jit", "pmap"])
@pytest.mark.parametrize("vectorized", [False, True])
def test_function_of_one_run(backend, vectorized):
    layout = devices.layout(5, devices=4, backend=backend, vectorized=vectorized)
    a, b = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    shared = np.arange(3, dtype=np.float32)
    program = layout.compile(lambda run, state, common: (run * common, state.sum()))
    product, total = layout.fetch(
        program(layout.place_runs(a), layout.place_runs(b), layout.place_shared(shared))
    )
    np.testing.assert_allclose(product, a * shared, rtol=1e-6)
    np.testing.assert_allclose(total, b.sum(1), rtol=1e-5)


@pytest.mark.parametrize("deterministic", [False, True])
def test_devices_of_a_cpu_share_one_copy(deterministic):
    layout = devices.layout(4, devices=4, deterministic=deterministic)
    values = np.random.default_rng(0).normal(size=(101, 7)).astype(np.float32)
    first = layout.compile(lambda run, state, common: common[3] + run)
    addresses = {
        shard.data.unsafe_buffer_pointer()
        for array in jax.tree.leaves(placed_arrays(layout.place_shared(values)))
        for shard in array.addressable_shards
    }
    assert len(addresses) == 1
    zeros = layout.place_runs(np.zeros(4, np.float32))
    for row in layout.fetch(first(zeros, zeros, layout.place_shared(values))):
        np.testing.assert_array_equal(row, values[3])


def placed_arrays(tree):
    """The arrays of a placed tree: one over all devices, or one for each."""
    return getattr(tree, "arrays", tree)


def test_uses_all_devices_unless_told():
    assert len(devices.layout(20).devices) == len(jax.devices()) == 8
    assert len(devices.layout(3).devices) == 3


def test_too_many_devices():
    with pytest.raises(UserError, match=r"JAX sees 8 \(cpu\)"):
        devices.layout(20, devices=9)


def test_unknown_backend():
    with pytest.raises(UserError, match="choose jit or pmap"):
        devices.layout(2, backend="xmap")  # pyright: ignore[reportArgumentType]
