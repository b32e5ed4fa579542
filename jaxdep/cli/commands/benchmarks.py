"""The command that measures training beside PyTorch: `bench`."""

from __future__ import annotations

import os
from pathlib import Path

from tyro.conf import Positional

from jaxdep.cli import output
from jaxdep.cli.commands.checks import require_torch
from jaxdep.errors import UserError

_REPEATS, _SEEDS = 5, 8


def bench(
    name: Positional[str],
    folders: Positional[tuple[Path, ...]] = (),
    model: str | None = None,
    size: str | None = None,
    repeats: int | None = None,
    seeds: int = _SEEDS,
    json: bool = False,
    out: Path | None = None,
) -> int:
    """Benchmarks the training of a model against its PyTorch reference.

    `bench all --out DIR` measures every row of the tables, one after another; if it is interrupted,
    the same command goes on. `bench compare A B` compares two folders of results. `bench tables
    DIR` rewrites the overview page of a folder, `bench law DIR --out docs` that of the scaling law.

    Args:
        name: One of train-step, epoch, seeds, seed-counts, length, batch, recordings, devices,
            spread, input, compile, memory, precision, capacity, correctness, and, on a GPU, cudnn;
            or all, compare, tables or law.
        folders: Folders of results (compare, tables and law only).
        model: Name of a model, as listed by `jaxdep list`; by default jamfn, or all of `bench all`.
        size: Size of the model, such as tiny; by default paper, or that of each row of `bench all`.
        repeats: Number of timed repetitions, whose median is reported; by default 5 or more.
        seeds: Number of runs that train together, if several do; the largest number of seed-counts
            and capacity.
        json: Print one line of JSON instead of a table.
        out: Folder in which to store the results and an overview of all results in it.
    """
    needed = {"compare": 2, "tables": 1, "law": 1}.get(name, 0)
    if len(folders) != needed:
        raise UserError(f"bench {name}: expected {needed} folders of results, got {len(folders)}")
    if name == "compare":
        _compare(folders[0], folders[1])
    elif name == "tables":
        _tables(folders[0])
    elif name == "law":
        _law(folders[0], _required(name, out))
    elif name == "all":
        return _all(model, size, repeats, _required(name, out))
    else:
        repeats = _REPEATS if repeats is None else repeats
        _one(name, model or "jamfn", size or "paper", repeats, seeds, json, out)
    return 0


def _one(
    name: str, model: str, size: str, repeats: int, seeds: int, json: bool, out: Path | None
) -> None:
    require_torch()
    from jaxdep.train import devices

    devices.start()
    from jaxdep.benchmarks import measures, tables

    line = measures.run(name, model, size, repeats, seeds)
    if json:
        print(tables.line(line))
    else:
        tables.show(line, output.console)
    if out:
        output.say(f"saved: {tables.keep(line, out)}")


def _all(model: str | None, size: str | None, repeats: int | None, out: Path) -> int:
    require_torch()
    from jaxdep.benchmarks import passes, rows

    if (load := os.getloadavg()[0]) > 1:
        output.say(f"warning: other programs are running (load {load:.1f}) and disturb the times")
    failed = passes.run(rows.chosen(model, size, repeats), out, log=output.say)
    if failed:
        output.say(f"failed: {', '.join(row.name for row in failed)}; the same command tries again")
    output.say(f"results: {out / 'README.md'}")
    return 1 if failed else 0


def _compare(first: Path, second: Path) -> None:
    from jaxdep.benchmarks import compared, tables

    compared.show(compared.compare(tables.read(first), tables.read(second)), output.console)


def _tables(folder: Path) -> None:
    from jaxdep.benchmarks import tables

    output.say(f"saved: {tables.write_page(folder)}")


def _law(folder: Path, out: Path) -> None:
    from jaxdep.benchmarks import law_page, tables

    output.say(f"saved: {law_page.write(tables.read(folder), folder, out)}")


def _required(name: str, out: Path | None) -> Path:
    if out is None:
        raise UserError(f"bench {name}: name the folder to write to with --out")
    return out
