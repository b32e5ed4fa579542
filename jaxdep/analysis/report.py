"""Writes `report.html`, a self-contained page about one run, or the page of a sweep or several."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxdep.analysis import (
    calibration_summary,
    comparison,
    figures,
    fold_calibration,
    fold_spread,
    formatting,
    intervals,
    narrative,
    page,
    results,
    subgroups_table,
    sweep_report,
)
from jaxdep.plain import gib


def write(run_dirs: Sequence[Path], out: str | Path | None = None) -> Path:
    """Writes the report of one run or sweep into its folder, or a comparison next to the first run.

    Args:
      run_dirs: run directories; in a comparison, that of a sweep stands for its best run.
      out: HTML file or folder to write to instead.

    Raises:
      UserError: a folder is not the directory of a finished run.
    """
    run_dirs = [Path(run_dir) for run_dir in run_dirs]
    if len(run_dirs) > 1:
        return comparison.write(run_dirs, out)
    best = results.run_dir_of(run_dirs[0])
    if best != run_dirs[0]:
        written = sweep_report.write(run_dirs[0], out)
        write([best])
        return written
    target = page.place(out, best / "report.html")
    run = _run(best)
    values = {
        "title": formatting.title(run["results"]),
        "synthetic": run["results"]["synthetic"],
        "run": run,
        "formatting": formatting,
        "narrative": narrative,
        "methods": [
            intervals.OVER_RUNS,
            intervals.OVER_ITEMS,
            *([fold_spread.METHOD] if run["results"]["cross_validation"] else []),
        ],
        "calibration_methods": [
            *calibration_summary.METHODS,
            *([fold_calibration.METHOD] if run["results"]["cross_validation"] else []),
        ],
        "subgroup_methods": subgroups_table.METHODS,
    }
    return page.write("report.html", target, values)


def _run(run_dir: Path) -> dict[str, Any]:
    """Data of one run for the template."""
    run_results = results.write(run_dir)
    subgroups_table.write(run_dir / "subgroups.csv", run_results)
    captions = figures.write(run_dir, run_results)
    plots = [
        {
            "caption": caption,
            "data": page.encoded(run_dir, name),
            "narrow": name.startswith(("confusion", "scatter", "reliability")),
        }
        for name, caption in captions.items()
    ]
    meta = results.load(run_dir, "meta.json")
    pretty = lambda name: json.dumps(results.load(run_dir, name), indent=1, ensure_ascii=False)
    return {
        "results": run_results,
        "figures": plots,
        "subgroups": subgroups_table.tables(run_results),
        "not_compared": subgroups_table.left_out(run_results),
        "settings": _settings(run_results["runs"]),
        "config": pretty("config.json"),
        "environment": pretty("environment.json"),
        "compile": meta["compile"],
        "memory": _memory(meta.get("memory")),
    }


def _memory(taken: Mapping[str, int] | None) -> str:
    """One line about the memory of a run; empty if none was planned."""
    if not taken:
        return ""
    of_device = taken["device_peak_bytes"]
    on_device = f", on the device {gib(of_device)}" if of_device else ""
    return (
        f"Runs at once: {taken['at_once']}. Memory: planned {gib(taken['planned_bytes'])}, taken at"
        f" most {gib(taken['peak_bytes'])}{on_device}."
    )


def _settings(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Numeric settings of the runs: listed once if all runs share them, otherwise for each run."""
    texts = [", ".join(f"{key} {value:.4g}" for key, value in run["hyper"].items()) for run in runs]
    if len(set(texts)) == 1:
        return [f"all runs: {texts[0]}"] if texts[0] else []
    return [f"run {run['run']}: {text}" for run, text in zip(runs, texts, strict=True)]
