"""The command line: each command parses, calls one function, prints."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from tyro.conf import OmitArgPrefixes, Positional, arg

from jaxdep import hugepages
from jaxdep.errors import UserError
from jaxdep.experiment import parse_assignments
from jaxdep.folder import RunFolder
from jaxdep.options import Options

app = tyro.extras.SubcommandApp()
_console = Console()

Grid = Annotated[
    tuple[str, ...],
    arg(metavar="KEY=V1,V2 ...", help="Values to try; KEY=log(LOW,HIGH) is a range for --random."),
]


@app.command(name="list")
def list_() -> None:
    """Names the experiments, corpora and models."""
    from rich.table import Table

    from jaxdep.data.corpora import CORPORA
    from jaxdep.experiments import EXPERIMENTS
    from jaxdep.models import MODELS

    rows = {
        "experiments": {name: each.title for name, each in EXPERIMENTS.items()},
        "corpora": CORPORA,
        "models": {name: (cls.__doc__ or "").split("\n")[0] for name, cls in MODELS.items()},
    }
    for title, entries in rows.items():
        table = Table(title=title, title_justify="left", show_header=False, box=None)
        for name, summary in entries.items():
            table.add_row(name, summary)
        _console.print(table)


@app.command
def synthesize(
    corpus: Positional[str],
    directory: Positional[Path],
    items: int | None = None,
    seed: int = 0,
    signal: float = 1.0,
) -> None:
    """Writes a synthetic stand-in of a corpus, in the layout of the real files.

    Args:
        corpus: A corpus of `jaxdep list`.
        directory: Where to write; must be new or empty.
        items: Number of recordings; the real corpus's by default.
        seed: Of everything drawn.
        signal: Strength of what is planted; 0 leaves nothing to learn.
    """
    from jaxdep.data import corpora

    truth = corpora.synthesize(corpus, directory, items=items, seed=seed, signal=signal)
    _say(f"{directory}: {truth['items']} SYNTHETIC recordings of {corpus}")
    for task, known in truth["tasks"].items():
        best = ", ".join(f"{k} {v:.3f}" for k, v in known.items() if isinstance(v, float))
        _say(f"  {task}: {best}")


@app.command
def prepare(
    corpus: Positional[str],
    manual_dir: Path,
    text_encoder: str | None = None,
    image_encoder: str | None = None,
    data_dir: Path | None = None,
    skip_bad: bool = False,
    strict_subjects: bool = False,
    set_: Annotated[tuple[str, ...], arg(name="set", metavar="KEY=VALUE ...")] = (),
) -> None:
    """Checks a corpus's raw files and stores them for training.

    Args:
        corpus: A corpus of `jaxdep list`.
        manual_dir: Folder of the raw files.
        text_encoder: Hugging Face name or folder of the encoder of texts (mgid).
        image_encoder: Folder of the encoder of images (mgid).
        data_dir: Where prepared corpora are kept; the user's cache by default.
        skip_bad: Leave out faulty recordings instead of refusing the corpus.
        strict_subjects: Refuse a corpus with a subject in two splits (avec2013, avec2014).
        set_: Other options of the corpus, such as speakers=both split=stratified (daicwoz).
    """
    from jaxdep.data import corpora

    given = {"text_encoder": text_encoder, "image_encoder": image_encoder}
    options = corpora.parse_options(corpus, parse_assignments(list(set_)))
    options |= {k: value for k, value in given.items() if value is not None}
    if strict_subjects:
        options["strict_subjects"] = True
    folder = corpora.prepare(
        corpus, manual_dir, data_dir=data_dir, skip_bad=skip_bad, options=options, log=_say
    )
    _say(f"prepared: {folder}")


@app.command
def run(
    experiment: Positional[str],
    shared: OmitArgPrefixes[Options],
    seeds: str = "1",
    stream: bool = False,
    merge_tasks: bool = False,
) -> int:
    """Trains an experiment for several seeds at once and reports it.

    Args:
        experiment: An experiment of `jaxdep list`.
        seeds: How many (8), or which (3,5 or 0-7).
        stream: Read recordings from disk while training, where they do not fit in memory.
        merge_tasks: Average the scores of one session's recordings before judging (avec2014).
    """
    from jaxdep import launch
    from jaxdep.analysis import table

    _join(shared)
    result = launch.run(
        experiment,
        seeds=parse_seeds(seeds),
        stream=stream,
        merge_tasks=merge_tasks,
        log=_say,
        report=_display,
        **shared.arguments(),
    )
    table.show(result.results, _console)
    _say(f"report: {result.folder / 'report.html'}")
    diverged = [run for run in result.results["runs"] if run["status"] == "diverged"]
    return 1 if diverged else 0


@app.command
def sweep(
    experiment: Positional[str],
    grid: Grid,
    shared: OmitArgPrefixes[Options],
    seeds: str = "1",
    random: int = 0,
    search_seed: int = 0,
    halving: bool = False,
    runs_per_device: Annotated[str, arg(metavar="N|auto")] = "auto",
) -> int:
    """Trains many settings of an experiment at once, ranks them on validation, tests the best.

    Args:
        experiment: An experiment of `jaxdep list`.
        seeds: How many (8), or which (3,5 or 0-7), of each configuration.
        random: Draw so many configurations instead of the whole grid.
        search_seed: Of those draws.
        halving: Stop the worse half of the configurations at each rung (successive halving).
        runs_per_device: Runs that a device trains at once; auto for as many as fit.
    """
    from jaxdep import search, sweeps
    from jaxdep.analysis import ranking, table

    if runs_per_device != "auto" and not (runs_per_device.isdigit() and int(runs_per_device)):
        raise UserError(f"--runs-per-device {runs_per_device}: give a number from 1, or auto")
    axes = search.parse(grid)
    _join(shared)
    swept = sweeps.sweep(
        experiment,
        axes,
        seeds=parse_seeds(seeds),
        random=random,
        search_seed=search_seed,
        halving=halving,
        runs_per_device=0 if runs_per_device == "auto" else int(runs_per_device),
        log=_say,
        report=_display,
        **shared.arguments(),
    )
    ranking.show(swept.ranking, swept.title, swept.monitor, _console)
    _say(f"  training programs compiled: {swept.programs}, in {swept.compile_seconds:.1f} s")
    table.show(swept.best.results, _console)
    _say(f"ranking: {swept.folder / 'ranking.csv'}; report: {swept.best.folder / 'report.html'}")
    return 1 if any(row.diverged for row in swept.ranking) else 0


@app.command
def evaluate(folder: Positional[Path], split: str = "test") -> None:
    """Evaluates the weights that a run kept on a split of its corpus.

    Args:
        folder: Of the run.
        split: One of train, validation, test.
    """
    from jaxdep import launch
    from jaxdep.analysis import table

    result = launch.evaluate(folder, split=split, log=_say)
    table.show(result.results, _console)
    _say(f"report: {result.folder / 'report.html'}")


@app.command
def report(folders: Positional[tuple[Path, ...]], merge_tasks: bool | None = None) -> None:
    """Writes the report of one run, or of several side by side.

    Args:
        folders: Of the runs.
        merge_tasks: Average the scores of one session's recordings before judging, or no longer.
    """
    from jaxdep import record
    from jaxdep.analysis import report as reports
    from jaxdep.analysis import results, table

    if not folders:
        raise UserError("name the folder of a run, such as runs/jamfn-demo-001")
    for folder in folders:
        if merge_tasks is not None:
            record.merge_tasks(RunFolder.at(folder), merge_tasks)
        table.show(results.write(folder), _console)
    _say(f"report: {reports.write(list(folders))}")


@app.command
def parity(model: Positional[str] = "", full: bool = False) -> int:
    """Compares a model, or all, with its PyTorch reference: outputs, gradients, updates.

    Args:
        model: A model of `jaxdep list`; all by default.
        full: Every case in both precisions, and the papers' sizes; takes an hour.
    """
    _need_torch()
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
    """Measures a model's training beside its PyTorch reference's.

    Args:
        name: One of train-step, epoch, seeds, length, batch, devices, input, compile, memory,
            and cudnn on a GPU.
        model: A model of `jaxdep list`.
        size: Such as paper or small.
        repeats: Turns that are counted; figures are medians over them.
        seeds: Runs that train together, for seeds.
        json: Print one line of JSON instead of a table.
        out: Keep the figures in this folder, with a page of all that it holds.
    """
    _need_torch()
    from jaxdep.train import devices

    devices.start()
    from jaxdep.benchmarks import measures, tables

    line = measures.run(name, model, size, repeats, seeds)
    if json:
        print(tables.line(line))
    else:
        tables.show(line, _console)
    if out:
        _say(f"kept: {tables.keep(line, out)}")


def parse_seeds(text: str) -> int | list[int]:
    """Reads `8` (how many), `3,5` (which) or `0-7` (from, to)."""
    try:
        if "," in text:
            return [int(part) for part in text.split(",") if part]
        first, dash, last = text.partition("-")
        return list(range(int(first), int(last) + 1)) if dash else int(text)
    except ValueError:
        raise UserError(
            f"--seeds {text}: give a number (8), a list (3,5) or a range (0-7)"
        ) from None


def main() -> None:
    """Runs the command line; exits 0 done, 1 a run failed, 2 the input was wrong."""
    hugepages.use()
    try:
        sys.exit(app.cli(prog="jaxdep", description=__import__("jaxdep").__doc__) or 0)
    except UserError as error:
        said = Console(stderr=True, soft_wrap=True)
        said.print(f"jaxdep: {error}", style="red", highlight=False, markup=False)
        sys.exit(2)


def _display(experiment: Any, runs: int) -> Any:
    from jaxdep.progress import display

    return display(experiment, runs, console=_console)


def _join(options: Options) -> None:
    """Joins the other processes, if there are any; only the first one then speaks."""
    if not (options.distributed or options.coordinator):
        return
    from jaxdep.train import devices, hosts

    devices.start()
    hosts.join(options.coordinator, options.processes, options.process)
    _console.quiet = not hosts.first()


def _need_torch() -> None:
    if importlib.util.find_spec("torch") is None:
        raise UserError("PyTorch is not installed: pip install 'jaxdep[parity]'")


def _say(text: str) -> None:
    _console.print(text, highlight=False, markup=False, soft_wrap=True)
