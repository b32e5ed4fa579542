"""What input costs: an epoch from memory and from disk, beside the reading alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdep import launch, material
from jaxdep.benchmarks import timing
from jaxdep.data import sampling, stream
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.parity.cases import Case
from jaxdep.train import devices, runs, step, streaming

_STEPS = 4  # of an epoch that is measured


def shares(name: str, case: Case, repeats: int) -> Iterator[dict[str, Any]]:
    """Times an epoch of the stand-in of an experiment's corpus.

    Args:
      name: of the experiment; its model and sizes are those of the case.

    Yields:
      One point: seconds of an epoch from memory and from disk, of taking its batches in memory
      alone and of reading them alone, and the shares of the epoch that input adds.

    Raises:
      UserError: the subject has no corpus that a stand-in can be made of.
    """
    if not name:
        raise UserError(f"{case.name} has no corpus on disk to measure: choose another --model")
    with tempfile.TemporaryDirectory() as folder:
        experiment = _experiment(name, case)
        prepared = material.prepare(experiment, None, data_dir=Path(folder), log=lambda line: None)
        resident, stored = (material.load(experiment, prepared, streamed=s) for s in (False, True))
        # No more than whole batches of a few steps: the epoch is what it is for any corpus.
        items = np.arange(min(_STEPS * case.batch, len(resident["train"])))
        cut = lambda splits: {
            "train": splits["train"].take(items, "train"),
            "validation": splits["validation"].take(items[:1], "validation"),
        }
        layout = devices.layout(1, batch_size=experiment.training.shared_batch)
        in_memory = {part: split.arrays for part, split in cut(resident).items()}
        orders = np.resize(items, (len(items) // case.batch, case.batch))
        found = timing.medians(
            {
                "memory": _epochs(runs.Trainer(experiment, in_memory, layout)),
                "disk": _epochs(streaming.StreamTrainer(experiment, cut(stored), layout)),
                "gather": _gather(layout, in_memory["train"], orders),
                "read": lambda: list(stream.batches(stored["train"], orders)),
            },
            repeats,
        )
    yield {
        "steps": len(orders),
        "epoch_from_memory_s": found["memory"],
        "epoch_from_disk_s": found["disk"],
        "gather_alone_s": found["gather"],
        "read_alone_s": found["read"],
        "share_in_memory": found["gather"] / found["memory"],
        "share_from_disk": 1 - found["memory"] / found["disk"],
    }


def _experiment(name: str, case: Case) -> Experiment:
    experiment = launch.find(name)
    items = 2 * _STEPS * case.batch  # of which more than half are for training
    synthetic = {**experiment.corpus.synthetic, "items": items}
    lengths = dict.fromkeys(experiment.corpus.lengths, case.length)
    return replace(
        experiment,
        model=case.model,
        corpus=replace(experiment.corpus, lengths=lengths, synthetic=synthetic),
        training=replace(experiment.training, batch_size=case.batch, epochs=10**6, patience=0),
    )


def _epochs(trainer: runs.Trainer) -> Callable[[], None]:
    one = runs.stack(trainer.experiment, [0])
    state = trainer.init(one)

    def call() -> None:
        nonlocal state
        state = trainer.train(one, state=state, until=int(state.epoch.max()) + 1)

    return call


def _gather(layout: devices.Layout, split: step.Data, orders: np.ndarray) -> Callable[[], None]:
    """Takes the batches of an epoch and does nothing with them but touch each number once."""

    def touch(_: Any, total: Any, data: Any, orders: Any) -> Any:
        def body(total: Any, rows: Any) -> Any:
            batch = devices.spread_batch(sampling.gather(data, rows))
            return total + sum(x.astype(jnp.float32).sum() for x in jax.tree.leaves(batch)), None

        return jax.lax.scan(body, total, orders)[0]

    program = layout.compile(touch)
    placed = layout.place_runs((np.zeros(1, np.int32), np.zeros(1, np.float32)))
    shared = layout.place_shared((split, orders.astype(np.int32)))
    return lambda: program(*placed, *shared).block_until_ready()
