"""Training sessions: all runs of an experiment on its opened splits, in memory or on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data.arrays import Split
from jaxdep.experiment import Experiment
from jaxdep.train import runs, step
from jaxdep.train.layout import Layout


class Session:
    """Trains all runs of an experiment together and predicts with them.

    Attributes:
      runs: one run per seed.
    """

    def __init__(
        self,
        experiment: Experiment,
        seeds: Sequence[int],
        splits: Mapping[str, Any],
        layout: Layout,
        *,
        checkpoints: Path,
        resume: bool = False,
    ):
        """Opens a trainer for the runs.

        Args:
          experiment: experiment to train.
          seeds: seed of each run.
          splits: `train`, `validation` and `test`, each an `arrays.Split` or a `stream.Stored`.
          layout: devices of the runs.
          checkpoints: directory of the checkpoints.
          resume: continue from the newest intact checkpoint, bit for bit.
        """
        self.runs = runs.stack(experiment, seeds)
        self._checkpoints, self._resume = checkpoints, resume
        if isinstance(splits["test"], Split):
            data = {name: split.arrays for name, split in splits.items()}
            self._trainer, self._splits = runs.Trainer(experiment, data, layout), data
        else:
            from jaxdep.train.streaming import StreamTrainer

            self._trainer = StreamTrainer(experiment, splits, layout)
            self._splits = splits

    @property
    def compile_seconds(self) -> float:
        """Time spent compiling the epoch program."""
        return self._trainer.compile_seconds

    def compile(self) -> None:
        """Compiles the epoch program.

        Raises:
          UserError: the settings are incompatible with one another or with the corpus.
        """
        self._trainer.compile(self.runs)

    def train(self, report: runs.Report | None = None) -> step.State:
        """Trains until each run has finished, stopped early or diverged.

        Args:
          report: callback after each epoch.

        Returns:
          The state of the runs on the host.
        """
        return self._trainer.train(
            self.runs, folder=self._checkpoints, resume=self._resume, report=report
        )

    def predict(self, state: step.State, split: str) -> dict[str, np.ndarray]:
        """Outputs of the best epochs on a split, [R, N, C] or [R, N] for each task.

        Args:
          state: state of the runs, as returned by `train`.
          split: name of the split, such as `test`.
        """
        return self._trainer.predict(state.best, self._splits[split])
