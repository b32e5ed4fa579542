"""Commands that train: `run`, `sweep`, `cross-validate` and `reproduce`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from jaxdep.artifacts.schema import Merge
from jaxdep.cli import output
from jaxdep.cli.options import Groups, Options, Processes, flat, parse_seeds
from jaxdep.errors import UserError
from jaxdep.runner.options import Launch

if TYPE_CHECKING:
    from jaxdep.runner.reporting import Result

Grid = Annotated[
    Groups, arg(metavar="KEY=V1,V2 ...", help="Values to try, or KEY=log(LOW,HIGH) with --random.")
]

RunsPerDevice = Annotated[str, arg(metavar="N|auto")]

Folders = Annotated[
    Groups, arg(metavar="[CORPUS=]FOLDER ...", help="Folders with the raw files of corpora.")
]


def run(
    experiment: Positional[str],
    options: OmitArgPrefixes[Options],
    processes: OmitArgPrefixes[Processes],
    seeds: str = "1",
    stream: bool = False,
    runs_per_device: RunsPerDevice = "auto",
    merge: Merge = "none",
) -> int:
    """Trains an experiment for several seeds at once and writes a report.

    Args:
        experiment: Name of an experiment, as listed by `jaxdep list`.
        seeds: Number of seeds (8), or a list (3,5) or range (0-7) of seeds.
        stream: Read recordings from disk during training; done in any case if they do not fit in
            memory.
        runs_per_device: Number of runs that a device trains at once; auto for as many as fit.
        merge: Average what is predicted for the recordings of a session or subject.
    """
    from jaxdep.runner.run import run as train

    _join(processes)
    given = {"stream": stream, "merge": merge, "runs_per_device": _number(runs_per_device)}
    return _train(train, experiment, seeds, options, given)


def sweep(
    experiment: Positional[str],
    options: OmitArgPrefixes[Options],
    processes: OmitArgPrefixes[Processes],
    tasks: OmitArgPrefixes[Launch],
    grid: Grid = (),
    seeds: str = "1",
    random: int = 0,
    search_seed: int = 0,
    halving: bool = False,
    runs_per_device: RunsPerDevice = "auto",
) -> int:
    """Trains many configurations at once, ranks them on validation data and tests the best one.

    Args:
        experiment: Name of an experiment, as listed by `jaxdep list`.
        seeds: Number of seeds per configuration (8), or a list (3,5) or range (0-7) of seeds.
        random: Number of configurations to draw at random, instead of the whole grid.
        search_seed: Seed of the random draws.
        halving: Stop the worse half of the configurations at each rung (successive halving).
        runs_per_device: Number of runs that a device trains at once; auto for as many as fit.
    """
    from jaxdep.analysis import ranking, table
    from jaxdep.runner import search_space
    from jaxdep.runner import sweep as sweeps

    per_device = _number(runs_per_device)
    if not grid:
        raise UserError("--grid is missing: name settings to try, such as model.hidden=64,128")
    axes = search_space.parse(flat(grid))
    if tasks:
        _leave_devices(processes)
    _join(processes)
    result = sweeps.sweep(
        experiment,
        axes,
        seeds=parse_seeds(seeds),
        random=random,
        search_seed=search_seed,
        halving=halving,
        runs_per_device=per_device,
        launch=tasks,
        log=output.say,
        report=output.progress,
        **options.arguments(),
    )
    ranking.show(result.ranking, result.title, result.monitor, output.console)
    output.say(
        f"  training programs compiled: {result.programs}, in {result.compile_seconds:.1f} s"
    )
    table.show(result.best.results, output.console)
    output.say(
        f"ranking: {result.folder / 'sweep.html'} and ranking.csv;"
        f" report: {result.best.folder / 'report.html'}"
    )
    return 1 if any(row.diverged for row in result.ranking) else 0


def cross_validate(
    experiment: Positional[str],
    options: OmitArgPrefixes[Options],
    folds: int = 5,
    repeats: int = 1,
    seeds: str = "1",
    stream: bool = False,
    runs_per_device: RunsPerDevice = "auto",
    merge: Merge = "none",
) -> int:
    """Trains an experiment on every fold of its corpus, and tests it on all recordings.

    Folds replace the corpus's own splits, and share no subjects. Repeated after an interruption,
    the same command continues where it was.

    Args:
        experiment: Name of an experiment, as listed by `jaxdep list`.
        folds: Number of folds.
        repeats: Number of cuts into folds.
        seeds: Number of seeds (8), or a list (3,5) or range (0-7) of seeds.
        stream: Read recordings from disk during training; done in any case if they do not fit in
            memory.
        runs_per_device: Number of runs that a device trains at once; auto for as many as fit.
        merge: Average what is predicted for the recordings of a session or subject.
    """
    from jaxdep.runner.cross_validation import cross_validate as train

    given = {"folds": folds, "repeats": repeats, "stream": stream, "merge": merge}
    return _train(train, experiment, seeds, options, given)


def reproduce(
    selection: Positional[str] = "",
    manual_dir: Folders = (),
    text_encoder: str | None = None,
    seeds: str = "1",
    small: bool = False,
    coverage: bool = False,
    out: Path | None = None,
    data_dir: Path | None = None,
    devices: int = 0,
    deterministic: bool = False,
    skip_bad: bool = False,
) -> int:
    """Trains the rows of a paper's tables, and shows them beside the paper's figures.

    Repeated after an interruption, the same command continues where it was.

    Args:
        selection: A paper (jamfn), or one of its tables (jamfn:table4).
        text_encoder: Hugging Face name or folder of the text encoder (mgid, daicwoz, edaic).
        seeds: Number of seeds (8), or a list (3,5) or range (0-7) of seeds.
        small: Train small variants on small stand-ins, to see that everything works.
        coverage: Only count the published rows that an experiment reproduces.
        out: Output folder; by default runs/reproduce-PAPER.
        data_dir: Folder for prepared corpora; by default in the user's cache.
        devices: Number of devices to use; 0 for all.
        deterministic: Make the bits of a run independent of devices and of other runs; slower.
        skip_bad: Skip invalid recordings instead of rejecting the corpus.
    """
    from jaxdep.analysis import reproduction_table
    from jaxdep.runner import reproduce as tables

    if coverage:
        reproduction_table.show_coverage(tables.coverage(), output.console)
        return 0
    if not selection:
        raise UserError("name a paper (jamfn) or one of its tables (jamfn:table4)")
    result = tables.reproduce(
        selection,
        seeds=parse_seeds(seeds),
        manual_dirs=tables.parse_folders(selection, flat(manual_dir)),
        text_encoder=text_encoder,
        small=small,
        log=output.say,
        report=output.progress,
        out=out,
        data_dir=data_dir,
        devices=devices,
        deterministic=deterministic,
        skip_bad=skip_bad,
    )
    reproduction_table.show(result.title, result.lines, output.console)
    output.say(
        f"report: {result.folder / 'report.html'}; tables.md, tables.tex and tables.csv there"
    )
    return 1 if result.failed else 0


def _train(
    train: Callable[..., Result],
    experiment: str,
    seeds: str,
    options: Options,
    given: dict[str, Any],
) -> int:
    """Trains an experiment and prints its table; returns 1 if a run diverged."""
    from jaxdep.analysis import table

    common = {"log": output.say, "report": output.progress, **options.arguments()}
    result = train(experiment, seeds=parse_seeds(seeds), **given, **common)
    table.show(result.results, output.console)
    output.say(f"report: {result.folder / 'report.html'}")
    return 1 if any(run["status"] == "diverged" for run in result.results["runs"]) else 0


def _join(processes: Processes) -> None:
    """Joins the other processes, if any; afterwards only the first one prints."""
    if not (processes.distributed or processes.coordinator):
        return
    from jaxdep.train import devices, hosts

    devices.start()
    hosts.join(processes.coordinator, processes.processes, processes.process)
    output.console.quiet = not hosts.is_first()


def _number(runs_per_device: str) -> int:
    """The number of runs that a device trains at once; 0 for as many as fit."""
    if runs_per_device == "auto":
        return 0
    if not (runs_per_device.isdigit() and int(runs_per_device)):
        raise UserError(f"--runs-per-device {runs_per_device}: must be at least 1, or auto")
    return int(runs_per_device)


def _leave_devices(processes: Processes) -> None:
    """Leaves accelerators to the tasks that this process launches."""
    from jaxdep.train import devices

    if processes.distributed or processes.coordinator:
        raise UserError("--launcher starts processes of its own: omit --distributed, --coordinator")
    devices.use_cpu_only()
