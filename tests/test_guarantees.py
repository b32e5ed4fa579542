"""A seed is a run: JAMFN's seeds together, alone and on other devices start and go alike."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from variants import example_inputs

from jaxdep import random
from jaxdep.data import sampling
from jaxdep.experiments import EXPERIMENTS
from jaxdep.models import JAMFN
from jaxdep.train import devices, runs

pytestmark = pytest.mark.slow  # every day, on a smaller model, in tests/train/test_runs.py

MODEL = JAMFN(hidden=8, layers=1, channels=12, scales=(3,), dropout=0.2)
EXPERIMENT = replace(
    EXPERIMENTS["jamfn"],
    model=MODEL,
    training=replace(EXPERIMENTS["jamfn"].training, batch_size=8, epochs=1),
)
ITEMS = 45


def split(items, seed):
    labels = np.random.default_rng(seed).integers(0, 2, items).astype(np.int32)
    return {
        "inputs": example_inputs(MODEL, items, 20, seed),
        "targets": {"depression": labels},
    }


SPLITS = {"train": split(ITEMS, 0), "validation": split(17, 1)}


def trained(seeds, count, backend: Any = "jit", vectorized=None):
    """Initial weights, orders of two epochs, and the validation loss after the first epoch."""
    layout = devices.layout(
        len(seeds),
        devices=count,
        backend=backend,
        vectorized=vectorized,
        batch_size=EXPERIMENT.training.batch_size,
    )
    trainer = runs.Trainer(EXPERIMENT, SPLITS, layout)
    stacked = runs.stack(EXPERIMENT, seeds)
    initial = trainer.init(stacked)

    def orders_of(run, _):
        keys = [random.order_key(random.run_key(run.seed), epoch) for epoch in (0, 1)]
        return [sampling.shuffled(key, ITEMS, 8)[0] for key in keys]

    zeros = layout.place_runs(np.zeros(len(seeds), np.int32))
    orders = layout.fetch(layout.compile(orders_of)(layout.place_runs(stacked), zeros))
    losses = trainer.train(stacked, state=initial).score
    return initial.variables, orders, losses


@pytest.fixture(scope="module")
def together():
    return trained(range(8), 1)


@pytest.mark.parametrize(
    ("seeds", "how"),
    [
        ([3], {"count": 1}),
        ([3, 5], {"count": 2}),
        ([3, 5], {"count": 2, "backend": "pmap"}),
        ([5, 3, 0], {"count": 8}),  # batches of each spread over devices
        ([3, 5], {"count": 1, "vectorized": True}),
    ],
)
def test_seeds_with_other_company(together, seeds, how):
    variables, orders, losses = trained(seeds, **how)
    all_variables, all_orders, all_losses = together
    for place, seed in enumerate(seeds):
        for one, other in zip(
            jax.tree.leaves((variables, orders)),
            jax.tree.leaves((all_variables, all_orders)),
            strict=True,
        ):
            np.testing.assert_array_equal(one[place], other[seed])
        assert abs(losses[place] - all_losses[seed]) <= 1e-5


def test_seeds_differ(together):
    variables, orders, losses = together
    kernel = variables["params"]["classifier"]["kernel"]
    assert len({row.tobytes() for row in kernel}) == 8
    assert len({row.tobytes() for epoch in orders for row in epoch}) == 16
    assert len(set(losses.tolist())) == 8
    for epoch in orders:  # every recording once; the last batch is filled with the first
        flat = epoch.reshape(8, -1)[:, :ITEMS]
        np.testing.assert_array_equal(np.sort(flat, axis=1), np.tile(np.arange(ITEMS), (8, 1)))
