"""Trains many runs at once: seeds and numeric settings along one axis of one compiled program."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep.data import sampling
from jaxdep.errors import UserError
from jaxdep.experiment import ALWAYS_TRACED, Experiment
from jaxdep.overrides import value_of
from jaxdep.train import checkpoint, step
from jaxdep.train.layout import Layout
from jaxdep.train.status import Status

Report = Callable[[int, np.ndarray, list[dict[str, Any]]], None]
"""Callback after each epoch: epoch number, status of each run, and lines of `metrics.jsonl`."""


def stack(
    experiment: Experiment, seeds: Sequence[int], hyper: Sequence[Mapping[str, float]] = ()
) -> step.Run:
    """Stacks runs along the runs axis: one per seed, or one per pair of seed and settings.

    Args:
      experiment: experiment that provides the default settings.
      seeds: seed of each run.
      hyper: traced settings of each run; missing ones default to the experiment's values.
    """
    settings = list(hyper) or [{}] * len(seeds)
    paths = sorted({*ALWAYS_TRACED, *(path for each in settings for path in each)})
    default = {path: value_of(experiment, path) for path in paths}
    values = {
        path: np.asarray([{**default, **each}[path] for each in settings], np.float32)
        for path in paths
    }
    return step.Run(seed=np.asarray(seeds, np.uint32), hyper=values)


class Trainer:
    """Trains runs of one experiment, as many at once as its layout holds.

    The training and validation splits stay on the devices. The epoch program is compiled when it is
    first needed and reused for all later runs.

    Attributes:
      programs: number of epoch programs compiled.
      compile_seconds: time spent compiling them.
    """

    def __init__(self, experiment: Experiment, splits: Mapping[str, step.Data], layout: Layout):
        """Places the `train` and `validation` splits, given on the host, on the devices."""
        self.experiment = experiment
        self.layout = layout
        self.programs = 0
        self.compile_seconds = 0.0
        self._program: Any = None
        self._example = self._open(splits)
        self._init: Any = None

    def _open(self, splits: Mapping[str, Any]) -> step.Data:
        """Prepares the splits; returns one recording of the training split as an example."""
        names = ("train", "validation")
        self._data = tuple(self.layout.place_shared(splits[name]) for name in names)
        return jax.tree.map(lambda x: x[:1], splits["train"])

    def compile(self, runs: step.Run) -> Any:
        """Returns the epoch program for all runs of the layout; compiles it on the first call.

        Args:
          runs: runs with the same names of settings as those to be trained.

        Raises:
          UserError: the monitored metric does not exist.
        """
        if self._program is None:
            one = shapes_of_one(self.experiment, runs, self._example)
            started = time.perf_counter()
            self._program = self._compile(*one)
            self.compile_seconds += time.perf_counter() - started
            self.programs += 1
        return self._program

    def memory_analysis(self, runs: step.Run) -> Any:
        """The compiler's memory analysis of the program that trains; None if there is none.

        Args:
          runs: as in `compile`.
        """
        return self.compile(runs).memory_analysis()

    def _compile(self, run: step.Run, state: step.State) -> Any:
        """Compiles the epoch program from the shapes of one run."""
        one_epoch = lambda run, state, *data: step.epoch(self.experiment, run, state, *data)
        return self.layout.compile_ahead(one_epoch, run, state, *self._data, in_place=True)

    def _advance(self, runs: step.Run, placed: step.State, epoch: int) -> tuple[step.State, Any]:
        """Trains for one epoch, counted from 0; returns the new state and history, not fetched."""
        return self.compile(runs)(self.layout.place_runs(runs), placed, *self._data)

    def init(self, runs: step.Run) -> step.State:
        """The initial state of runs, on the host."""
        return _first(self.layout.fetch(self.start(runs)), len(runs.seed))

    def start(self, runs: step.Run) -> step.State:
        """The initial state of runs, on the devices."""
        draw = lambda seed: jax.device_get(step.draw(self.experiment, seed, self._example))
        variables = jax.tree.map(lambda *each: np.stack(each), *map(draw, runs.seed))
        if self._init is None:
            first = lambda run, variables: step.begin(self.experiment, run, variables)
            self._init = self.layout.compile_ahead(first, _one_of(runs), _one_of(variables))
        placed = self._init(self.layout.place_runs(runs), self.layout.place_runs(variables))
        return self._without_padding(placed, np.full(len(runs.seed), Status.RUNNING, np.int32))

    def train(
        self,
        runs: step.Run,
        *,
        state: step.State | None = None,
        until: int = 0,
        folder: Path | None = None,
        resume: bool = False,
        report: Report | None = None,
    ) -> step.State:
        """Trains runs together until each has finished, stopped early or diverged.

        Args:
          runs: runs to train, at most as many as the layout holds.
          state: starting state on the host; None starts from the initial state.
          until: epoch after which to pause; 0 trains to the end.
          folder: directory of the checkpoints; None disables checkpointing.
          resume: continue from the newest intact checkpoint in `folder`, bit for bit.
          report: callback after each epoch.

        Returns:
          The state of the runs on the host.

        Raises:
          UserError: the monitored metric does not exist.
        """
        until = until or self.experiment.training.epochs
        fetch = lambda tree: _first(self.layout.fetch(tree), len(runs.seed))
        with checkpoint.manager(folder) if folder else nullcontext() as checkpoints:
            if resume and checkpoints:
                like = shapes_of(self.experiment, runs, self._example)
                _, state = checkpoint.restore(checkpoints, like) or (0, state)
            placed = self._place(state) if state else self.start(runs)
            del state  # the runs are on the devices, and need no memory here
            epochs, status = fetch((placed.epoch, placed.status))
            epoch = int(epochs.max())
            while epoch < until and (status == Status.RUNNING).any():
                was_running = status == Status.RUNNING
                placed, history = self._advance(runs, placed, epoch)
                status, history = fetch((placed.status, history))
                epoch += 1
                if report:
                    report(epoch, status, _lines(runs, epoch, was_running, status, history))
                if checkpoints:
                    checkpoint.save(checkpoints, epoch, fetch(placed))
            return fetch(placed)

    def predict(self, variables: Any, split: step.Data) -> dict[str, np.ndarray]:
        """Outputs of all runs on a split, which is on the host: [R, N, C] or [R, N] for each task.

        Args:
          variables: model variables of the runs, [R, ...], on the host; as many at once are
            computed as the layout holds.
          split: split to predict.
        """
        count, size = len(jax.tree.leaves(variables)[0]), self.layout.runs
        parts = [
            self._predict(rows_of(variables, slice(first, first + size)), split)
            for first in range(0, count, size)
        ]
        return jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)

    def _predict(self, variables: Any, split: Any) -> dict[str, np.ndarray]:
        """As `predict`, for as many runs as the layout holds."""
        return predict(self.experiment, variables, split, self.layout)

    def _place(self, state: step.State) -> step.State:
        """A state from the host, on the devices."""
        return self._without_padding(self.layout.place_runs(state), state.status)

    def _without_padding(self, placed: step.State, status: Any) -> step.State:
        """Marks padding runs as stopped, so that no work is spent on them."""
        return placed.replace(status=self.layout.place_runs(status, fill=Status.STOPPED))


def predict(
    experiment: Experiment, variables: Any, split: step.Data, layout: Layout
) -> dict[str, np.ndarray]:
    """Outputs of all runs on a split, which is on the host: [R, N, C] or [R, N] for each task.

    Args:
      experiment: experiment that the model belongs to.
      variables: model variables of the runs, [R, ...], on the host.
      split: split to predict.
      layout: devices of the runs.
    """
    return predictor(experiment, variables, layout)(split)


def predictor(
    experiment: Experiment, variables: Any, layout: Layout
) -> Callable[[step.Data], dict[str, np.ndarray]]:
    """Returns a function as `predict`, for several splits or a few recordings.

    It computes batches of the experiment's size, the last one filled up with the first recording,
    so that one program serves splits of any size, and new recordings are predicted by the program
    that evaluated the run.

    Args:
      experiment: experiment that the model belongs to.
      variables: model variables of the runs, [R, ...], on the host.
      layout: devices of the runs.
    """
    count = len(jax.tree.leaves(variables)[0])
    outputs_of = lambda _, variables, inputs: step.predict(experiment, variables, inputs)
    zeros, placed = layout.place_runs(np.zeros(count, np.int32)), layout.place_runs(variables)
    program = layout.compile(outputs_of)

    def batch_of(inputs: Mapping[str, Any], rows: np.ndarray) -> dict[str, np.ndarray]:
        batch = layout.place_shared({name: np.asarray(x)[rows] for name, x in inputs.items()})
        return _first(layout.fetch(program(zeros, placed, batch)), count)

    def outputs(split: step.Data) -> dict[str, np.ndarray]:
        items = len(next(iter(split["inputs"].values())))
        batches, _ = sampling.in_order(items, experiment.training.batch_size)
        parts = [batch_of(split["inputs"], rows) for rows in np.asarray(batches)]
        return {task: np.concatenate([x[task] for x in parts], 1)[:, :items] for task in parts[0]}

    return outputs


def restore_best(
    experiment: Experiment, seeds: Sequence[int], train_split: step.Data, folder: Path
) -> Any:
    """Restores the best variables of each run, [R, ...], on the host.

    Args:
      experiment: experiment that was trained.
      seeds: seed of each run.
      train_split: training split, or one recording, which determines the shapes.
      folder: directory of the checkpoints.

    Raises:
      UserError: no checkpoint can be read.
    """
    like = shapes_of(experiment, stack(experiment, seeds), train_split)
    with checkpoint.manager(folder) as checkpoints:
        restored = checkpoint.restore(checkpoints, like)
    if restored is None:
        raise UserError(f"{folder}: no readable checkpoint; run the experiment again")
    return restored[1].best


def shapes_of(experiment: Experiment, runs: step.Run, example: step.Data) -> step.State:
    """Shapes and dtypes of the state of runs, on the host.

    Args:
      experiment: experiment to train.
      runs: runs of the state.
      example: a split whose first recording determines the shapes.
    """
    return jax.eval_shape(jax.vmap(lambda run: step.init(experiment, run, example)), runs)


def shapes_of_one(
    experiment: Experiment, runs: step.Run, example: step.Data
) -> tuple[step.Run, step.State]:
    """Shapes and dtypes of one of several runs and of its state; arguments as in `shapes_of`."""
    run = _one_of(runs)
    return run, jax.eval_shape(lambda run: step.init(experiment, run, example), run)


def _one_of(runs: Any) -> Any:
    """Shapes and dtypes of one of several runs, or of its part of a tree of arrays."""
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), runs)


def rows_of(tree: Any, rows: slice) -> Any:
    """Some runs of arrays whose first axis is the runs axis."""
    return jax.tree.map(lambda x: x[rows], tree)


def _first(tree: Any, count: int) -> Any:
    """Slices the first `count` runs from arrays that may hold more."""
    return rows_of(tree, slice(count))


def _lines(
    runs: step.Run, epoch: int, was_running: np.ndarray, status: np.ndarray, history: Any
) -> list[dict[str, Any]]:
    """One line of `metrics.jsonl` for each run that trained in this epoch."""

    def line(run: int) -> dict[str, Any]:
        identity = {"run": run, "seed": int(runs.seed[run]), "epoch": epoch}
        outcome = {"status": Status(int(status[run])).label}
        return identity | outcome | jax.tree.map(lambda values: _plain(values[run]), history)

    return [line(int(run)) for run in np.flatnonzero(was_running)]


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
