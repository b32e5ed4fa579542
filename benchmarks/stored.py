"""Measures the cost of input: epochs from memory and from disk, and reading alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdep.benchmarks import timing
from jaxdep.benchmarks.sides import epochs
from jaxdep.data import sampling, stream
from jaxdep.data.opening import open_corpus
from jaxdep.data.preparation import prepare_or_synthesize
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.models import name_of
from jaxdep.models.spec import Case
from jaxdep.runner.run import find
from jaxdep.train import devices, runs, step, streaming
from jaxdep.train.layout import Layout, spread_batch

_STEPS = 4  # updates per measured epoch


def shares(name: str, case: Case, repeats: int) -> Iterator[dict[str, Any]]:
    """Times an epoch on the synthetic stand-in for an experiment's corpus.

    Args:
      name: name of the experiment; its model and sizes are replaced by those of the case.
      case: model and input sizes.
      repeats: number of timed repetitions.

    Yields:
      One measurement: seconds of an epoch from memory and from disk, of gathering its batches in
      memory alone and of reading them from disk alone, and the fraction of the epoch spent on
      input.

    Raises:
      UserError: the model has no corpus with a synthetic stand-in.
    """
    if not name:
        raise UserError(
            f"{name_of(case.model)} has no corpus on disk to measure; choose another --model"
        )
    with tempfile.TemporaryDirectory() as folder:
        experiment = _experiment(name, case)
        corpus, labels = experiment.corpus, experiment.labels
        prepared = prepare_or_synthesize(corpus, data_dir=folder, log=lambda line: None)
        resident, stored = (
            open_corpus(prepared, corpus, labels, stream=on_disk).splits
            for on_disk in (False, True)
        )
        # Use a few full batches only, so that the epoch does not depend on the size of the corpus.
        items = np.arange(min(_STEPS * case.batch, len(resident["train"])))
        cut = lambda splits: {
            "train": splits["train"].take(items, "train"),
            "validation": splits["validation"].take(items[:1], "validation"),
        }
        one = runs.stack(experiment, [0])
        layout = devices.layout(1, batch_size=experiment.training.shared_batch)
        in_memory = {part: split.arrays for part, split in cut(resident).items()}
        orders = np.resize(items, (len(items) // case.batch, case.batch))
        found = timing.medians(
            {
                "memory": epochs(runs.Trainer(experiment, in_memory, layout), one),
                "disk": epochs(streaming.StreamTrainer(experiment, cut(stored), layout), one),
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
    experiment = find(name)
    items = 2 * _STEPS * case.batch  # more than half of them are in the training split
    synthetic = {**experiment.corpus.synthetic, "items": items}
    lengths = dict.fromkeys(experiment.corpus.lengths, case.length)
    return replace(
        experiment,
        model=case.model,
        corpus=replace(experiment.corpus, lengths=lengths, synthetic=synthetic),
        training=replace(experiment.training, batch_size=case.batch, epochs=10**6, patience=0),
    )


def _gather(layout: Layout, split: step.Data, orders: np.ndarray) -> Callable[[], None]:
    """Gathers the batches of an epoch and only sums their values."""

    def touch(_: Any, total: Any, data: Any, orders: Any) -> Any:
        def body(total: Any, rows: Any) -> Any:
            batch = spread_batch(sampling.gather(data, rows))
            return total + sum(x.astype(jnp.float32).sum() for x in jax.tree.leaves(batch)), None

        return jax.lax.scan(body, total, orders)[0]

    program = layout.compile(touch)
    placed = layout.place_runs((np.zeros(1, np.int32), np.zeros(1, np.float32)))
    shared = layout.place_shared((split, orders.astype(np.int32)))
    return lambda: program(*placed, *shared).block_until_ready()
