"""Writes `sweep.html`, a self-contained page about a sweep: ranking, figures, halving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from jaxdep.analysis import (
    formatting,
    intervals,
    narrative,
    page,
    ranking,
    results,
    style,
    sweep_figures,
)
from jaxdep.plain import one_line
from jaxdep.settings.paths import short_names


def write(folder: Path, out: str | Path | None = None) -> Path:
    """Writes the page of a sweep into its folder.

    Args:
      folder: directory of a finished sweep.
      out: HTML file or folder to write to instead.

    Raises:
      UserError: the folder is not the directory of a finished sweep.
    """
    target = page.place(out, folder / "sweep.html")
    outcome, best = ranking.read(folder), results.write(results.run_dir_of(folder))
    rows = outcome.rows
    paths = list(rows[0].values)
    values = {
        "title": formatting.marked(f"Sweep: {outcome.title}", best["synthetic"]),
        "synthetic": best["synthetic"],
        "monitor": outcome.monitor,
        "validation": best["splits"]["validation"],
        "optimistic": ranking.OPTIMISTIC,
        "heads": short_names(paths, paths),
        "rows": [_cells(row) for row in rows],
        "halving": _halving(rows),
        "figures": _figures(folder, outcome, best["synthetic"]),
        "best": best,
        "formatting": formatting,
        "narrative": narrative,
        "over_runs": intervals.OVER_RUNS,
    }
    return page.write("sweep.html", target, values)


def _cells(row: ranking.Row) -> dict[str, Any]:
    """Cells of a configuration in the table of the ranking."""
    return {
        "number": row.number,
        "settings": [one_line(str(value), 60) for value in row.values.values()],
        "mean": formatting.number(None if math.isnan(row.mean) else row.mean),
        "std": formatting.number(row.std),
        "interval": formatting.interval(row.interval),
        "seeds": len(row.scores) + row.diverged,
        "diverged": row.diverged,
        "epochs": row.epochs,
        "outcome": f"stopped after epoch {row.dropped}" if row.dropped else "",
    }


def _halving(rows: Sequence[ranking.Row]) -> list[dict[str, Any]]:
    """Each rung of successive halving: its epoch, what was stopped there, and what remained."""
    found = []
    for epoch in sweep_figures.rungs(rows):
        stopped = sorted(row.number for row in rows if row.dropped == epoch)
        remaining = sum(not row.dropped or row.dropped > epoch for row in rows)
        text = ", ".join(map(str, stopped))
        found.append({"epoch": epoch, "stopped": text, "remaining": remaining})
    return found


def _figures(folder: Path, outcome: ranking.Outcome, synthetic: bool) -> list[dict[str, str]]:
    """Draws the figures into the folder of the sweep; captions, and images for their elements."""
    drawn: dict[str, tuple[Figure, str]] = {
        f"setting_{place}": sweep_figures.by_setting(outcome.rows, path, outcome.monitor)
        for place, path in enumerate(outcome.rows[0].values)
    }
    if sweep_figures.rungs(outcome.rows):
        drawn["halving"] = sweep_figures.halving(outcome.rows)
    for name, (figure, _) in drawn.items():
        style.save(figure, folder, name, synthetic)
    return [{"caption": drawn[name][1], "data": page.encoded(folder, name)} for name in drawn]
