"""Trained models, loaded from the folder of their run alone, without its corpus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep import overrides as overrides_of
from jaxdep.analysis import results
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.artifacts.schema import Meta
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.inference import learned, reading
from jaxdep.inference.description import InputDescription, Recording
from jaxdep.inference.predictions import Calibration, Predictions
from jaxdep.train import devices
from jaxdep.train.forward import forward


def load(folder: str | Path, *, seed: int | None = None) -> Model:
    """Loads a trained run. Its folder is enough: neither its corpus nor its machine is needed.

    Args:
      folder: run directory, or the directory of a sweep, whose best run is loaded.
      seed: seed of the run to predict with; None for all runs that did not diverge.

    Raises:
      UserError: the folder is not the directory of a trained run, has no such seed, or is damaged;
        or every run diverged.
    """
    devices.start()
    source = RunDir.at(results.run_dir_of(Path(folder)))
    config, meta, experiment = read_run(source)
    seeds = [run["seed"] for run in meta["runs"]]
    if seed is not None and seed not in seeds:
        raise UserError(f"{folder} has no seed {seed}; choose from {', '.join(map(str, seeds))}")
    diverged = {run["run"] for run in meta["runs"] if run["status"] == "diverged"}
    wanted = range(len(seeds)) if seed is None else [seeds.index(seed)]
    if not (kept := tuple(run for run in wanted if run not in diverged)):
        which = "every run" if seed is None else f"seed {seed}"
        raise UserError(f"{folder}: {which} diverged, so there are no weights to predict with")
    description = InputDescription.read(source.inputs)
    example: Any = {"inputs": description.blank}
    weights = learned.restore(source, experiment, seeds, example)
    return Model(source, config, meta, experiment, description, weights, kept)


def read_run(source: RunDir) -> tuple[dict[str, Any], Meta, Experiment]:
    """Reads configuration, metadata and experiment of a trained run.

    Raises:
      UserError: the folder is not the directory of a trained run.
    """
    config, meta = source.read(source.config), source.read(source.meta)
    experiment = overrides_of.from_json(config)
    learned.check(source, experiment)
    found = [run["seed"] for run in meta["runs"]]
    if found != config["seeds"][: None if meta.get("stochastic", True) else 1]:
        raise UserError(
            f"{source.path} is damaged: config.json and meta.json list different seeds; train again"
        )
    return config, meta, experiment


@dataclass(frozen=True)
class Model:
    """Trained runs of one experiment, see `load`.

    Attributes:
      source: run directory.
      config: content of its `config.json`.
      meta: content of its `meta.json`.
      experiment: experiment that was trained.
      description: the model's inputs.
      weights: variables of the best epoch of all runs, [R, ...]; of a scikit-learn baseline, the
        estimator of each run.
      kept: indices of the runs that predict.
    """

    source: RunDir
    config: Mapping[str, Any]
    meta: Meta
    experiment: Experiment
    description: InputDescription
    weights: Any
    kept: tuple[int, ...]

    @property
    def module(self) -> Any:
        """The Flax module, or the baseline."""
        return self.experiment.model

    @cached_property
    def variables(self) -> dict[int, Any]:
        """Flax variables of the best epoch of each run that predicts, by seed.

        Raises:
          UserError: the run is a scikit-learn baseline.
        """
        self._check_network()
        of = lambda run: jax.tree.map(lambda leaf: np.asarray(leaf[run]), self.weights)
        return {self.meta["runs"][run]["seed"]: of(run) for run in self.kept}

    def apply(self, variables: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Outputs of the network for a batch, in the precision of the experiment.

        Args:
          variables: one of `variables`.
          inputs: padded sequences [B, L, D] with masks, and vectors [B, D].

        Returns:
          Logits [B, C], or scores [B] that are not clipped to their scale, for each task.

        Raises:
          UserError: the run is a scikit-learn baseline.
        """
        self._check_network()
        with jax.default_matmul_precision(self.experiment.training.precision):
            return forward(self.experiment, variables, inputs)

    def read(
        self,
        *paths: str | Path,
        texts: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        log: Callable[[str], None] = print,
    ) -> dict[str, Recording]:
        """Reads recordings from files, for `predict`; see `inference.reading.read`."""
        given = [Path(path) for path in paths]
        return reading.read(self.description, given, texts, options, log)

    def predict(self, recordings: Mapping[str, Recording], *, coverage: float = 1.0) -> Predictions:
        """Predicts recordings with all runs together.

        They are padded, grouped and computed as by `evaluate`: for the recordings of a split, the
        outputs are the same to the bit on the same machine. A recording that is predicted among
        others, or alone, may differ in rounding.

        Args:
          recordings: features of each recording by id: sequences [T, D] and vectors [D].
          coverage: share of the validation split on which the model would not abstain.

        Raises:
          UserError: features are missing or do not fit, or the outputs are not finite.
        """
        if not 0 < coverage <= 1:
            raise UserError(f"coverage={coverage}: must be above 0 and at most 1")
        ids = list(recordings)
        ordered = sorted(ids)
        inputs = self.description.stack({name: recordings[name] for name in ordered})
        back = np.argsort(np.argsort(ids))
        outputs = {task: x[:, back] for task, x in self._outputs(inputs).items()}
        for task, values in outputs.items():
            if bad := [ids[i] for i in np.flatnonzero(~_finite(values))]:
                raise UserError(
                    f"{task}: outputs are not finite for {', '.join(bad[:8])}; check the features"
                )
        distance = self.description.training.distances(inputs)[back]
        return Predictions(
            ids,
            {
                task: self.calibration[task].predict(values, coverage, self.bounds(task))
                for task, values in outputs.items()
            },
            distance,
            self.description.training.percentile(distance),
        )

    def bounds(self, task: str) -> tuple[float, ...]:
        """Lowest and highest score of a task; empty where there are none."""
        return self.experiment.tasks[task].bounds

    def _check_network(self) -> None:
        if self.experiment.is_baseline:
            raise UserError(
                f"{self.source.path} is a baseline of scikit-learn: it has no network to export,"
                " explain or apply; `predict` reads its estimators"
            )

    @cached_property
    def calibration(self) -> dict[str, Calibration]:
        """Calibration of each task, from the predictions for the validation split."""
        stored = results.validation_predictions(self.source.path, self.meta)
        return {
            task: Calibration.of(each.select_runs(self.kept), self.meta["classes"].get(task, ()))
            for task, each in stored.items()
        }

    def _outputs(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of the runs that predict, [R, N, C] or [R, N]; as `evaluate`."""
        with jax.default_matmul_precision(self.experiment.training.precision):
            found = self._predictor({"inputs": inputs})
        return {task: np.asarray(values)[list(self.kept)] for task, values in found.items()}

    @cached_property
    def _predictor(self) -> Any:
        # All runs take part, even if one is asked for: others may not change its bits.
        return learned.predictor(self.experiment, self.weights, self.config)


def _finite(values: np.ndarray) -> np.ndarray:
    """Whether all outputs [R, N, ...] of each recording are finite, [N]."""
    return np.asarray(np.isfinite(values.reshape(*values.shape[:2], -1)).all((0, 2)))
