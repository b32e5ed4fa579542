"""Commands that use finished runs: `evaluate`, `missing` and `report`."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from jaxdep.artifacts.run_dir import RunDir
from jaxdep.artifacts.schema import Merge
from jaxdep.cli import output
from jaxdep.errors import UserError


def evaluate(folder: Positional[Path], split: str = "test") -> None:
    """Evaluates the best weights of a run on a split of its corpus.

    Args:
        folder: Run directory.
        split: One of train, validation, test.
    """
    from jaxdep.analysis import table
    from jaxdep.runner.evaluation import evaluate as predict

    result = predict(folder, split=split, log=output.say)
    table.show(result.results, output.console)
    output.say(f"report: {result.folder / 'report.html'}")


def missing(
    folders: Positional[tuple[Path, ...]], split: str = "test", out: Path | None = None
) -> None:
    """Evaluates runs with each subset of their modalities, the others being absent.

    Args:
        folders: Run directories; several are also set side by side.
        split: One of train, validation, test.
        out: HTML file or folder for the page of several runs; by default next to the first run.
    """
    from jaxdep.analysis import missing_matrix, missing_report
    from jaxdep.runner.missing import missing as evaluate_subsets
    from jaxdep.runner.missing_matrix import missing_of_several

    if not folders:
        raise UserError("no run directory given; pass one, such as runs/jamfn-demo-001")
    if len(folders) > 1:
        several = missing_of_several(folders, split=split, out=out, log=output.say)
        for run in several.runs:
            missing_report.show(run.results, output.console)
            output.say(f"report: {run.folder / 'report.html'}")
        missing_matrix.show(several.runs, output.console)
        output.say(f"report: {several.page}")
        return
    if out is not None:
        raise UserError("--out is for several runs; the results of one run lie in its folder")
    result = evaluate_subsets(next(iter(folders)), split=split, log=output.say)
    missing_report.show(result.results, output.console)
    output.say(f"report: {result.folder / 'report.html'}")


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
    from jaxdep.analysis import ranking, results, subgroups_table, table, titles
    from jaxdep.analysis import report as reports
    from jaxdep.runner import reporting

    if not folders:
        raise UserError("no run directory given; pass one, such as runs/jamfn-demo-001")
    runs = []
    for folder in folders:
        run_dir = results.run_dir_of(folder)
        if run_dir != folder:
            outcome = ranking.read(folder)
            ranking.show(outcome.rows, outcome.title, outcome.monitor, output.console)
        if merge is not None:
            reporting.set_merge(RunDir.at(run_dir), merge)
        runs.append(titles.read(folder, results.write(run_dir)))
    for run, title in zip(runs, titles.distinct(runs), strict=True):
        table.show(run.results, output.console, title)
    if len(runs) == 1:
        subgroups_table.show(runs[0].results, output.console)
    output.say(f"report: {reports.write(list(folders), out)}")
