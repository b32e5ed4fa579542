"""Many configurations times many seeds, ranked on validation; the best one is tested.

Runs that differ in numbers alone train in one compiled program, as many at once as fit on the
devices. With successive halving (Jamieson and Talwalkar, AISTATS 2016) the worse half of the
configurations stops at each rung.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jax

from jaxdep import launch, record, search
from jaxdep.analysis import ranking, words
from jaxdep.contest import Contest, Display
from jaxdep.experiment import Experiment, override
from jaxdep.folder import RunFolder, check_same, open_folder, write_json, write_text
from jaxdep.train import checkpoint, hosts, runs
from jaxdep.train import devices as device_layout
from jaxdep.train.devices import Backend


@dataclass(frozen=True)
class Swept:
    """What `sweep` returns.

    Attributes:
      title: of the experiment, in words.
      monitor: the validation quantity that ranks.
      ranking: every configuration, best first.
      best: the run of the best one, with its test table.
      programs: how many training programs were compiled.
      compile_seconds: spent on that.
    """

    folder: Path
    title: str
    monitor: str
    ranking: list[ranking.Row]
    best: record.Result
    programs: int
    compile_seconds: float


def sweep(
    experiment: str | Experiment,
    axes: Mapping[str, search.Axis],
    *,
    seeds: int | Sequence[int] = 1,
    random: int = 0,
    search_seed: int = 0,
    halving: bool = False,
    manual_dir: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    devices: int = 0,
    backend: Backend = "jit",
    runs_per_device: int = 0,
    data_dir: str | Path | None = None,
    skip_bad: bool = False,
    signal: float = 1.0,
    log: Callable[[str], None] = print,
    report: Display | None = None,
) -> Swept:
    """Trains configurations of an experiment, ranks them on validation, tests the best.

    Args:
      axes: the values of each dotted field; `search.parse` reads them from text.
      random: draw so many configurations; 0: the whole grid.
      search_seed: of those draws.
      halving: stop the worse half of the configurations at each rung.
      runs_per_device: runs that a device trains at once; 0: as many as fit in its memory.
      seeds: and the rest: as in `jaxdep.run`.

    Raises:
      UserError: the input is at fault; nothing was written.
    """
    device_layout.start()
    experiment, seeds = launch.find(experiment, overrides), launch.check_seeds(seeds)
    points = search.sample(axes, random, search_seed) if random else search.grid(axes)
    search.group(experiment, points)  # names wrong settings before anything is read
    steps = rungs(experiment.training.epochs, len(points) if halving else 1)
    device_layout.layout(len(points) * len(seeds), devices=devices, backend=backend)

    folder = record.folder_of_process(open_folder(f"{experiment.name}-sweep", out, resume))
    subject = launch.subject_of(
        experiment, manual_dir, data_dir=data_dir, skip_bad=skip_bad, signal=signal, log=log
    )
    asked = {"seeds": seeds, "configurations": points, "rungs": steps}
    if resume:
        check_same(RunFolder.at(folder.shared), record.config_of(subject, asked))
    if (folder.shared / "sweep.json").is_file():
        log(f"{folder.path} is already complete")
        return _read(RunFolder.at(folder.shared))
    groups = search.group(subject.experiment, points)
    log(f"{len(points)} configurations x {len(seeds)} seeds in {len(groups)} programs")
    how = {"devices": devices, "backend": backend, "runs_per_device": runs_per_device}
    with jax.default_matmul_precision(experiment.training.precision):
        contest = Contest(subject, groups, seeds, folder, resume, how, log, report)
        contest.compile()
        record.begin(folder, subject, asked)
        for until in steps:
            contest.train(until)
            if until != steps[-1]:
                contest.halve(until)
        rows = contest.rows(points)
        _test(contest, rows[0], groups, seeds, folder)

    write_text(folder.path / "ranking.csv", ranking.to_csv(rows, experiment.training.monitor))
    compiled = {"programs": contest.programs, "seconds": round(contest.compile_seconds, 1)}
    found = {"compile": compiled, "ranking": [asdict(row) for row in rows]}
    write_json(folder.path / "sweep.json", found)
    if hosts.first():
        shutil.rmtree(folder.checkpoints, ignore_errors=True)
    return _read(folder)


def rungs(epochs: int, configurations: int) -> list[int]:
    """The epochs after which the worse half stops, and the last epoch.

    As many halvings as configurations allow, each at half the epochs of the next:
    `rungs(30, 8)` is `[3, 7, 15, 30]`, and `rungs(30, 1)` is `[30]`.
    """
    halvings = min(configurations.bit_length(), epochs.bit_length()) - 1
    return [epochs >> back for back in range(halvings, -1, -1)]


def _test(
    contest: Contest,
    row: ranking.Row,
    groups: Sequence[search.Group],
    seeds: Sequence[int],
    folder: RunFolder,
) -> None:
    """Writes the run of the best configuration, as `jaxdep run` would have."""
    group = next(group for group in groups if row.number in group.members)
    hyper = group.hyper[group.members.index(row.number)]
    experiment = override(contest.subject.experiment, row.values)
    subject = replace(contest.subject, experiment=experiment)
    state = contest.together(row.number)
    outputs = contest.predict(row.number, state.best, subject.splits["test"].arrays)
    best = folder.inside("best")
    record.begin(best, subject, {"seeds": list(seeds)})
    _copy_history(folder.path / "history", best.metrics, row.number, seeds)
    with checkpoint.manager(best.checkpoints) as checkpoints:
        checkpoint.save(checkpoints, int(state.epoch.max()), state)
    record.attention(best, subject, state, outputs)
    described = record.describe(runs.stack(subject.experiment, seeds, [hyper] * len(seeds)), state)
    compiled = {"programs": contest.programs, "seconds": round(contest.compile_seconds, 1)}
    record.finish(best, subject, described, outputs, compiled)


def _copy_history(source: Path, target: Path, configuration: int, seeds: Sequence[int]) -> None:
    """The lines of one configuration, numbered as if its runs had been alone."""
    lines = [
        json.loads(x) for path in source.glob("*.jsonl") for x in path.read_text().split("\n")[:-1]
    ]
    own = [line for line in lines if line.pop("configuration") == configuration]
    own = [{**line, "run": list(seeds).index(line["seed"])} for line in own]
    own.sort(key=lambda line: (line["epoch"], line["run"]))
    write_text(target, "".join(json.dumps(line) + "\n" for line in own))


def _read(folder: RunFolder) -> Swept:
    """The outcome of a sweep that has come to its end."""
    found = folder.read(folder.path / "sweep.json")
    rows = [ranking.Row(**{**row, "scores": tuple(row["scores"])}) for row in found["ranking"]]
    best_folder = folder.inside("best")
    best = record.Result(best_folder.path, best_folder.read(best_folder.path / "results.json"))
    config, compiled = folder.read(folder.config), found["compile"]
    return Swept(
        folder=folder.path,
        title=words.title(best.results),
        monitor=config["training"]["monitor"],
        ranking=rows,
        best=best,
        programs=compiled["programs"],
        compile_seconds=compiled["seconds"],
    )
