"""Tests the best configuration of a sweep, and writes its run directory as `jaxdep run` would."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxdep.analysis import ranking
from jaxdep.artifacts import schema
from jaxdep.artifacts.files import write_text
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.overrides import override
from jaxdep.runner import reporting
from jaxdep.runner.reporting import Outcome, RunRecorder
from jaxdep.runner.successive_halving import SuccessiveHalving
from jaxdep.train import attention_maps, checkpoint, runs

FOLDER = "best"
"""Folder of the best configuration's run, in that of the sweep."""


def test(
    halver: SuccessiveHalving,
    row: ranking.Row,
    best: RunDir,
    chosen_among: int,
    options: Mapping[str, Any],
) -> None:
    """Tests a configuration and writes its run directory.

    Args:
      halver: states of the trained runs.
      row: the configuration.
      best: run directory to write.
      chosen_among: number of configurations of the sweep.
      options: options for XLA's compiler.
    """
    whole, seeds = halver.recorder, halver.seeds
    group = next(group for group in halver.groups if row.number in group.members)
    hyper = group.hyper[group.members.index(row.number)]
    experiment = override(whole.prepared.experiment, row.values)
    splits = whole.prepared.data.splits
    state = halver.together(row.number)
    outputs = {
        name: halver.predict(row.number, state.best, splits[name].arrays)
        for name in ("validation", "test")
    }
    request = {"seeds": list(seeds), "deterministic": whole.request["deterministic"]}
    alone = replace(whole.prepared, experiment=experiment)
    told = {"chosen_among": chosen_among, "command": whole.command}
    recorder = RunRecorder(best, alone, whole.base, request, **told)
    recorder.begin()
    _copy_history(whole.run_dir.path / "history", best.metrics, row.number, seeds)
    with checkpoint.manager(best.checkpoints) as checkpoints:
        checkpoint.save(checkpoints, int(state.epoch.max()), state)
    attention = attention_maps.of_runs(experiment, state, splits["test"], outputs["test"], options)
    entries = reporting.describe(runs.stack(experiment, seeds, [hyper] * len(seeds)), state)
    programs, seconds = halver.programs, halver.compile_seconds
    recorder.finish(Outcome(entries, outputs, programs, seconds, attention))


def _copy_history(source: Path, target: Path, configuration: int, seeds: Sequence[int]) -> None:
    """Copies the history of one configuration, renumbering its runs from 0."""
    # The newest file last: a sweep that was resumed with other sizes has trained some epochs twice.
    paths = sorted(source.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    lines = [line for path in paths for line in schema.read_history(path)]
    chosen = [line for line in lines if line.pop("configuration") == configuration]
    chosen = [{**line, "run": list(seeds).index(line["seed"])} for line in chosen]
    once = {(line["epoch"], line["run"]): line for line in chosen}
    write_text(target, "".join(json.dumps(once[key]) + "\n" for key in sorted(once)))
