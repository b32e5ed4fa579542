"""Reproduces tables of a paper: trains every experiment once, and writes a page of the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxdep.analysis import published, reproduction
from jaxdep.analysis.reproduction import RUNS, TABLES, Coverage
from jaxdep.artifacts import lock
from jaxdep.artifacts.files import write_json
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.data import corpora
from jaxdep.errors import UserError, closest
from jaxdep.experiment import Experiment
from jaxdep.overrides import digest_of
from jaxdep.runner import requests
from jaxdep.runner.options import Display, RunOptions
from jaxdep.runner.run import check_seeds, find, run
from jaxdep.tables import Paper, Row, Table

Log = Callable[[str], None]

REQUEST = "reproduction.json"
"""File with the settings of a reproduction."""

_TEXT_ENCODER = "text_encoder"
"""Option of the corpora that embed texts."""


@dataclass(frozen=True)
class Reproduction:
    """Return value of `reproduce`.

    Attributes:
      folder: folder of the runs and of the page.
      title: title of the paper.
      lines: lines of the tables, as in `jaxdep.analysis.reproduction`.
      failed: experiments that did not run, and why.
    """

    folder: Path
    title: str
    lines: Sequence[reproduction.Line]
    failed: Mapping[str, str]


def reproduce(
    selection: str,
    *,
    seeds: int | Sequence[int] = 1,
    manual_dirs: Mapping[str, str | Path] | None = None,
    text_encoder: str | None = None,
    small: bool = False,
    log: Log = print,
    report: Display | None = None,
    **options: Any,
) -> Reproduction:
    """Trains all rows of one or more tables of a paper, and compares them with its figures.

    An experiment that several rows name is trained once, and a program that several experiments
    share is compiled once (`jaxdep.train.devices.start`). If the output folder holds an
    interrupted reproduction with the same seeds, data, text encoder and size, it is continued;
    further tables join it.

    Args:
      selection: a paper, such as `jamfn`, or one of its tables, such as `jamfn:table4`.
      seeds: number of seeds (0, 1, ...), or a list of seeds.
      manual_dirs: folder with the raw files of each corpus, by name of the corpus; corpora that
        are not named are synthetic stand-ins.
      text_encoder: Hugging Face name or folder of the text encoder of all corpora that have this
        option, stand-ins included; by default each has its own. Rows that set it themselves keep
        theirs.
      small: train small variants on small stand-ins, to see that everything works.
      log: callback for messages.
      report: factory of the progress display, as in `jaxdep.run`.
      **options: fields of `jaxdep.runner.options.RunOptions` but `manual_dir`, `overrides` and
        `resume`.

    Raises:
      UserError: the input is invalid, or no experiment could be trained.
    """
    paper, tables = select(selection)
    seeds, manual_dirs = check_seeds(seeds), dict(manual_dirs or {})
    if small and manual_dirs:
        raise UserError("--small trains on small stand-ins; omit --manual-dir")
    trainings = {
        run_name(row, small): _experiment(row, small, text_encoder) for row in _trained(tables)
    }
    names = {experiment.corpus.name for experiment in trainings.values()}
    if unknown := sorted(set(manual_dirs) - names):
        raise UserError(
            f"--manual-dir {unknown[0]}=...: no row of {selection} is on {unknown[0]}; its corpora:"
            f" {', '.join(sorted(names))}"
        )
    if text_encoder is not None and not any(map(_embeds_texts, names)):
        raise UserError(
            f"--text-encoder: no row of {selection} is on a corpus whose texts are embedded; omit"
            " the option"
        )
    folder = Path(options.pop("out", None) or Path("runs") / f"reproduce-{paper.name}")
    chosen = RunOptions(**options)
    request = {
        "paper": paper.name,
        "seeds": seeds,
        "small": small,
        "signal": chosen.signal,
        "deterministic": chosen.deterministic,
        "manual_dirs": {name: str(Path(path).resolve()) for name, path in manual_dirs.items()},
        "text_encoder": text_encoder,
    }
    requests.begin(folder, REQUEST, request, "reproduction")

    failed: dict[str, str] = {}
    for number, (name, experiment) in enumerate(trainings.items(), 1):
        log(f"experiment {number} of {len(trainings)}: {name}")
        out = folder / RUNS / name
        try:
            run(
                experiment,
                seeds=seeds,
                log=log,
                report=report,
                manual_dir=manual_dirs.get(experiment.corpus.name),
                out=out,
                resume=RunDir.at(out).config.is_file(),
                **options,
            )
        except UserError as error:
            failed[name] = str(error)
            log(f"{name} cannot be trained: {error}")
    lock.release(folder)
    if trainings and len(failed) == len(trainings):
        raise UserError(next(iter(failed.values())))
    write_json(folder / TABLES, _describe(paper, tables, folder, small, failed))
    return Reproduction(folder, paper.title, reproduction.write(folder), failed)


def select(selection: str) -> tuple[Paper, tuple[Table, ...]]:
    """Parses `PAPER` or `PAPER:TABLE`.

    Raises:
      UserError: there is no such paper or table.
    """
    from jaxdep.experiments.tables import PAPERS

    name, colon, table = selection.partition(":")
    if name not in PAPERS:
        hint = closest(name, PAPERS, f"choose from {', '.join(PAPERS)}")
        raise UserError(f"unknown paper {name!r}; {hint}")
    paper = PAPERS[name]
    return paper, (paper.table(table),) if colon else paper.tables


def parse_folders(selection: str, given: Sequence[str]) -> dict[str, str]:
    """Parses `["FOLDER"]` or `["CORPUS=FOLDER", ...]`.

    Args:
      selection: paper or table, as in `reproduce`; a folder without a name is that of its corpus.
      given: values of `--manual-dir`.

    Raises:
      UserError: a folder has no name, and the tables have several corpora; or a name is repeated.
    """
    _, tables = select(selection)
    named = sorted({row.corpus for table in tables for row in table.rows})
    folders: dict[str, str] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not (equals and name in named):
            if len(named) > 1:
                raise UserError(
                    f"--manual-dir {text}: {selection} has rows on {', '.join(named)}; name the"
                    f" corpus of the folder, such as {named[0]}=FOLDER"
                )
            name, folder = named[0], text
        if name in folders:
            raise UserError(f"--manual-dir: {name} is given twice; give one folder")
        folders[name] = folder
    return folders


def coverage() -> list[Coverage]:
    """Counts the published rows of every paper that its tables reproduce, from the data."""
    from jaxdep.experiments.tables import PAPERS

    counted = []
    for paper in PAPERS.values():
        rows = {
            (table.source, row.corpus, row.task, row.label): row
            for table in paper.tables
            for row in table.rows
        }
        keys = {
            (entry.source, entry.corpus, entry.task, entry.row)
            for entry in published.entries()
            if entry.system == paper.system
        }
        missing = [key for key in keys if key not in rows]
        for own in (True, False):
            found = [rows[key] for key in keys if key in rows and rows[key].own == own]
            trained = sum(bool(row.experiment) for row in found)
            total = len(found) + (len(missing) if own else 0)
            counted.append(Coverage(paper.name, own, total, trained, len(found) - trained))
    return [each for each in counted if each.rows]


def run_name(row: Row, small: bool) -> str:
    """Name of the run directory of a row; rows with equal settings share one."""
    if not row.overrides:
        return row.experiment
    return f"{row.experiment}-{digest_of(_experiment(row, small))[:8]}"


def _trained(tables: Sequence[Table]) -> list[Row]:
    """The rows that an experiment reproduces."""
    return [row for table in tables for row in table.rows if row.experiment]


def _experiment(row: Row, small: bool, text_encoder: str | None = None) -> Experiment:
    from jaxdep.experiments.small import small as smaller

    overrides = dict(row.overrides)
    if text_encoder is not None and _embeds_texts(row.corpus):
        overrides.setdefault(f"corpus.options.{_TEXT_ENCODER}", text_encoder)
    experiment = find(row.experiment, overrides)
    return smaller(experiment) if small else experiment


def _embeds_texts(corpus: str) -> bool:
    return corpora.has_option(corpus, _TEXT_ENCODER)


def _describe(
    paper: Paper, tables: Sequence[Table], folder: Path, small: bool, failed: Mapping[str, str]
) -> dict[str, Any]:
    """Content of `tables.json`; tables that were reproduced into the folder before are kept."""
    described = [
        {
            "name": table.name,
            "source": table.source,
            "title": table.title,
            "proposed": table.proposed,
            "note": table.note,
            "rows": [_describe_row(row, small, failed) for row in table.rows],
        }
        for table in tables
    ]
    if (folder / TABLES).is_file():
        names = [table.name for table in tables]
        before = reproduction.read_tables(folder)["tables"]
        described += [table for table in before if table["name"] not in names]
    order = [table.name for table in paper.tables]
    described.sort(key=lambda table: order.index(table["name"]))
    return {"paper": paper.name, "system": paper.system, "title": paper.title, "tables": described}


def _describe_row(row: Row, small: bool, failed: Mapping[str, str]) -> dict[str, Any]:
    name = run_name(row, small) if row.experiment else ""
    reason = row.reason or failed.get(name, "")
    described = {"label": row.label, "corpus": row.corpus, "task": row.task, "own": row.own}
    ran = {"run": "" if reason else name, "reason": reason, "overrides": sorted(row.overrides)}
    return {**described, **ran}
