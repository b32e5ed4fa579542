"""Trains and evaluates experiments: from a name to a run directory with its report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jax
import numpy as np

from jaxdep import overrides as overrides_of
from jaxdep.artifacts import estimators
from jaxdep.artifacts.run_dir import History, open_run_dir
from jaxdep.artifacts.schema import Merge, RunEntry
from jaxdep.data import corpus_file
from jaxdep.errors import UserError, closest
from jaxdep.experiment import Experiment
from jaxdep.inference import learned
from jaxdep.plain import gib
from jaxdep.runner import labels, own_corpus, reporting
from jaxdep.runner.input_pipeline import open_experiment
from jaxdep.runner.options import Display, Log, RunOptions
from jaxdep.runner.reporting import Outcome, RunRecorder
from jaxdep.settings.checking import convert
from jaxdep.train import attention_maps
from jaxdep.train import devices as device_layout
from jaxdep.train.runs import Report
from jaxdep.train.session import Session
from jaxdep.train.status import Status


def run(
    experiment: str | Experiment,
    *,
    seeds: int | Sequence[int] = 1,
    stream: bool = False,
    runs_per_device: int = 0,
    merge: Merge = "none",
    log: Log = print,
    report: Display | None = None,
    **options: Any,
) -> reporting.Result:
    """Trains an experiment for several seeds at once and writes a report.

    Args:
      experiment: name listed by `jaxdep list`, or an experiment.
      seeds: number of seeds (0, 1, ...), or a list of seeds.
      stream: read recordings from disk during training, as is done for corpora that do not fit in
        memory.
      runs_per_device: number of runs that a device trains at once; 0 for as many as fit in memory.
        A resumed run goes on as it began.
      merge: `session` or `subject` to evaluate the recordings of each as one: what is predicted for
        them, scores or probabilities of classes, is averaged.
      log: callback for messages.
      report: factory of the progress display: `report(experiment, runs)` returns a context manager
        whose value is called after each epoch as `jaxdep.train.runs.Report`.
      **options: fields of `jaxdep.runner.options.RunOptions`, such as `manual_dir`, `overrides`,
        `out` and `resume`.

    Returns:
      The run directory and its results.

    Raises:
      UserError: the input is invalid; nothing was written.
    """
    device_layout.start()
    chosen, merge = RunOptions(**options), convert(merge, Merge, "merge")
    experiment, base, chosen = requested(experiment, chosen)
    seeds = check_seeds(seeds)
    if experiment.is_baseline and (stream or runs_per_device):
        option = "--stream" if stream else "--runs-per-device"
        raise UserError(f"{experiment.name} is fitted in memory, seed by seed; omit {option}")
    if runs_per_device < 0:
        raise UserError(f"runs_per_device={runs_per_device}: must be at least 0")
    batch_size = experiment.training.shared_batch
    device_layout.layout(len(seeds), batch_size=batch_size, **chosen.layout)  # checks the options
    run_dir = open_run_dir(experiment.name, chosen.out, chosen.resume)
    run_dir = reporting.run_dir_of_process(run_dir)

    prepared = open_experiment(
        experiment, chosen, log, stream=stream, may_stream=not experiment.is_baseline
    )
    request = {"seeds": seeds, "deterministic": chosen.deterministic}
    recorder = RunRecorder(run_dir, prepared, base, request, chosen.resume, merge, log)
    recorder.check()
    if run_dir.finished:
        log(f"{run_dir.path} is already complete")
        return recorder.report()

    if experiment.is_baseline:
        outcome = _fit_baseline(recorder, seeds)
    else:
        memory = {**chosen.layout, "runs_per_device": runs_per_device}
        outcome = _train(recorder, seeds, memory, report)
    return recorder.finish(outcome)


def find(
    experiment: str | Experiment, overrides: Mapping[str, Any] | Sequence[str] = ()
) -> Experiment:
    """Looks up an experiment by name and applies overrides.

    Args:
      experiment: name listed by `jaxdep list`, or an experiment.
      overrides: settings to override, as in `RunOptions`.

    Raises:
      UserError: the experiment or a setting does not exist; the message suggests the closest name.
    """
    from jaxdep.experiments import EXPERIMENTS

    known: Mapping[str, Experiment] = EXPERIMENTS
    if isinstance(experiment, str):
        if experiment not in known:
            hint = closest(experiment, known, "run `jaxdep list` to see all names")
            raise UserError(f"unknown experiment {experiment!r}; {hint}")
        experiment = known[experiment]
    if not isinstance(overrides, Mapping):
        overrides = overrides_of.parse_assignments(overrides)
    return overrides_of.override(experiment, overrides)


def requested(
    experiment: str | Experiment, options: RunOptions
) -> tuple[Experiment, Experiment, RunOptions]:
    """The experiment to run, the one that its changes are counted from, and where its data are.

    Args:
      experiment: name listed by `jaxdep list`, or an experiment.
      options: options of the run; a corpus of one's own replaces that of the experiment.

    Raises:
      UserError: the experiment or a setting does not exist, or does not fit the corpus.
    """
    if options.corpus is None:
        return find(experiment, options.overrides), labels.base_of(experiment), options
    path = corpus_file.locate(options.corpus)
    base = own_corpus.adapted(find(experiment), path, options.task)
    changed = find(base, options.overrides)
    own_corpus.check(changed, path)
    return changed, base, replace(options, corpus=None, task="", manual_dir=path)


def check_seeds(seeds: int | Sequence[int]) -> list[int]:
    """Expands a number of seeds to a list, and validates the list.

    Raises:
      UserError: there are no seeds, or one is repeated or out of range.
    """
    seeds = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if not seeds or len(set(seeds)) < len(seeds) or not 0 <= min(seeds) <= max(seeds) < 2**32:
        raise UserError(f"seeds must be distinct integers from 0 to 2^32 - 1; got {seeds}")
    return seeds


def _train(
    recorder: RunRecorder,
    seeds: Sequence[int],
    settings: Mapping[str, Any],
    display: Display | None,
) -> Outcome:
    """Trains all seeds, with a line of `metrics.jsonl` per run and epoch."""
    experiment, splits = recorder.prepared.experiment, recorder.prepared.data.splits
    checkpoints, history = recorder.run_dir.checkpoints, History(recorder.run_dir.metrics)

    @contextmanager
    def reports(part: range) -> Iterator[Report]:
        ends: list[float] = []
        with display(experiment, len(part)) if display else nullcontext() as shown:

            def on_epoch(epoch: int, status: np.ndarray, lines: list[dict[str, Any]]) -> None:
                history.add(epoch, [{**line, "run": part[line["run"]]} for line in lines])
                ends.append(time.monotonic())
                if not part.start and len(ends) == 2:  # the first one compiles
                    each = (ends[1] - ends[0]) * len(seeds) / len(part)
                    recorder.log(_pace(each, experiment.training.epochs))
                if shown:
                    shown(epoch, status, lines)

            yield on_epoch

    with jax.default_matmul_precision(experiment.training.precision):
        # Fails on invalid settings before anything is written.
        session = Session(
            experiment, seeds, splits, settings, checkpoints=checkpoints, resume=recorder.resume
        )
        recorder.log(session.plan.describe(len(seeds)))
        recorder.begin()
        state = session.train(reports)
        outputs = {split: session.predict(state, split) for split in ("validation", "test")}
        attention = attention_maps.of_runs(
            experiment, state, splits["test"], outputs["test"], session.plan.trainer.layout.options
        )
    entries = reporting.describe(session.runs, state)
    memory = reporting.describe_memory(session.plan)
    recorder.log(f"memory: at most {gib(memory['peak_bytes'])} were taken")
    seconds = session.compile_seconds
    return Outcome(entries, outputs, 1, seconds, attention, memory=memory)


def _pace(seconds: float, epochs: int) -> str:
    """One line about the time that all runs take, from that of an epoch of all of them."""
    longest = timedelta(seconds=max(1, round(seconds * epochs)))
    return f"an epoch of all runs takes {seconds:.2g} s: {longest} at most"


def _fit_baseline(recorder: RunRecorder, seeds: Sequence[int]) -> Outcome:
    """Fits a scikit-learn baseline: once, or for each seed if the method draws random numbers."""
    experiment, splits = recorder.prepared.experiment, recorder.prepared.data.splits
    model, task = experiment.model, experiment.main_task
    pairs = [(splits[name].inputs, splits[name].targets[task]) for name in ("train", "validation")]
    seeds = seeds if model.stochastic else seeds[:1]
    selected = [model.fit(*pairs, seed=seed) for seed in seeds]
    entries: list[RunEntry] = [
        {
            "run": run,
            "seed": seed,
            "hyper": {**each.hyper, "validation_loss": each.loss},
            "status": Status.FINISHED.label,
            "epochs": 0,
            "best_epoch": 0,
            "parameters": 0,
        }
        for run, (seed, each) in enumerate(zip(seeds, selected, strict=True))
    ]
    fitted = [each.estimator for each in selected]
    predict = learned.predictor(experiment, fitted, recorder.config)
    outputs = {name: predict(splits[name].arrays) for name in ("validation", "test")}
    recorder.begin()  # not before: targets may be refused
    estimators.save(recorder.run_dir.estimators, fitted)
    return Outcome(entries, outputs, stochastic=model.stochastic)
