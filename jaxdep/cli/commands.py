"""Defines the commands: each parses its arguments, calls one function and prints the result."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.text import Text
from tyro.conf import OmitArgPrefixes, Positional, arg

from jaxdep.artifacts.run_dir import RunDir
from jaxdep.artifacts.schema import Merge
from jaxdep.cli import inference
from jaxdep.cli.options import Groups, Options, Processes, Set, flat
from jaxdep.errors import UserError
from jaxdep.overrides import parse_assignments
from jaxdep.plain import visible

app = tyro.extras.SubcommandApp()
_console = Console(markup=False, emoji=False)  # titles and ids are text, whatever they contain

Grid = Annotated[
    Groups, arg(metavar="KEY=V1,V2 ...", help="Values to try, or KEY=log(LOW,HIGH) with --random.")
]


Folders = Annotated[
    Groups, arg(metavar="[CORPUS=]FOLDER ...", help="Folders with the raw files of corpora.")
]


@app.command(name="list")
def list_() -> None:
    """Lists the experiments, corpora and models."""
    from rich.table import Table

    from jaxdep.data.corpora import CORPORA
    from jaxdep.experiments import EXPERIMENTS
    from jaxdep.models import MODELS

    rows = {
        "experiments": {name: each.title for name, each in EXPERIMENTS.items()},
        "corpora": {name: corpus.title for name, corpus in CORPORA.items()},
        "models": {name: (cls.__doc__ or "").split("\n")[0] for name, cls in MODELS.items()},
    }
    for title, entries in rows.items():
        table = Table(title=title, title_justify="left", show_header=False, box=None)
        for name, summary in entries.items():
            table.add_row(name, summary)
        _console.print(table)


@app.command
def show(experiment: Positional[str], set_: Set = ()) -> None:
    """Shows the settings of an experiment, and what each may be.

    Args:
        experiment: Name of an experiment, as listed by `jaxdep list`.
    """
    from rich.table import Table

    from jaxdep.overrides import settings_of
    from jaxdep.runner.run import find
    from jaxdep.settings.checking import describe

    table = Table("setting", "value", "expected", box=None, title_justify="left")
    for setting in settings_of(find(experiment, flat(set_))):
        table.add_row(setting.path, str(setting.value), describe(setting.kind))
    _console.print(table)


@app.command
def synthesize(
    corpus: Positional[str],
    directory: Positional[Path],
    items: int | None = None,
    seed: int = 0,
    signal: float = 1.0,
) -> None:
    """Generates a synthetic stand-in for a corpus, in the layout of the real files.

    Args:
        corpus: Name of a corpus, as listed by `jaxdep list`.
        directory: Output folder; must be new or empty.
        items: Number of recordings; by default that of the real corpus.
        seed: Seed of the random generator.
        signal: Strength of the planted signal; with 0 there is nothing to learn.
    """
    from jaxdep.data import stand_ins

    truth = stand_ins.synthesize(corpus, directory, items=items, seed=seed, signal=signal)
    _print(f"{directory}: {truth['items']} SYNTHETIC recordings of {corpus}")
    for task, known in truth["tasks"].items():
        best = ", ".join(f"{k} {v:.3f}" for k, v in known.items() if isinstance(v, float))
        _print(f"  {task}: {best}")


@app.command
def prepare(
    corpus: Positional[str],
    manual_dir: Path,
    text_encoder: str | None = None,
    image_encoder: str | None = None,
    data_dir: Path | None = None,
    skip_bad: bool = False,
    strict_subjects: bool = False,
    set_: Set = (),
) -> None:
    """Validates the raw files of a corpus and stores them for training.

    Args:
        corpus: Name of a corpus, as listed by `jaxdep list`.
        manual_dir: Folder with the raw files.
        text_encoder: Hugging Face name or folder of the text encoder (mgid).
        image_encoder: Folder of the image encoder (mgid).
        data_dir: Folder for prepared corpora; by default in the user's cache.
        skip_bad: Skip invalid recordings instead of rejecting the corpus.
        strict_subjects: Reject a corpus with a subject in two splits (avec2013, avec2014).
        set_: Further corpus options, such as speakers=both split=stratified (daicwoz).
    """
    from jaxdep.data import corpora, preparation

    given = {"text_encoder": text_encoder, "image_encoder": image_encoder}
    options = corpora.parse_options(corpus, parse_assignments(flat(set_)))
    options |= {k: value for k, value in given.items() if value is not None}
    if strict_subjects:
        options["strict_subjects"] = True
    folder = preparation.prepare(
        corpus, manual_dir, data_dir=data_dir, skip_bad=skip_bad, options=options, log=_print
    )
    _print(f"prepared: {folder}")


@app.command
def run(
    experiment: Positional[str],
    options: OmitArgPrefixes[Options],
    processes: OmitArgPrefixes[Processes],
    seeds: str = "1",
    stream: bool = False,
    merge: Merge = "none",
) -> int:
    """Trains an experiment for several seeds at once and writes a report.

    Args:
        experiment: Name of an experiment, as listed by `jaxdep list`.
        seeds: Number of seeds (8), or a list (3,5) or range (0-7) of seeds.
        stream: Read recordings from disk during training, if they do not fit in memory.
        merge: Average what is predicted for the recordings of a session or subject.
    """
    from jaxdep.analysis import table
    from jaxdep.runner.run import run as train

    _join(processes)
    result = train(
        experiment,
        seeds=parse_seeds(seeds),
        stream=stream,
        merge=merge,
        log=_print,
        report=_display,
        **options.arguments(),
    )
    table.show(result.results, _console)
    _print(f"report: {result.folder / 'report.html'}")
    diverged = [run for run in result.results["runs"] if run["status"] == "diverged"]
    return 1 if diverged else 0


@app.command
def sweep(
    experiment: Positional[str],
    options: OmitArgPrefixes[Options],
    processes: OmitArgPrefixes[Processes],
    grid: Grid = (),
    seeds: str = "1",
    random: int = 0,
    search_seed: int = 0,
    halving: bool = False,
    runs_per_device: Annotated[str, arg(metavar="N|auto")] = "auto",
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

    if runs_per_device != "auto" and not (runs_per_device.isdigit() and int(runs_per_device)):
        raise UserError(f"--runs-per-device {runs_per_device}: must be at least 1, or auto")
    if not grid:
        raise UserError("--grid is missing: name settings to try, such as model.hidden=64,128")
    axes = search_space.parse(flat(grid))
    _join(processes)
    result = sweeps.sweep(
        experiment,
        axes,
        seeds=parse_seeds(seeds),
        random=random,
        search_seed=search_seed,
        halving=halving,
        runs_per_device=0 if runs_per_device == "auto" else int(runs_per_device),
        log=_print,
        report=_display,
        **options.arguments(),
    )
    ranking.show(result.ranking, result.title, result.monitor, _console)
    _print(f"  training programs compiled: {result.programs}, in {result.compile_seconds:.1f} s")
    table.show(result.best.results, _console)
    _print(
        f"ranking: {result.folder / 'sweep.html'} and ranking.csv;"
        f" report: {result.best.folder / 'report.html'}"
    )
    return 1 if any(row.diverged for row in result.ranking) else 0


@app.command
def reproduce(
    selection: Positional[str] = "",
    manual_dir: Folders = (),
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
        reproduction_table.show_coverage(tables.coverage(), _console)
        return 0
    if not selection:
        raise UserError("name a paper (jamfn) or one of its tables (jamfn:table4)")
    result = tables.reproduce(
        selection,
        seeds=parse_seeds(seeds),
        manual_dirs=tables.parse_folders(selection, flat(manual_dir)),
        small=small,
        log=_print,
        report=_display,
        out=out,
        data_dir=data_dir,
        devices=devices,
        deterministic=deterministic,
        skip_bad=skip_bad,
    )
    reproduction_table.show(result.title, result.lines, _console)
    _print(f"report: {result.folder / 'report.html'}; tables.md, tables.tex and tables.csv there")
    return 1 if result.failed else 0


@app.command
def evaluate(folder: Positional[Path], split: str = "test") -> None:
    """Evaluates the best weights of a run on a split of its corpus.

    Args:
        folder: Run directory.
        split: One of train, validation, test.
    """
    from jaxdep.analysis import table
    from jaxdep.runner.run import evaluate as predict

    result = predict(folder, split=split, log=_print)
    table.show(result.results, _console)
    _print(f"report: {result.folder / 'report.html'}")


@app.command
def missing(folder: Positional[Path], split: str = "test") -> None:
    """Evaluates a run with each subset of its modalities, the others being absent.

    Args:
        folder: Run directory.
        split: One of train, validation, test.
    """
    from jaxdep.analysis import missing_report
    from jaxdep.runner.missing import missing as evaluate_subsets

    result = evaluate_subsets(folder, split=split, log=_print)
    missing_report.show(result.results, _console)
    _print(f"report: {result.folder / 'report.html'}")


@app.command
def report(
    folders: Positional[tuple[Path, ...]],
    merge: Merge | None = None,
    out: Path | None = None,
) -> None:
    """Writes the report of a run or a sweep, or of several runs side by side.

    Args:
        folders: Directories of runs, or of sweeps.
        merge: Average what is predicted for the recordings of a session or subject, or of none.
        out: HTML file or folder to write to; by default in the run's folder, or next to it.
    """
    from jaxdep.analysis import ranking, results, table, titles
    from jaxdep.analysis import report as reports
    from jaxdep.runner import reporting

    if not folders:
        raise UserError("no run directory given; pass one, such as runs/jamfn-demo-001")
    runs = []
    for folder in folders:
        run_dir = results.run_dir_of(folder)
        if run_dir != folder:
            outcome = ranking.read(folder)
            ranking.show(outcome.rows, outcome.title, outcome.monitor, _console)
        if merge is not None:
            reporting.set_merge(RunDir.at(run_dir), merge)
        runs.append(titles.read(folder, results.write(run_dir)))
    for run, title in zip(runs, titles.distinct(runs), strict=True):
        table.show(run.results, _console, title)
    _print(f"report: {reports.write(list(folders), out)}")


@app.command
def parity(model: Positional[str] = "", full: bool = False) -> int:
    """Compares outputs, gradients and updates of models with their PyTorch references.

    Args:
        model: Name of a model, as listed by `jaxdep list`; all by default.
        full: Run every case in both precisions, and the papers' sizes; takes an hour.
    """
    _require_torch()
    from jaxdep.parity import compare

    rows = compare.run(model or None, full, os.cpu_count() or 1)
    compare.show(rows, _console)
    return 0 if all(row.ok for row in rows) else 1


@app.command
def bench(
    name: Positional[str],
    model: str = "jamfn",
    size: str = "paper",
    repeats: int = 5,
    seeds: int = 8,
    json: bool = False,
    out: Path | None = None,
) -> None:
    """Benchmarks the training of a model against its PyTorch reference.

    Args:
        name: One of train-step, epoch, seeds, length, batch, devices, input, compile, memory,
            and, on a GPU, cudnn.
        model: Name of a model, as listed by `jaxdep list`.
        size: Size of the model, such as paper or small.
        repeats: Number of timed repetitions; the median is reported.
        seeds: Number of runs that train together (benchmark seeds only).
        json: Print one line of JSON instead of a table.
        out: Folder in which to store the results and an overview of all results in it.
    """
    _require_torch()
    from jaxdep.train import devices

    devices.start()
    from jaxdep.benchmarks import measures, tables

    line = measures.run(name, model, size, repeats, seeds)
    if json:
        print(tables.line(line))
    else:
        tables.show(line, _console)
    if out:
        _print(f"saved: {tables.keep(line, out)}")


app.command(inference.predict)
app.command(inference.export)


def parse_seeds(text: str) -> int | list[int]:
    """Parses `8` (a number of seeds), `3,5` (a list) or `0-7` (a range, both ends included)."""
    try:
        if "," in text:
            return [int(part) for part in text.split(",") if part]
        first, dash, last = text.partition("-")
        return list(range(int(first), int(last) + 1)) if dash else int(text)
    except ValueError:
        raise UserError(
            f"--seeds {text}: expected a number (8), a list (3,5) or a range (0-7)"
        ) from None


def _display(experiment: Any, runs: int) -> Any:
    from jaxdep.cli.progress import display

    return display(experiment, runs, console=_console)


def _join(processes: Processes) -> None:
    """Joins the other processes, if any; afterwards only the first one prints."""
    if not (processes.distributed or processes.coordinator):
        return
    from jaxdep.train import devices, hosts

    devices.start()
    hosts.join(processes.coordinator, processes.processes, processes.process)
    _console.quiet = not hosts.is_first()


def _require_torch() -> None:
    if importlib.util.find_spec("torch") is None:
        raise UserError("PyTorch is not installed; run: pip install 'jaxdep[parity]'")


def _print(text: str) -> None:
    _console.print(Text(visible(text)), soft_wrap=True)
