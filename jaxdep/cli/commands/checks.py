"""Commands that compare with PyTorch: `parity` and `bench`."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from tyro.conf import Positional

from jaxdep.cli import output
from jaxdep.errors import UserError


def parity(model: Positional[str] = "", full: bool = False) -> int:
    """Compares outputs, gradients and updates of models with their PyTorch references.

    Args:
        model: Name of a model, as listed by `jaxdep list`; all by default.
        full: Run every case in both precisions, and the papers' sizes; takes an hour.
    """
    _require_torch()
    from jaxdep.parity import compare

    rows = compare.run(model or None, full, os.cpu_count() or 1)
    compare.show(rows, output.console)
    return 0 if all(row.ok for row in rows) else 1


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
        tables.show(line, output.console)
    if out:
        output.say(f"saved: {tables.keep(line, out)}")


def _require_torch() -> None:
    if importlib.util.find_spec("torch") is None:
        raise UserError("PyTorch is not installed; run: pip install 'jaxdep[parity]'")
