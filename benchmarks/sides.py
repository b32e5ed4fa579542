"""Our training and PyTorch's as calls to be timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import torch

from jaxdep.benchmarks.precisions import FLOAT32, Precision
from jaxdep.experiment import Corpus, Experiment, Training
from jaxdep.experiments import EXPERIMENTS
from jaxdep.models import spec_of
from jaxdep.models.spec import Case
from jaxdep.parity import training
from jaxdep.parity.reference import reference
from jaxdep.train import devices, memory, runs, step

Call = Callable[[], Any]
"""Performs the work once and blocks until it is done."""


def experiment_of(case: Case, precision: Precision = FLOAT32) -> Experiment:
    """An experiment that trains a case, without a corpus.

    Devices share its batches as in the model's experiments.
    """
    default = next(each for each in EXPERIMENTS.values() if type(each.model) is type(case.model))
    name = spec_of(case.model).name
    return Experiment(
        name=name,
        title=name,
        corpus=Corpus("none"),
        model=case.model,
        tasks=training.tasks_of(case.model),
        optimizer=training.optimizer_of(case.model),
        training=Training(
            batch_size=case.batch,
            epochs=10**6,
            shard_batch=default.training.shard_batch,
            compute=precision.compute,
        ),
    )


def split_of(case: Case, items: int) -> dict[str, Any]:
    """Random recordings with random targets."""
    inputs = spec_of(case.model).case_inputs(case, batch=items)
    return {"inputs": inputs, "targets": training.targets_of(case.model, items)}


def our_step(case: Case, precision: Precision = FLOAT32, **kwargs: Any) -> Call:
    """One update of one run with a batch on the devices.

    Args:
      case: model and input sizes.
      precision: precision of the arithmetic.
      **kwargs: further arguments of `devices.layout`.
    """
    experiment, example = experiment_of(case, precision), split_of(case, 1)
    layout = devices.layout(1, batch_size=experiment.training.shared_batch, **kwargs)
    one = runs.stack(experiment, [0])
    weights = np.ones(case.batch, np.float32)
    shared = (split_of(case, case.batch), weights, np.int32(0), np.int32(1))
    shared = layout.place_shared(shared)
    program = layout.compile_ahead(
        lambda run, state, *rest: step.one_step(experiment, run, state, *rest),
        *runs.shapes_of_one(experiment, one, example),
        *shared,
        in_place=True,
    )
    trainer = runs.Trainer(experiment, {"train": example, "validation": example}, layout)
    state, placed = trainer.start(one), layout.place_runs(one)

    def call() -> None:
        nonlocal state
        state, loss = program(placed, state, *shared)
        jax.block_until_ready((state, loss))

    return call


def our_epoch(
    case: Case,
    items: int,
    seeds: int = 1,
    precision: Precision = FLOAT32,
    *,
    devices: int = 0,
    runs_per_device: int | None = None,
) -> Call:
    """One epoch of runs that train together, including validation, as in `jaxdep run`.

    Args:
      case: model and input sizes.
      items: number of recordings of the training split.
      seeds: number of runs.
      precision: precision of the arithmetic.
      devices: number of devices; 0: all.
      runs_per_device: as in `memory.plan`, which trains the runs in parts of this size. None:
        all runs at once on CPUs, and as many as fit on accelerators.
    """
    experiment = experiment_of(case, precision)
    splits = {"train": split_of(case, items), "validation": split_of(case, case.batch)}
    if runs_per_device is None:
        runs_per_device = seeds if jax.default_backend() == "cpu" else 0
    settings = {"runs_per_device": runs_per_device, "devices": devices}
    all_runs = runs.stack(experiment, range(seeds))
    trainer = memory.plan_in_memory(experiment, splits, all_runs, **settings).trainer
    size = trainer.layout.runs
    starts = range(0, seeds, size)
    parts = [runs.stack(experiment, range(x, min(x + size, seeds))) for x in starts]
    calls = [epochs(trainer, part) for part in parts]

    def call() -> None:
        for one in calls:
            one()

    return call


def epochs(trainer: runs.Trainer, together: step.Run) -> Call:
    """Trains runs for one more epoch at every call, including validation."""
    state = trainer.init(together)

    def call() -> None:
        nonlocal state
        state = trainer.train(together, state=state, until=int(state.epoch.max()) + 1)

    return call


def their_step(case: Case, path: str, precision: Precision = FLOAT32) -> Call:
    """One update in PyTorch with a batch on its device."""
    update, device = _updater(case, path, precision)
    batch = split_of(case, case.batch)
    placed = {part: training.tensors(arrays, device) for part, arrays in batch.items()}

    def call() -> None:
        update(placed["inputs"], placed["targets"])
        _wait(device)

    return call


def their_epoch(
    case: Case, path: str, items: int, seeds: int = 1, precision: Precision = FLOAT32
) -> Call:
    """One epoch in PyTorch including validation, sequentially for each seed.

    The split is on the device, and batches are gathered by index.
    """
    updates = [_updater(case, path, precision) for _ in range(seeds)]
    device = updates[0][1]
    split, held = split_of(case, items), split_of(case, case.batch)
    placed = {part: training.tensors(arrays, device) for part, arrays in split.items()}
    inputs = training.tensors(held["inputs"], device)

    def call() -> None:
        for update, _ in updates:
            for rows in torch.randperm(items, device=device).split(case.batch):
                take = lambda part, rows=rows: {k: x[rows] for k, x in placed[part].items()}
                update(take("inputs"), take("targets"))
            with torch.no_grad():
                update.outputs(inputs)
        _wait(device)

    return call


class _Update:
    """A reference and its optimizer; each call makes one update."""

    def __init__(self, module: torch.nn.Module, case: Case, precision: Precision) -> None:
        self._module = module
        self._tasks = training.tasks_of(case.model)
        self._optimizer = training.optimizer(training.optimizer_of(case.model), module)
        self._precision = precision

    def outputs(self, inputs: Mapping[str, Any]) -> Any:
        """Outputs of the reference, in float32."""
        with self._precision.autocast(next(self._module.parameters()).device.type):
            outputs = self._module(inputs)
        return {name: output.float() for name, output in outputs.items()}

    def __call__(self, inputs: Mapping[str, Any], targets: Mapping[str, Any]) -> None:
        self._optimizer.zero_grad()
        training.loss(self._tasks, self.outputs(inputs), targets).backward()
        self._optimizer.step()


def _updater(case: Case, path: str, precision: Precision) -> tuple[_Update, str]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return _Update(module_of(case, path).to(device).train(), case, precision), device


def module_of(case: Case, path: str) -> torch.nn.Module:
    """The PyTorch module at a dotted path, configured as in a case, with random weights."""
    return reference(case.model, spec_of(case.model).case_inputs(case, batch=1), path)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
