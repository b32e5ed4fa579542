"""Training sessions: all runs of an experiment, in parts that fit in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep.data.arrays import Split
from jaxdep.experiment import Experiment
from jaxdep.train import checkpoint, hosts, memory, runs, step
from jaxdep.train.layout import Layout

Reports = Callable[[range], AbstractContextManager[runs.Report | None]]
"""Opens the report of a part of the runs, by their numbers; its lines count all runs."""


class Session:
    """Trains all runs of an experiment, as many together as fit, and predicts with them.

    Attributes:
      runs: one run per seed.
      plan: how many of them train together.
    """

    def __init__(
        self,
        experiment: Experiment,
        seeds: Sequence[int],
        splits: Mapping[str, Any],
        settings: Mapping[str, Any],
        *,
        checkpoints: Path,
        resume: bool = False,
    ):
        """Plans and compiles, but writes nothing.

        Args:
          experiment: experiment to train.
          seeds: seed of each run.
          splits: `train`, `validation` and `test`, each an `arrays.Split` or a `stream.Stored`.
          settings: `runs_per_device`, `devices`, `backend` and `deterministic`, as in
            `memory.plan`.
          checkpoints: directory of the checkpoints. Those of parts are kept next to it until all
            runs have been trained.
          resume: continue from the newest intact checkpoint, bit for bit.

        Raises:
          UserError: the settings are incompatible with one another or with the corpus.
        """
        self.runs = runs.stack(experiment, seeds)
        self._checkpoints, self._resume = checkpoints, resume
        self._parts = checkpoints.with_name("parts")
        if isinstance(splits["test"], Split):
            data = {name: split.arrays for name, split in splits.items()}
            create: Callable[[Layout], runs.Trainer] = lambda layout: runs.Trainer(
                experiment, data, layout
            )
        else:
            from jaxdep.train.streaming import StreamTrainer

            data = splits
            create = lambda layout: StreamTrainer(experiment, splits, layout)
        self._splits: Mapping[str, Any] = data
        batch_size = experiment.training.shared_batch
        self.plan = memory.plan(
            create, self.runs, batch_size=batch_size, at_once=self._begun_with(), **settings
        )
        self._trainer = self.plan.trainer

    @property
    def compile_seconds(self) -> float:
        """Time spent compiling the epoch program."""
        return self._trainer.compile_seconds

    def train(self, reports: Reports) -> step.State:
        """Trains until each run has finished, stopped early or diverged.

        Args:
          reports: opens the report of a part of the runs.

        Returns:
          The state of the runs on the host.
        """
        total, size = len(self.runs.seed), self._trainer.layout.runs
        if size >= total:
            return self._train(range(total), self._checkpoints, reports)
        numbers = [range(first, min(first + size, total)) for first in range(0, total, size)]
        states = [self._train(part, self._parts / _name(part), reports) for part in numbers]
        state = jax.tree.map(lambda *leaves: np.concatenate(leaves), *states)
        self._keep(state)
        return state

    def predict(self, state: step.State, split: str) -> dict[str, np.ndarray]:
        """Outputs of the best epochs on a split, [R, N, C] or [R, N] for each task.

        Args:
          state: state of the runs, as returned by `train`.
          split: name of the split, such as `test`.
        """
        return self._trainer.predict(state.best, self._splits[split])

    def _train(self, part: range, folder: Path, reports: Reports) -> step.State:
        """Trains some of the runs, given by their numbers, together."""
        some = runs.rows_of(self.runs, slice(part.start, part.stop))
        with reports(part) as report:
            return self._trainer.train(some, folder=folder, resume=self._resume, report=report)

    def _keep(self, state: step.State) -> None:
        """Stores the state of all runs in place of that of the parts."""
        if hosts.is_first():  # a session may have been killed at this
            shutil.rmtree(self._checkpoints, ignore_errors=True)
        hosts.wait("parts")
        with checkpoint.manager(self._checkpoints) as checkpoints:
            checkpoint.save(checkpoints, int(state.epoch.max()), state)
        if hosts.is_first():
            shutil.rmtree(self._parts, ignore_errors=True)

    def _begun_with(self) -> int:
        """Number of runs that trained together before an interruption; 0 if nothing is resumed.

        Bits may depend on it, so that it stays, whatever the memory is now.
        """
        if not self._resume:
            return 0
        parts = [path.name for path in self._parts.glob("0-*") if path.name[2:].isdigit()]
        if parts:
            return int(parts[0][2:])
        return len(self.runs.seed) if self._checkpoints.is_dir() else 0


def _name(part: range) -> str:
    """Name of the folder of a part."""
    return f"{part.start}-{part.stop}"
