"""`report.html`: one self-contained page about a run, or about several side by side."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from jaxdep.analysis import compare, figures, intervals, results, words


def write(run_dirs: Sequence[Path]) -> Path:
    """Writes the page of one run into its folder; of several, beside the first one's.

    Raises:
      UserError: a folder is not that of a finished run.
    """
    runs = [_run(run_dir) for run_dir in run_dirs]
    if len(runs) == 1:
        target = run_dirs[0] / "report.html"
        title = words.title(runs[0]["results"])
    else:
        target = run_dirs[0].resolve().parent / "report-comparison.html"
        synthetic = any(run["results"]["synthetic"] for run in runs)
        title = ("SYNTHETIC: " if synthetic else "") + "comparison of runs"
    template = resources.files("jaxdep.analysis").joinpath("report.html").read_text()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    page = environment.from_string(template).render(
        title=title,
        synthetic=any(run["results"]["synthetic"] for run in runs),
        runs=runs,
        several=len(runs) > 1,
        overview=_overview(runs),
        differences=_differences(run_dirs, runs),
        words=words,
        methods=[intervals.OVER_RUNS, intervals.OVER_ITEMS],
    )
    temporary = target.with_name(target.name + ".part")
    temporary.write_text(page)
    os.replace(temporary, target)
    return target


def _run(run_dir: Path) -> dict[str, Any]:
    """Everything that the template shows of one run."""
    found = results.write(run_dir)
    captions = figures.write(run_dir, found)
    pictures = [
        {"caption": caption, "data": _encoded(run_dir / "figures" / name)}
        for name, caption in captions.items()
    ]
    pretty = lambda name: json.dumps(results.load(run_dir, name), indent=1)
    return {
        "name": run_dir.name,
        "results": found,
        "figures": pictures,
        "config": pretty("config.json"),
        "environment": pretty("environment.json"),
        "compile": results.load(run_dir, "meta.json")["compile"],
    }


def _overview(runs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """A line for each run and task: the headline metrics' means."""
    lines = []
    for run in runs:
        for name, task in run["results"]["tasks"].items():
            shown = ("accuracy", "balanced_accuracy", f"f1_{task['average']}", "mae")
            cells = [
                f"{words.metric_name(m)} {words.number(of['mean'])} ± {words.number(of['std'])}"
                for m in shown
                if (of := task["summary"].get(m))
            ]
            main = task["summary"].get("accuracy") or task["summary"].get("mae") or {}
            over = words.interval(main.get("interval_items"))
            lines.append([words.title(run["results"]), name, "; ".join(cells), over])
    return lines


def _differences(
    run_dirs: Sequence[Path], runs: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, str]]:
    """Each run minus the first, in every task that both have and were tested on alike."""
    found = []
    base = runs[0]["results"]
    for run_dir, run in list(zip(run_dirs, runs, strict=True))[1:]:
        for task, of in run["results"]["tasks"].items():
            alike = base["split"]["hash"] == run["results"]["split"]["hash"]
            if task in base["tasks"] and alike:
                metric = "accuracy" if of["classes"] else "mae"
                pair = compare.paired(run_dir, run_dirs[0], task, metric)
                name = f"{run['results']['experiment']} minus {base['experiment']}, {task}"
                said = f"{pair['difference']:+.3f} in {words.metric_name(metric)}"
                found.append((name, said, words.interval(pair["interval_items"])))
    return found


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
