"""What is aimed at on a GPU, and whether the results reach it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jaxdep.benchmarks import rows

SEEDS, SPEEDUP = 16, 6.0
"""So many seeds train together at least so many times as fast as in PyTorch one after another."""
BFLOAT16 = 1.5
"""Least ratio of our time in float32 to that in bfloat16."""
DIFFERENCE = 1e-4
"""Largest relative difference of outputs and gradients in float32."""


def section(lines: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of the section of the overview page; none if nothing was measured on a GPU."""
    found = [goal for line in lines if line["machine"]["gpus"] for goal in _goals(line)]
    if not found:
        return
    yield "## Goals on a GPU\n"
    yield "| row | goal | measured | reached |"
    yield "|---|---|---|---|"
    for name, goal, value, reached in found:
        yield f"| {name} | {goal} | {value:.3g} | {'yes' if reached else 'NO'} |"
    yield ""


def _goals(line: Mapping[str, Any]) -> Iterator[tuple[str, str, float, bool]]:
    name, points = rows.name_of(line), rows.points_of(line)
    if name.startswith("seed-counts-jamfn-"):
        for point in points:
            if point["seeds"] == SEEDS:
                ratio = min(point["ratio"].values())
                goal = f"{SEEDS} seeds at least {SPEEDUP:g} times as fast as every reference"
                yield name, goal, ratio, ratio >= SPEEDUP
    if line["bench"] == "precision":
        ours = {point["precision"]: point["ours_s"] for point in points}
        ratio = ours["float32"] / ours["bfloat16"]
        goal = f"bfloat16 at least {BFLOAT16:g} times as fast as our float32"
        yield name, goal, ratio, ratio >= BFLOAT16
    if line["bench"] == "correctness":
        exact = [point for point in points if point["precision"] == "float32"]
        worst = max(point[quantity] for point in exact for quantity in ("outputs", "gradients"))
        goal = f"float32 within {DIFFERENCE:g} of PyTorch and of the CPU"
        yield name, goal, worst, worst <= DIFFERENCE
