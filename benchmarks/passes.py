"""Makes all tables of a folder anew, one row after another; an interrupted pass goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jaxdep.artifacts import environment
from jaxdep.artifacts.files import check_writable, read_json, write_json
from jaxdep.benchmarks import tables
from jaxdep.benchmarks.rows import Row
from jaxdep.errors import UserError

UNFINISHED = ".unfinished"
"""File in the folder of results with the commit of a pass and its finished rows; removed with the
last one."""


class RowError(Exception):
    """A row could not be measured."""


def run(
    rows: Sequence[Row],
    folder: Path,
    *,
    log: Callable[[str], None],
    measure: Callable[[Row], dict[str, Any]] | None = None,
) -> list[Row]:
    """Measures rows one after another, and writes each result and the overview page at once.

    If the folder has an unfinished pass, its finished rows are kept as they are. A row that fails
    does not stop the others; the same call then measures it again.

    Args:
      rows: rows to measure.
      folder: folder of the results.
      log: called with a line about each row.
      measure: function from a row to its result; None: `in_own_process`.

    Returns:
      The rows that failed.

    Raises:
      UserError: the folder cannot be written to, or has an unfinished pass of another commit.
    """
    measure = measure or in_own_process
    check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path, now = folder / UNFINISHED, environment.commit()
    begun, done = _begun(path) if path.is_file() else (now, [])
    if _clean(begun) != _clean(now):
        raise UserError(
            f"{folder} has an unfinished pass of commit {begun}, and this is {now}; return to that"
            f" commit to go on, or remove {path} to begin anew"
        )
    failed = []
    for number, row in enumerate(rows, 1):
        label = f"[{number}/{len(rows)}] {row.name}"
        if asdict(row) in done:
            log(f"{label}: kept, measured earlier in this pass")
            continue
        log(label)
        try:
            tables.keep(measure(row) | {"commit": begun}, folder)
        except RowError as error:
            log(f"{label}: FAILED, {error}")
            failed.append(row)
            continue
        done.append(asdict(row))
        write_json(path, {"commit": begun, "done": done})
    if not failed:
        path.unlink(missing_ok=True)
    return failed


def in_own_process(row: Row) -> dict[str, Any]:
    """Measures a row by `jaxdep bench` in a process of its own.

    No row then has the memory or the compiled programs of another, and a row that is killed ends
    alone.

    Raises:
      RowError: the process failed.
    """
    given = {"model": row.model, "size": row.size, "repeats": row.repeats, "seeds": row.seeds}
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "jaxdep", "bench", row.bench, *options, "--json"]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise RowError(f"exit code {result.returncode}, see the output above")
    return json.loads(result.stdout.splitlines()[-1])


def _begun(path: Path) -> tuple[str | None, list[dict[str, Any]]]:
    """The commit of an unfinished pass, and its finished rows."""
    try:
        stored = read_json(path)
        return stored["commit"], list(stored["done"])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged; remove it to begin a pass anew") from None


def _clean(commit: str | None) -> str:
    """The commit itself: results that a pass wrote are uncommitted changes."""
    return (commit or "").removesuffix("+")
