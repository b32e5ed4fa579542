"""From the name of an experiment to a run's folder with its table, pictures and checkpoints."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep import experiment as experiments_of
from jaxdep import material, record
from jaxdep.data import arrays
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.folder import (
    History,
    RunFolder,
    check_same,
    open_folder,
    write_json,
    write_text,
)
from jaxdep.train import devices as device_layout
from jaxdep.train import hosts, predictions, runs
from jaxdep.train.devices import Backend
from jaxdep.train.status import Status


def run(
    experiment: str | Experiment,
    *,
    seeds: int | Sequence[int] = 1,
    manual_dir: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    devices: int = 0,
    backend: Backend = "jit",
    data_dir: str | Path | None = None,
    skip_bad: bool = False,
    signal: float = 1.0,
    stream: bool = False,
    merge_tasks: bool = False,
    log: Callable[[str], None] = print,
    report: Callable[[Experiment, int], Any] | None = None,
) -> record.Result:
    """Trains an experiment for several seeds at once and reports it.

    Args:
      experiment: a name of `jaxdep list`, or an experiment.
      seeds: how many (0, 1, ...), or which.
      manual_dir: the corpus's raw files; None: the synthetic stand-in is made and used.
      overrides: dotted settings, such as `{"optimizer.learning_rate": 3e-4}`.
      out: the run's folder; None: a new one below `runs/`.
      resume: continue an interrupted run in its folder, bit for bit.
      devices: how many to use; 0: all.
      backend: `jit` (shardings) or `pmap`.
      data_dir: where prepared corpora are kept; None: the user's cache.
      skip_bad: leave out faulty recordings instead of refusing the corpus.
      signal: strength of what is planted in the synthetic stand-in; 0: nothing.
      stream: read recordings from disk while training, for corpora that do not fit in memory.
      merge_tasks: average the scores of one session's recordings before they are judged.
      log: is told in words what happens.
      report: makes a progress display: `report(experiment, runs)` is a context manager whose
        value is called after each epoch as `jaxdep.train.runs.Report`.

    Raises:
      UserError: the input is at fault; nothing was written.
    """
    device_layout.start()
    experiment = find(experiment, overrides)
    seeds = check_seeds(seeds)
    if stream and experiment.is_baseline:
        raise UserError(f"{experiment.name} is fitted in memory: leave out --stream")
    shared = experiment.training.shared_batch
    layout = device_layout.layout(len(seeds), devices=devices, backend=backend, batch_size=shared)
    folder = record.folder_of_process(open_folder(experiment.name, out, resume))
    how = {"data_dir": data_dir, "skip_bad": skip_bad, "signal": signal}
    subject = subject_of(experiment, manual_dir, stream=stream, log=log, **how)
    if merge_tasks:
        subject = dataclasses.replace(subject, merge_tasks=True)
        record.check_sessions(material.about(subject.prepared))
    asked = {"seeds": seeds}
    if resume:
        check_same(RunFolder.at(folder.shared), record.config_of(subject, asked))
    if folder.finished:
        log(f"{folder.path} is already complete")
        return record.report_on(RunFolder.at(folder.shared))
    if experiment.is_baseline:
        record.begin(folder, subject, asked)
        described, outputs = _fit_baseline(experiment, subject.splits, seeds)
        return record.finish(folder, subject, described, outputs, {"programs": 0, "seconds": 0.0})
    with jax.default_matmul_precision(experiment.training.precision):
        return _train(subject, asked, layout, folder, resume, report)


def evaluate(
    folder: str | Path, *, split: str = "test", log: Callable[[str], None] = print
) -> record.Result:
    """Predicts another split of the corpus with the weights that a run kept.

    Args:
      folder: of a finished run.
      split: `train`, `validation` or `test` as the run had them.

    Returns:
      The folder `evaluate-<split>` inside the run's, and its results.
    """
    device_layout.start()
    source = RunFolder.at(Path(folder))
    config = source.read(source.config)
    meta = source.read(source.meta)
    experiment = experiments_of.from_json(config)
    if not source.checkpoints.is_dir():
        raise UserError(f"{folder} has no checkpoints: a baseline is evaluated only when it is run")
    splits = material.load(experiment, Path(source.read(source.environment)["prepared_corpus"]))
    if split not in splits:
        raise UserError(f"--split {split}: there are {', '.join(splits)}")
    chosen = splits[split]
    log(f"{split}: {len(chosen)} of {chosen.name}")
    seeds = config["seeds"]
    layout = device_layout.layout(len(seeds))
    with jax.default_matmul_precision(experiment.training.precision):
        example = splits["train"].arrays
        best = runs.restore_best(experiment, seeds, example, source.checkpoints)
        outputs = runs.predict(experiment, best, chosen.arrays, layout)
    target = source.inside(f"evaluate-{split}")
    target.path.mkdir(exist_ok=True)
    write_json(target.config, config)
    write_json(target.environment, source.read(source.environment))
    write_text(target.metrics, source.metrics.read_text())
    write_text(target.predictions, predictions.to_csv(outputs, chosen, seeds))
    about = {**meta["splits"], "test": material.describe_split(chosen)}
    write_json(target.meta, {**meta, "splits": about})
    return record.report_on(target)


def find(experiment: str | Experiment, overrides: Mapping[str, Any] | None = None) -> Experiment:
    """An experiment, by its name if need be, with settings replaced.

    Raises:
      UserError: there is none of that name (the nearest is given), or no such setting.
    """
    from jaxdep.experiments import EXPERIMENTS

    if isinstance(experiment, str):
        if experiment not in EXPERIMENTS:
            near = difflib.get_close_matches(experiment, EXPERIMENTS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`jaxdep list` names them all"
            raise UserError(f"no experiment {experiment!r}: {hint}")
        experiment = EXPERIMENTS[experiment]
    return experiments_of.override(experiment, overrides or {})


def check_seeds(seeds: int | Sequence[int]) -> list[int]:
    """Which seeds are meant by a number of them, or by a list.

    Raises:
      UserError: there are none, or one is negative or named twice.
    """
    seeds = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise UserError(f"seeds must be different whole numbers from 0; got {seeds}")
    return seeds


def subject_of(
    experiment: Experiment,
    manual_dir: str | Path | None,
    *,
    stream: bool = False,
    log: Callable[[str], None],
    **how: Any,
) -> record.Subject:
    """The experiment with its corpus prepared and loaded.

    Args:
      stream: leave the recordings on disk.
      how: as the rest of `material.prepare`.
    """
    with hosts.first_then_others("prepared"):
        prepared = material.prepare(experiment, manual_dir, log=log, **how)
    experiment = material.resolved(experiment, prepared)
    splits = material.load(experiment, prepared, stream)
    log("; ".join(f"{role}: {len(s)} of {s.name}" for role, s in splits.items()))
    identity = material.identity(prepared, splits)
    return record.Subject(material.weighed(experiment, splits), prepared, splits, identity)


def _train(
    subject: record.Subject,
    asked: Mapping[str, Any],
    layout: device_layout.Layout,
    folder: RunFolder,
    resume: bool,
    report: Callable[[Experiment, int], Any] | None,
) -> record.Result:
    experiment = subject.experiment
    stacked = runs.stack(experiment, asked["seeds"])
    trainer, test = _trainer(subject, layout)
    trainer.compile(stacked)  # what does not fit is refused here, before anything is written
    record.begin(folder, subject, asked)
    history = History(folder.metrics)
    with report(experiment, len(asked["seeds"])) if report else nullcontext() as display:

        def note(epoch: int, status: np.ndarray, lines: list[dict[str, Any]]) -> None:
            history.add(epoch, lines)
            if display:
                display(epoch, status, lines)

        state = trainer.train(stacked, folder=folder.checkpoints, resume=resume, report=note)
    outputs = trainer.predict(state.best, test)
    record.attention(folder, subject, state, outputs)
    described = record.describe(stacked, state)
    compiled = {"programs": 1, "seconds": round(trainer.compile_seconds, 1)}
    return record.finish(folder, subject, described, outputs, compiled)


def _trainer(subject: record.Subject, layout: device_layout.Layout) -> tuple[runs.Trainer, Any]:
    """What trains on the splits where they are, and the test split as it takes it."""
    splits = subject.splits
    if isinstance(splits["test"], arrays.Split):
        data = {name: split.arrays for name, split in splits.items()}
        return runs.Trainer(subject.experiment, data, layout), data["test"]
    from jaxdep.train.streaming import StreamTrainer

    return StreamTrainer(subject.experiment, splits, layout), splits["test"]


def _fit_baseline(
    experiment: Experiment, splits: material.Splits, seeds: Sequence[int]
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Fits a scikit-learn baseline; it draws nothing at random, so one run says all."""
    task = experiment.main_task
    pairs = [(splits[name].inputs, splits[name].targets[task]) for name in ("train", "validation")]
    outputs, chosen, loss = experiment.model.fit_predict(*pairs, splits["test"].inputs)
    described = {
        "run": 0,
        "seed": seeds[0],
        "hyper": {"C": chosen, "validation_loss": loss},
        "status": Status.FINISHED.sentence,
        "epochs": 0,
        "best_epoch": 0,
        "parameters": 0,
    }
    return [described], {task: outputs[None]}
