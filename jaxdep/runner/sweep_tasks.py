"""Tasks of a sweep: each trains the configurations of one program in a run directory of its own.

A task reads the sweep's `config.json` and `launch.json`, trains in `tasks/<number>` and writes its
outcome to `task.json` there. The process that launched the tasks ranks all outcomes together. It
trains nothing itself, so that it may run where there is no accelerator: the best configuration,
which is chosen on validation data and is the only one that is tested, is tested by another task.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax

from jaxdep import overrides
from jaxdep.analysis import ranking
from jaxdep.artifacts import lock
from jaxdep.artifacts.files import write_json, write_text
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.errors import UserError
from jaxdep.runner import launching, search_space, sweep_best
from jaxdep.runner.evaluation import open_again
from jaxdep.runner.input_pipeline import PreparedExperiment, completed
from jaxdep.runner.launching import Job
from jaxdep.runner.options import Display, Launch, Log
from jaxdep.runner.reporting import RunRecorder
from jaxdep.runner.successive_halving import SuccessiveHalving
from jaxdep.train import devices as device_layout

FOLDER = "tasks"
"""Folder of the tasks, in that of the sweep."""

OUTCOME = "task.json"
"""File that a task writes last, as `sweep.json` of its configurations."""

_REQUEST = "launch.json"
_BEST = "best"
"""Name of the job that tests the best configuration."""


def check_same_way(run_dir: RunDir, launch: Launch) -> None:
    """Checks that a sweep is resumed in the way in which it was begun.

    Raises:
      UserError: the sweep was begun with tasks and is resumed without, or the other way round.
    """
    begun = run_dir.shared / FOLDER
    if begun.is_dir() and not launch:
        raise UserError(f"{run_dir.shared} was begun with --launcher: give it again")
    if run_dir.checkpoints.is_dir() and not begun.is_dir() and launch:
        raise UserError(f"{run_dir.shared} was begun without --launcher: omit it")


def run(
    recorder: RunRecorder,
    points: Sequence[search_space.Configuration],
    groups: Sequence[search_space.Group],
    layout: Mapping[str, Any],
    launch: Launch,
    log: Log,
) -> ranking.Outcome:
    """Trains a sweep by tasks, and tests its best configuration.

    Args:
      recorder: recorder of the sweep.
      points: configurations of the sweep.
      groups: configurations of each task.
      layout: device settings, passed to `memory.plan` in each task.
      launch: where the tasks run.
      log: callback for messages.

    Raises:
      UserError: tasks cannot be started, or have failed; they continue when the sweep is resumed.
    """
    recorder.begin()
    whole = recorder.run_dir.path.absolute()
    (whole / FOLDER).mkdir(exist_ok=True)
    request = {"base": overrides.to_json(recorder.base), "layout": dict(layout)}
    write_json(whole / FOLDER / _REQUEST, request)
    folders = [_folder(whole, number) for number in range(len(groups))]
    jobs = [
        Job(folder.name, _command(whole, number), (folder / OUTCOME).is_file)
        for number, folder in enumerate(folders)
    ]
    launching.complete(whole / FOLDER, jobs, launch, log)

    outcomes = [ranking.read(folder, OUTCOME) for folder in folders]
    # As they were given: JSON has no tuples.
    given = lambda row: replace(row, values=points[row.number])
    rows = ranking.rank([given(row) for each in outcomes for row in each.rows])
    number = next(n for n, group in enumerate(groups) if rows[0].number in group.members)
    log(f"testing the best of {len(rows)} configurations")
    test = Job(_BEST, _command(whole, number, rows[0].number), lambda: _tested(whole))
    launching.complete(whole / FOLDER, [test], launch, log)
    return ranking.Outcome(
        recorder.label.title,
        recorder.prepared.experiment.training.monitor,
        rows,
        sum(each.programs for each in outcomes),
        sum(each.compile_seconds for each in outcomes),
    )


def remove_checkpoints(run_dir: RunDir) -> None:
    """Removes the checkpoints of all tasks; those of the best configuration stay."""
    for folder in (run_dir.shared / FOLDER).glob("[0-9]*"):
        shutil.rmtree(RunDir.at(folder).checkpoints, ignore_errors=True)


def train(
    whole: Path, number: int, tested: int | None, *, log: Log = print, report: Display | None = None
) -> None:
    """Trains the configurations of one task, or continues it; called in the task's own process.

    Args:
      whole: folder of the sweep.
      number: index of the task.
      tested: index of the configuration to test once it is trained; None for none.
      log: callback for messages.
      report: factory of the progress display, as in `jaxdep.run`.

    Raises:
      UserError: the settings are incompatible with one another or with the corpus, or the task is
        being trained by another process.
    """
    device_layout.start()
    sweep_dir, own = RunDir.at(whole), RunDir.at(_folder(whole, number))
    if tested is None and (own.path / OUTCOME).is_file():
        log(f"{own.path} is already complete")
        return
    config = sweep_dir.read(sweep_dir.config)
    launched = sweep_dir.read(whole / FOLDER / _REQUEST)
    prepared, command = _prepared(sweep_dir, config)
    experiment, points = prepared.experiment, config["configurations"]
    group = search_space.group(experiment, points)[number]
    request = {
        "seeds": config["seeds"],
        "configurations": [points[member] for member in group.members],
        "rungs": config["rungs"],
        "deterministic": config["deterministic"],
    }
    base, resume = overrides.from_json(launched["base"]), own.config.is_file()
    recorder = RunRecorder(own, prepared, base, request, resume, log=log, command=command)
    recorder.check()
    with jax.default_matmul_precision(experiment.training.precision):
        layout = launched["layout"]
        halver = SuccessiveHalving(recorder, [group], config["seeds"], layout, log, report)
        halver.compile()
        recorder.begin()
        halver.train(experiment.training.epochs)
        rows = halver.rows(points)
        if tested is not None:
            row = next(row for row in rows if row.number == tested)
            best = sweep_dir.subdirectory(sweep_best.FOLDER)
            options = device_layout.layout(1).options
            sweep_best.test(halver, row, best, len(points), options)
    if tested is None:
        title, monitor = recorder.label.title, experiment.training.monitor
        outcome = ranking.Outcome(title, monitor, rows, halver.programs, halver.compile_seconds)
        write_text(own.path / "ranking.csv", ranking.to_csv(rows, monitor))
        write_json(own.path / OUTCOME, ranking.to_json(outcome))
    lock.release(own.path)


def _prepared(sweep_dir: RunDir, config: Mapping[str, Any]) -> tuple[PreparedExperiment, str]:
    """The experiment of a sweep with its data, and the command that the sweep is repeated with."""
    experiment = overrides.from_json(config)
    data = open_again(sweep_dir, experiment)
    command = sweep_dir.read(sweep_dir.environment)["command"]
    return PreparedExperiment(completed(experiment, data), data), command


def _folder(whole: Path, number: int) -> Path:
    return whole / FOLDER / f"{number:03d}"


def _command(whole: Path, number: int, *tested: int) -> tuple[str, ...]:
    """The command of a task."""
    words = (whole, number, *tested)
    return (sys.executable, "-m", "jaxdep.cli.task", *map(str, words))


def _tested(whole: Path) -> bool:
    """Whether the best configuration has been tested."""
    best = RunDir.at(whole / sweep_best.FOLDER)
    return best.finished and (best.path / "report.html").is_file()
