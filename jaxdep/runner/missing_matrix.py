"""Evaluates several trained runs with each subset of their modalities, and joins the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxdep.analysis import missing_matrix
from jaxdep.analysis.missing_matrix import Evaluated
from jaxdep.errors import UserError
from jaxdep.runner.missing import missing
from jaxdep.runner.options import Log


@dataclass(frozen=True)
class Result:
    """Return value of `missing_of_several`.

    Attributes:
      page: the page with all runs.
      runs: the evaluated runs, in order.
    """

    page: Path
    runs: Sequence[Evaluated]


def missing_of_several(
    folders: Sequence[str | Path],
    *,
    split: str = "test",
    out: str | Path | None = None,
    log: Log = print,
) -> Result:
    """Evaluates each run as `jaxdep.missing` does, and writes a page with a row per run.

    Args:
      folders: run directories.
      split: `train`, `validation` or `test`, as used by the runs.
      out: HTML file or folder to write to; by default `report-missing.html` next to the first run.
      log: callback for messages.

    Raises:
      UserError: a folder is given twice, nothing can be written to `out`, or a run cannot be
        evaluated, see `jaxdep.missing`; runs before that one keep their own results.
    """
    sources = [Path(folder) for folder in folders]
    places = [source.resolve() for source in sources]
    for source, place in zip(sources, places, strict=True):
        if places.count(place) > 1:
            raise UserError(f"{source} is given twice; pass each run once")
    target = missing_matrix.place(sources, out)
    runs = []
    for source in sources:
        log(f"run {source}")
        found = missing(source, split=split, log=log)
        runs.append(Evaluated(source, found.folder, found.results))
    return Result(missing_matrix.write(runs, target), runs)
