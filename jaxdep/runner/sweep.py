"""Trains many configurations for many seeds, ranks them on validation data and tests the best one.

Runs that differ only in numeric settings share one compiled program, which trains as many of them
at once as fit on the devices. Successive halving (Jamieson and Talwalkar, AISTATS 2016) stops the
worse half of the configurations at each rung.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from jaxdep.analysis import formatting, ranking
from jaxdep.artifacts import lock
from jaxdep.artifacts.files import write_json, write_text
from jaxdep.artifacts.run_dir import RunDir, open_run_dir
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.runner import launching, reporting, search_space, sweep_best, sweep_tasks
from jaxdep.runner.input_pipeline import open_experiment
from jaxdep.runner.options import Display, Launch, Log, RunOptions
from jaxdep.runner.reporting import RunRecorder
from jaxdep.runner.run import check_seeds, requested
from jaxdep.runner.successive_halving import SuccessiveHalving
from jaxdep.train import devices as device_layout
from jaxdep.train import hosts


@dataclass(frozen=True)
class SweepResult:
    """Return value of `sweep`.

    Attributes:
      folder: directory of the sweep.
      title: title of the experiment.
      monitor: validation metric used for ranking.
      ranking: all configurations, best first.
      best: run of the best configuration, with its test results.
      programs: number of compiled training programs.
      compile_seconds: time spent compiling them.
    """

    folder: Path
    title: str
    monitor: str
    ranking: list[ranking.Row]
    best: reporting.Result
    programs: int
    compile_seconds: float


def sweep(
    experiment: str | Experiment,
    axes: Mapping[str, search_space.Axis],
    *,
    seeds: int | Sequence[int] = 1,
    random: int = 0,
    search_seed: int = 0,
    halving: bool = False,
    runs_per_device: int = 0,
    launch: Launch | None = None,
    log: Log = print,
    report: Display | None = None,
    **options: Any,
) -> SweepResult:
    """Trains configurations of an experiment, ranks them on validation data and tests the best one.

    Args:
      experiment: name listed by `jaxdep list`, or an experiment.
      axes: candidate values by dotted path of the setting; `search_space.parse` reads them from
        text.
      seeds: number of seeds per configuration (0, 1, ...), or a list of seeds.
      random: number of configurations to draw at random; 0 trains the whole grid.
      search_seed: seed of the random draws.
      halving: stop the worse half of the configurations at each rung.
      runs_per_device: number of runs that a device trains at once; 0 for as many as fit in memory.
      launch: where to train each program as a task of its own; None trains all in this process.
        `jaxdep.train.devices.use_cpu_only` then leaves accelerators to the tasks.
      log: callback for messages.
      report: factory of the progress display, as in `jaxdep.run`.
      **options: fields of `jaxdep.runner.options.RunOptions`, as in `jaxdep.run`.

    Returns:
      The ranking of all configurations, and the run of the best one.

    Raises:
      UserError: the input is invalid, and nothing was written; or tasks have failed, which continue
        when the sweep is resumed.
    """
    device_layout.start()
    chosen, launch = RunOptions(**options), launch or Launch()
    if launch:
        _check_launch(launch, halving)
    experiment, base, chosen = requested(experiment, chosen)
    seeds = check_seeds(seeds)
    points = search_space.sample(axes, random, search_seed) if random else search_space.grid(axes)
    search_space.group(experiment, points)  # fails on invalid settings before any data is read
    steps = rungs(experiment.training.epochs, len(points) if halving else 1)
    here = {"devices": 0} if launch else {}  # those of the tasks are elsewhere
    layout = device_layout.layout(len(points) * len(seeds), **{**chosen.layout, **here})

    run_dir = open_run_dir(f"{experiment.name}-sweep", chosen.out, chosen.resume)
    run_dir = reporting.run_dir_of_process(run_dir)
    prepared = open_experiment(experiment, chosen, log)
    request = {
        "seeds": seeds,
        "configurations": points,
        "rungs": steps,
        "deterministic": chosen.deterministic,
    }
    recorder = RunRecorder(run_dir, prepared, base, request, chosen.resume, log=log)
    recorder.check()
    if (run_dir.shared / "sweep.json").is_file():
        log(f"{run_dir.path} is already complete")
        _remove_checkpoints(run_dir)  # which it may have been killed at
        _write_report(run_dir)
        return _read(RunDir.at(run_dir.shared))
    sweep_tasks.check_same_way(run_dir, launch)
    groups = search_space.group(prepared.experiment, points)
    log(f"{len(points)} configurations x {len(seeds)} seeds in {len(groups)} programs")
    memory = {**chosen.layout, "runs_per_device": runs_per_device}
    if launch:
        outcome = sweep_tasks.run(recorder, points, groups, memory, launch, log)
    else:
        halver = SuccessiveHalving(recorder, groups, seeds, memory, log, report)
        outcome = _train(halver, points, steps, layout.options)
    write_text(run_dir.path / "ranking.csv", ranking.to_csv(outcome.rows, outcome.monitor))
    write_json(run_dir.path / "sweep.json", ranking.to_json(outcome))
    _write_report(run_dir)
    lock.release(run_dir.path)
    _remove_checkpoints(run_dir)
    return _read(run_dir)


def rungs(epochs: int, configurations: int) -> list[int]:
    """The epochs after which the worse half is stopped, followed by the last epoch.

    There are as many halvings as the number of configurations allows, each at half the epochs of
    the next: `rungs(30, 8)` is `[3, 7, 15, 30]`, and `rungs(30, 1)` is `[30]`.
    """
    halvings = min(configurations.bit_length(), epochs.bit_length()) - 1
    return [epochs >> back for back in range(halvings, -1, -1)]


def _check_launch(launch: Launch, halving: bool) -> None:
    """Checks that a sweep can be trained by tasks."""
    if halving:
        raise UserError(
            "--halving compares all configurations at each rung, but tasks train on their own: omit"
            " --halving or --launcher"
        )
    launching.check(launch)


def _train(
    halver: SuccessiveHalving,
    points: Sequence[search_space.Configuration],
    steps: Sequence[int],
    options: Mapping[str, Any],
) -> ranking.Outcome:
    """Trains all configurations in this process, and tests the best one.

    Args:
      halver: the configurations.
      points: values of each.
      steps: epochs of the rungs.
      options: options for XLA's compiler.
    """
    whole = halver.recorder
    training = whole.prepared.experiment.training
    with jax.default_matmul_precision(training.precision):
        halver.compile()
        whole.begin()
        for until in steps:
            halver.train(until)
            if until != steps[-1]:
                halver.halve(until)
        rows = halver.rows(points)
        best = whole.run_dir.subdirectory(sweep_best.FOLDER)
        sweep_best.test(halver, rows[0], best, len(rows), options)
    counts = (halver.programs, halver.compile_seconds)
    return ranking.Outcome(whole.label.title, training.monitor, rows, *counts)


def _remove_checkpoints(run_dir: RunDir) -> None:
    """Removes the checkpoints of a completed sweep; those of its best configuration stay."""
    if hosts.is_first():
        shutil.rmtree(run_dir.checkpoints, ignore_errors=True)
        sweep_tasks.remove_checkpoints(run_dir)


def _write_report(run_dir: RunDir) -> None:
    """Writes `sweep.html` from the files of a completed sweep."""
    from jaxdep.analysis import sweep_report

    if hosts.is_first():
        sweep_report.write(run_dir.path)


def _read(run_dir: RunDir) -> SweepResult:
    """Reads the result of a completed sweep."""
    outcome = ranking.read(run_dir.path)
    best_dir = run_dir.subdirectory(sweep_best.FOLDER)
    best = reporting.Result(best_dir.path, best_dir.read(best_dir.path / "results.json"))
    return SweepResult(
        folder=run_dir.path,
        title=formatting.marked(outcome.title, best.results["synthetic"]),
        monitor=outcome.monitor,
        ranking=outcome.rows,
        best=best,
        programs=outcome.programs,
        compile_seconds=outcome.compile_seconds,
    )
