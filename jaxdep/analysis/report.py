"""Writes `report.html`, a self-contained page about one run or a comparison of several."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from jaxdep.analysis import compare, figures, formatting, intervals, narrative, results
from jaxdep.artifacts.files import write_text
from jaxdep.errors import UserError
from jaxdep.plain import visible


def write(run_dirs: Sequence[Path]) -> Path:
    """Writes the report of one run into its folder, or a comparison next to the first run's folder.

    Raises:
      UserError: a folder is not the directory of a finished run.
    """
    run_dirs = [Path(run_dir) for run_dir in run_dirs]
    runs = [_run(run_dir) for run_dir in run_dirs]
    if len(runs) == 1:
        target = run_dirs[0] / "report.html"
        title = formatting.title(runs[0]["results"])
    else:
        target = run_dirs[0].resolve().parent / "report-comparison.html"
        synthetic = any(run["results"]["synthetic"] for run in runs)
        title = ("SYNTHETIC: " if synthetic else "") + "Comparison of runs"
    template = resources.files("jaxdep.analysis").joinpath("report.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_visible
    )
    page = environment.from_string(template).render(
        title=title,
        synthetic=any(run["results"]["synthetic"] for run in runs),
        runs=runs,
        several=len(runs) > 1,
        overview=_overview(runs),
        differences=_differences(run_dirs, runs),
        formatting=formatting,
        narrative=narrative,
        methods=[intervals.OVER_RUNS, intervals.OVER_ITEMS],
    )
    write_text(target, page)
    return target


def _visible(value: Any) -> Any:
    return visible(value) if isinstance(value, str) else value


def _run(run_dir: Path) -> dict[str, Any]:
    """Data of one run for the template."""
    run_results = results.write(run_dir)
    captions = figures.write(run_dir, run_results)
    plots = [
        {
            "caption": caption,
            "data": _encoded(run_dir / "figures" / name),
            "narrow": name.startswith(("confusion", "scatter")),
        }
        for name, caption in captions.items()
    ]
    pretty = lambda name: json.dumps(results.load(run_dir, name), indent=1, ensure_ascii=False)
    return {
        "name": run_dir.name,
        "results": run_results,
        "figures": plots,
        "settings": _settings(run_results["runs"]),
        "config": pretty("config.json"),
        "environment": pretty("environment.json"),
        "compile": results.load(run_dir, "meta.json")["compile"],
    }


def _settings(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Numeric settings of the runs: listed once if all runs share them, otherwise for each run."""
    texts = [", ".join(f"{key} {value:.4g}" for key, value in run["hyper"].items()) for run in runs]
    if len(set(texts)) == 1:
        return [f"all runs: {texts[0]}"] if texts[0] else []
    return [f"run {run['run']}: {text}" for run, text in zip(runs, texts, strict=True)]


def _overview(runs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """One line per run, task and main metric, with standard deviation and both intervals."""
    lines = []
    for run in runs:
        for name, task in run["results"]["tasks"].items():
            shown = ("accuracy", "balanced_accuracy", f"f1_{task['average']}", "mae", "rmse")
            for metric in shown:
                if summary := task["summary"].get(metric):
                    lines.append(
                        [
                            f"{formatting.title(run['results'])} ({run['name']})",
                            name,
                            formatting.metric_name(metric),
                            formatting.number(summary["mean"], metric),
                            formatting.number(summary["std"], metric),
                            str(summary["runs"]),
                            formatting.interval(summary["interval_runs"], metric),
                            formatting.interval(summary["interval_items"], metric),
                        ]
                    )
    return lines


def _differences(
    run_dirs: Sequence[Path], runs: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, str, str, str, str]]:
    """Difference of each run to the first, in all tasks that both share."""
    lines = []
    base = runs[0]["results"]
    for run_dir, run in list(zip(run_dirs, runs, strict=True))[1:]:
        other = run["results"]
        for task in other["tasks"]:
            both = [each["tasks"].get(task) for each in (base, other)]
            if not all(each and each["summary"] for each in both):
                continue
            metric = "accuracy" if both[0]["classes"] else "mae"
            name = f"{other['experiment']} ({run['name']}) minus {base['experiment']}"
            try:
                pair = compare.paired(run_dir, run_dirs[0], task, metric)
            except UserError:
                lines.append((name, task, "different test recordings", "-", "-", "-"))
                continue
            lines.append(
                (
                    name,
                    task,
                    formatting.metric_name(metric),
                    formatting.difference(pair["difference"], metric),
                    formatting.interval(pair["interval_runs"], metric),
                    formatting.interval(pair["interval_items"], metric),
                )
            )
    return lines


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
