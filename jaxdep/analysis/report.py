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

from jaxdep.analysis import compare, figures, intervals, results, sentences, words
from jaxdep.errors import UserError


def write(run_dirs: Sequence[Path]) -> Path:
    """Writes the page of one run into its folder; of several, beside the first one's.

    Raises:
      UserError: a folder is not that of a finished run.
    """
    run_dirs = [Path(run_dir) for run_dir in run_dirs]
    runs = [_run(run_dir) for run_dir in run_dirs]
    if len(runs) == 1:
        target = run_dirs[0] / "report.html"
        title = words.title(runs[0]["results"])
    else:
        target = run_dirs[0].resolve().parent / "report-comparison.html"
        synthetic = any(run["results"]["synthetic"] for run in runs)
        title = ("SYNTHETIC: " if synthetic else "") + "Comparison of runs"
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
        sentences=sentences,
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
        {
            "caption": caption,
            "data": _encoded(run_dir / "figures" / name),
            "narrow": name.startswith(("confusion", "scatter")),
        }
        for name, caption in captions.items()
    ]
    pretty = lambda name: json.dumps(results.load(run_dir, name), indent=1)
    return {
        "name": run_dir.name,
        "results": found,
        "figures": pictures,
        "settings": _settings(found["runs"]),
        "config": pretty("config.json"),
        "environment": pretty("environment.json"),
        "compile": results.load(run_dir, "meta.json")["compile"],
    }


def _settings(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The numeric settings of the runs: once where all share them, else run by run."""
    told = [", ".join(f"{key} {value:.4g}" for key, value in run["hyper"].items()) for run in runs]
    if len(set(told)) == 1:
        return [f"every run: {told[0]}"] if told[0] else []
    return [f"run {run['run']}: {text}" for run, text in zip(runs, told, strict=True)]


def _overview(runs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """A line for each run, task and main metric, with its spread and both intervals."""
    lines = []
    for run in runs:
        for name, task in run["results"]["tasks"].items():
            shown = ("accuracy", "balanced_accuracy", f"f1_{task['average']}", "mae", "rmse")
            for metric in shown:
                if of := task["summary"].get(metric):
                    lines.append(
                        [
                            f"{words.title(run['results'])} ({run['name']})",
                            name,
                            words.metric_name(metric),
                            words.number(of["mean"], metric),
                            words.number(of["std"], metric),
                            str(of["runs"]),
                            words.interval(of["interval_runs"], metric),
                            words.interval(of["interval_items"], metric),
                        ]
                    )
    return lines


def _differences(
    run_dirs: Sequence[Path], runs: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, str, str, str, str]]:
    """Each run minus the first, in every task that both have and were tested on alike."""
    found = []
    base = runs[0]["results"]
    for run_dir, run in list(zip(run_dirs, runs, strict=True))[1:]:
        of = run["results"]
        for task in of["tasks"]:
            both = [each["tasks"].get(task) for each in (base, of)]
            if not all(each and each["summary"] for each in both):
                continue
            metric = "accuracy" if both[0]["classes"] else "mae"
            name = f"{of['experiment']} ({run['name']}) minus {base['experiment']}"
            try:
                pair = compare.paired(run_dir, run_dirs[0], task, metric)
            except UserError:
                found.append((name, task, "tested on other recordings", "-", "-", "-"))
                continue
            found.append(
                (
                    name,
                    task,
                    words.metric_name(metric),
                    words.difference(pair["difference"], metric),
                    words.interval(pair["interval_runs"], metric),
                    words.interval(pair["interval_items"], metric),
                )
            )
    return found


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
