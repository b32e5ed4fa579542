"""The two sides of a measurement: the same training, ours and PyTorch's, as calls to time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import torch

from jaxdep.experiment import Corpus, Experiment, Training, fields_of
from jaxdep.experiments import EXPERIMENTS
from jaxdep.parity import training
from jaxdep.parity.cases import Case
from jaxdep.parity.reference import reference
from jaxdep.train import devices, runs, step

Call = Callable[[], Any]
"""Does the work once, and returns when it is done."""


def experiment_of(case: Case) -> Experiment:
    """The experiment that trains a case; it has no corpus of its own.

    Devices share its batches where they do in the model's own experiments.
    """
    own = next(each for each in EXPERIMENTS.values() if type(each.model) is type(case.model))
    return Experiment(
        name=case.name,
        title=case.name,
        corpus=Corpus("none"),
        model=case.model,
        tasks=training.tasks_of(case.model),
        optimizer=training.OPTIMIZERS[case.name],
        training=Training(
            batch_size=case.batch, epochs=10**6, shard_batch=own.training.shard_batch
        ),
    )


def split_of(case: Case, items: int) -> dict[str, Any]:
    """Random recordings with random targets."""
    return {"inputs": case.inputs(batch=items), "targets": training.targets_of(case.model, items)}


def our_step(case: Case, **how: Any) -> Call:
    """One update of one run on a batch that lies on the devices.

    Args:
      how: as the rest of `devices.layout`.
    """
    experiment, batch = experiment_of(case), split_of(case, case.batch)
    layout = devices.layout(1, batch_size=experiment.training.shared_batch, **how)
    one = runs.stack(experiment, [0])
    trainer = runs.Trainer(experiment, {"train": batch, "validation": batch}, layout)
    state = layout.place_runs(trainer.init(one))
    placed = layout.place_runs(one)
    shared = layout.place_shared((batch, np.ones(case.batch, np.float32), np.int32(0), np.int32(1)))
    program = layout.compile(
        lambda run, state, *rest: step.one_step(experiment, run, state, *rest), donate=(1,)
    )

    def call() -> None:
        nonlocal state
        state, loss = program(placed, state, *shared)
        jax.block_until_ready((state, loss))

    return call


def our_epoch(case: Case, items: int, seeds: int = 1, **how: Any) -> Call:
    """One epoch of runs that train together, with its validation, as `jaxdep run` does it."""
    experiment = experiment_of(case)
    splits = {"train": split_of(case, items), "validation": split_of(case, case.batch)}
    layout = devices.layout(seeds, batch_size=experiment.training.shared_batch, **how)
    trainer = runs.Trainer(experiment, splits, layout)
    all_runs = runs.stack(experiment, range(seeds))
    state = trainer.init(all_runs)

    def call() -> None:
        nonlocal state
        state = trainer.train(all_runs, state=state, until=int(state.epoch.max()) + 1)

    return call


def their_step(case: Case, kind: type[torch.nn.Module]) -> Call:
    """One update in PyTorch on a batch that lies on its device."""
    update, device = _updater(case, kind)
    batch = split_of(case, case.batch)
    placed = {part: training.tensors(arrays, device) for part, arrays in batch.items()}

    def call() -> None:
        update(placed["inputs"], placed["targets"])
        _wait(device)

    return call


def their_epoch(case: Case, kind: type[torch.nn.Module], items: int, seeds: int = 1) -> Call:
    """One epoch in PyTorch with its validation, for one seed after another.

    The split lies on the device, and batches are taken from it by index.
    """
    updates = [_updater(case, kind) for _ in range(seeds)]
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
                update.module(inputs)
        _wait(device)

    return call


class _Update:
    """A reference and its optimiser; calling it makes one update."""

    def __init__(self, module: torch.nn.Module, case: Case) -> None:
        self.module = module
        self._tasks = training.tasks_of(case.model)
        self._optimizer = training.optimizer(training.OPTIMIZERS[case.name], module)

    def __call__(self, inputs: Mapping[str, Any], targets: Mapping[str, Any]) -> None:
        self._optimizer.zero_grad()
        training.loss(self._tasks, self.module(inputs), targets).backward()
        self._optimizer.step()


def _updater(case: Case, kind: type[torch.nn.Module]) -> tuple[_Update, str]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return _Update(module_of(case, kind).to(device).train(), case), device


def module_of(case: Case, kind: type[torch.nn.Module]) -> torch.nn.Module:
    """The reference of a case with random weights."""
    fields = {name: getattr(case.model, name) for name in fields_of(case.model)}
    return reference(case.name, fields, case.inputs(batch=1), kind)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
