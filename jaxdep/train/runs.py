"""Many runs at once: seeds and numeric settings along one axis of one compiled program."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep.errors import UserError
from jaxdep.experiment import ALWAYS_TRACED, Experiment, value_of
from jaxdep.train import checkpoint, step
from jaxdep.train.devices import Layout
from jaxdep.train.status import Status

Report = Callable[[int, np.ndarray, list[dict[str, Any]]], None]
"""Called after each epoch with its number, the runs' statuses, and the epoch's history lines."""


@dataclass(frozen=True)
class Trained:
    """What runs became.

    Attributes:
      state: of all runs, arrays [R, ...] on the host.
      outputs: for each task the best epoch's outputs on the test split, [R, N, C] or [R, N].
      compile_seconds: spent on compiling the epoch's program.
    """

    state: step.State
    outputs: dict[str, np.ndarray]
    compile_seconds: float


def stack(
    experiment: Experiment, seeds: Sequence[int], hyper: Sequence[Mapping[str, float]] = ()
) -> step.Run:
    """The runs axis: one run for each seed, or for each pair of a seed and its own settings.

    Args:
      hyper: traced settings of each run; what a run does not name is the experiment's own.
    """
    own = list(hyper) or [{}] * len(seeds)
    paths = sorted({*ALWAYS_TRACED, *(path for each in own for path in each)})
    default = {path: value_of(experiment, path) for path in paths}
    values = {
        path: np.asarray([{**default, **each}[path] for each in own], np.float32) for path in paths
    }
    return step.Run(seed=np.asarray(seeds, np.uint32), hyper=values)


class Trainer:
    """Trains runs of one experiment, as many at once as its layout holds.

    The training and validation splits lie on the devices, and the program of an epoch is compiled
    when it is first needed, for all runs that follow.

    Attributes:
      programs: how many programs of an epoch were compiled.
      compile_seconds: spent on that.
    """

    def __init__(self, experiment: Experiment, splits: Mapping[str, step.Data], layout: Layout):
        """Puts the splits `train` and `validation`, which are on the host, on the devices."""
        self.experiment = experiment
        self.layout = layout
        self.programs = 0
        self.compile_seconds = 0.0
        self._program: Any = None
        self._example = self._open(splits)
        first = lambda run, _, data: step.init(experiment, run, data)
        self._init = layout.compile(first)

    def _open(self, splits: Mapping[str, Any]) -> step.Data:
        """Makes the splits ready; returns one recording of the training split."""
        names = ("train", "validation")
        self._data = tuple(self.layout.place_shared(splits[name]) for name in names)
        return jax.tree.map(lambda x: x[:1], splits["train"])

    def compile(self, runs: step.Run) -> Any:
        """The program of an epoch for as many runs as the layout holds, compiled once.

        Args:
          runs: any whose settings are named alike.

        Raises:
          UserError: the monitored quantity does not exist.
        """
        if self._program is None:
            one = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), runs)
            blank = jax.eval_shape(lambda run: step.init(self.experiment, run, self._example), one)
            started = time.perf_counter()
            try:
                self._program = self._compile(one, blank)
            except KeyError as missing:
                raise UserError(
                    f"training.monitor={missing}: there are loss, and for each task <task>.loss and"
                    " <task>.accuracy, or of a regression <task>.mae"
                ) from None
            self.compile_seconds += time.perf_counter() - started
            self.programs += 1
        return self._program

    def _compile(self, run: step.Run, state: step.State) -> Any:
        """The program of an epoch, from the shapes of one run."""
        arguments = (self.layout.blank_runs(run), self.layout.blank_runs(state), *self._data)
        one_epoch = lambda run, state, *data: step.epoch(self.experiment, run, state, *data)
        return self.layout.compile(one_epoch, donate=(1,)).lower(*arguments).compile()

    def _advance(self, runs: step.Run, there: step.State, epoch: int) -> tuple[step.State, Any]:
        """Trains for one epoch, counted from 0: the state after it and its history, placed."""
        return self.compile(runs)(self.layout.place_runs(runs), there, *self._data)

    def init(self, runs: step.Run) -> step.State:
        """The state of runs before their first epoch, on the host."""
        zeros = self.layout.place_runs(np.zeros(len(runs.seed), np.int32))
        example = self.layout.place_shared(self._example)
        state = self._init(self.layout.place_runs(runs), zeros, example)
        return _first(self.layout.fetch(state), len(runs.seed))

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
        """Trains runs together until each has finished, stopped or diverged.

        Args:
          runs: at most as many as the layout holds.
          state: to start from, on the host; None: the initial one.
          until: pause after this epoch; 0: go to the end.
          folder: where checkpoints go; None: none are written.
          resume: continue from the newest sound checkpoint in `folder`, bit for bit.
          report: told of every epoch.

        Returns:
          The state of the runs on the host.

        Raises:
          UserError: the monitored quantity does not exist.
        """
        state = state or self.init(runs)
        until = until or self.experiment.training.epochs
        with checkpoint.manager(folder) if folder else nullcontext() as checkpoints:
            found = checkpoint.restore(checkpoints, state) if resume and checkpoints else None
            state = found[1] if found else state
            epoch = int(state.epoch.max())
            if epoch >= until or not (state.status == Status.RUNNING).any():
                return state
            self.compile(runs)
            there = self._place(state)
            fetch = lambda tree: _first(self.layout.fetch(tree), len(runs.seed))
            status = state.status
            while epoch < until and (status == Status.RUNNING).any():
                was_running = status == Status.RUNNING
                there, history = self._advance(runs, there, epoch)
                status, history = fetch((there.status, history))
                epoch += 1
                if report:
                    report(epoch, status, _lines(runs, epoch, was_running, status, history))
                if checkpoints:
                    checkpoint.save(checkpoints, epoch, fetch(there))
            return fetch(there)

    def predict(self, variables: Any, split: step.Data) -> dict[str, np.ndarray]:
        """Outputs of runs for a split on the host: [R, N, C] or [R, N] for each task.

        Args:
          variables: [R, ...] on the host.
        """
        return predict(self.experiment, variables, split, self.layout)

    def _place(self, state: step.State) -> step.State:
        # What pads the runs axis must cost nothing: it has stopped before it began.
        idle = self.layout.place_runs(state.status, fill=Status.STOPPED)
        return self.layout.place_runs(state).replace(status=idle)


def train(
    experiment: Experiment,
    runs: step.Run,
    splits: Mapping[str, step.Data],
    layout: Layout,
    *,
    folder: Path | None = None,
    resume: bool = False,
    report: Report | None = None,
) -> Trained:
    """Trains all runs together to their end, and lets them predict the test split.

    Args:
      splits: `train`, `validation` and `test`, on the host. The test split is read once, after
        the last epoch.
      folder: as the rest in `Trainer.train`.
    """
    trainer = Trainer(experiment, splits, layout)
    state = trainer.train(runs, folder=folder, resume=resume, report=report)
    outputs = trainer.predict(state.best, splits["test"])
    return Trained(state, outputs, trainer.compile_seconds)


def predict(
    experiment: Experiment, variables: Any, split: step.Data, layout: Layout
) -> dict[str, np.ndarray]:
    """Outputs of runs for a split on the host: [R, N, C] or [R, N] for each task.

    Args:
      variables: [R, ...] on the host.
    """
    count = len(jax.tree.leaves(variables)[0])
    outputs_of = lambda _, variables, data: step.predict(experiment, variables, data)
    zeros = layout.place_runs(np.zeros(count, np.int32))
    program = layout.compile(outputs_of)
    outputs = program(zeros, layout.place_runs(variables), layout.place_shared(split))
    return _first(layout.fetch(outputs), count)


def restore_best(
    experiment: Experiment, seeds: Sequence[int], train_split: step.Data, folder: Path
) -> Any:
    """The variables that each run kept, [R, ...], on the host.

    Raises:
      UserError: no checkpoint can be read.
    """
    like = jax.eval_shape(
        jax.vmap(lambda run: step.init(experiment, run, train_split)), stack(experiment, seeds)
    )
    with checkpoint.manager(folder) as checkpoints:
        found = checkpoint.restore(checkpoints, like)
    if found is None:
        raise UserError(f"{folder}: no checkpoint there can be read; run the experiment again")
    return found[1].best


def _first(tree: Any, count: int) -> Any:
    """The first runs of arrays that may hold more."""
    return jax.tree.map(lambda x: x[:count], tree)


def _lines(
    runs: step.Run, epoch: int, was_running: np.ndarray, status: np.ndarray, history: Any
) -> list[dict[str, Any]]:
    """One line for each run that trained in this epoch, as `metrics.jsonl` has it."""

    def line(run: int) -> dict[str, Any]:
        about = {"run": run, "seed": int(runs.seed[run]), "epoch": epoch}
        said = {"status": Status(int(status[run])).sentence}
        return about | said | jax.tree.map(lambda values: _plain(values[run]), history)

    return [line(int(run)) for run in np.flatnonzero(was_running)]


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
