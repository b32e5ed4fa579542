"""The rows of `jaxdep bench all`, and the known reasons why some of them are behind PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxdep.errors import UserError


@dataclass(frozen=True)
class Row:
    """One benchmark of one model at one size, with its number of turns.

    Attributes:
      bench: name of the benchmark.
      model: name of the model.
      size: size of the model, from its spec.
      repeats: number of counted turns; results are medians.
      seeds: number of runs that train together, if the benchmark trains several.
    """

    bench: str
    model: str = "jamfn"
    size: str = "paper"
    repeats: int = 5
    seeds: int = 8

    @property
    def name(self) -> str:
        """Name of the file of results, without its ending."""
        return f"{self.bench}-{self.model}-{self.size}"


ROWS = (
    Row("train-step", repeats=7),
    Row("train-step", size="medium", repeats=7),
    Row("train-step", size="small", repeats=7),
    Row("train-step", "mddr"),
    Row("train-step", "mddr", "avec2013"),
    Row("train-step", "smfl"),
    Row("train-step", "smfl_released"),
    Row("train-step", "depformer"),
    Row("train-step", "amm"),
    Row("epoch"),
    Row("memory"),
    Row("compile"),
    Row("input"),
    Row("input", "depformer"),
    Row("seeds", size="medium"),
    Row("seeds", size="small"),
    Row("seed-counts", size="medium", seeds=16),
    Row("length"),
    Row("batch", size="medium"),
    Row("recordings", size="medium"),
    Row("devices", size="medium"),
    Row("spread", size="medium"),
)
"""All rows of `benchmarks/results`, in the order in which they are measured."""

REASONS: Mapping[tuple[str, str], str] = {
    ("compile-jamfn-paper", "time"): "PyTorch compiles nothing: ours is traced, and compiled by XLA"
    " or read from the cache.",
    ("batch-jamfn-medium", "time"): "A part of an update does not depend on the batch"
    " (`docs/scaling.md`).",
    ("length-jamfn-paper", "time"): "A part of an update does not depend on the batch, here an"
    " eighth of the paper's (`docs/scaling.md`).",
    ("seeds-jamfn-medium", "memory"): "A run on each core at once; PyTorch holds the activations of"
    " one run at a time.",
    ("seeds-jamfn-small", "memory"): "A run on each core at once; PyTorch holds the activations of"
    " one run at a time.",
}
"""Why a row is behind in `time` or in `memory`, by its name; only what is known from measurements
or by construction."""


def chosen(model: str | None, size: str | None, repeats: int | None) -> list[Row]:
    """The rows of a pass.

    Args:
      model: only rows of this model; None: all.
      size: size of every row instead of its own, such as `tiny` for a trial; None: its own.
      repeats: number of turns of every row instead of its own; None: its own.

    Raises:
      UserError: there is no row of this model, or there are no turns.
    """
    if repeats is not None and repeats < 1:
        raise UserError("--repeats must be at least 1")
    changes: dict[str, Any] = {"size": size, "repeats": repeats}
    changes = {field: value for field, value in changes.items() if value is not None}
    rows = [Row(**(vars(row) | changes)) for row in ROWS if model in (None, row.model)]
    if not rows:
        models = ", ".join(dict.fromkeys(row.model for row in ROWS))
        raise UserError(f"bench all --model {model}: no rows of it; choose from {models}")
    return list({row.name: row for row in rows}.values())


def name_of(line: Mapping[str, Any]) -> str:
    """Name of the row that a result belongs to."""
    return Row(line["bench"], line["model"], line["size"]).name


def points_of(line: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All measurements of a result."""
    return line.get("points", [line])


COLUMNS = (
    *("how", "precision", "seeds", "batch", "length", "recordings", "devices", "steps", "cached"),
)
"""What distinguishes the measurements of a result, in the order of the columns."""


def label_of(point: Mapping[str, Any]) -> str:
    """Names a measurement among those of its result, such as `batch 8`."""
    return ", ".join(f"{name} {point[name]}" for name in COLUMNS if name in point)
