"""Records runs: their settings before training, and afterwards their outcome and report."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep.artifacts import environment, writer
from jaxdep.artifacts.files import write_json
from jaxdep.artifacts.run_dir import RunDir, check_same
from jaxdep.artifacts.schema import Description, Memory, Merge, Meta, RunEntry, SplitEntry
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.inference.description import InputDescription
from jaxdep.overrides import digest_of, to_json
from jaxdep.runner import labels
from jaxdep.runner.input_pipeline import PreparedExperiment
from jaxdep.runner.options import Log
from jaxdep.train import devices, host_memory, hosts, step
from jaxdep.train.attention_maps import Attention
from jaxdep.train.memory import Plan, device_peak
from jaxdep.train.status import Status


@dataclass(frozen=True)
class Result:
    """Return value of `run`.

    Attributes:
      folder: run directory.
      results: content of `results.json`.
    """

    folder: Path
    results: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """Outcome of trained runs.

    Attributes:
      runs: description of each run, as returned by `describe`.
      outputs: outputs of all runs, by split (`validation` and `test`) and task.
      programs: number of compiled programs.
      compile_seconds: time spent compiling them.
      attention: attention maps.
      stochastic: whether outcomes depend on the seed.
      memory: planned and measured memory, as returned by `describe_memory`.
    """

    runs: Sequence[RunEntry]
    outputs: Mapping[str, Mapping[str, np.ndarray]]
    programs: int = 0
    compile_seconds: float = 0.0
    attention: Attention = field(default_factory=Attention)
    stochastic: bool = True
    memory: Memory | None = None


@dataclass(frozen=True)
class RunRecorder:
    """Writes the run directory of an experiment, from the settings to the report.

    Attributes:
      run_dir: run directory.
      prepared: experiment and its data.
      base: experiment that changes are counted from, see `labels.base_of`.
      request: seeds, and for a sweep its configurations.
      resume: whether the directory holds a run to be continued.
      merge: whose recordings are evaluated as one, by the mean of what is predicted for them.
      log: callback for messages.
      chosen_among: number of configurations of the sweep that chose the settings; 1 for no sweep.
      command: command that the run is repeated with; empty for that of this process.
    """

    run_dir: RunDir
    prepared: PreparedExperiment
    base: Experiment
    request: Mapping[str, Any]
    resume: bool = False
    merge: Merge = "none"
    log: Log = print
    chosen_among: int = 1
    command: str = ""

    @cached_property
    def label(self) -> labels.Label:
        """Title of the run, and what was changed."""
        return labels.label(self.prepared, self.base)

    @property
    def config(self) -> dict[str, Any]:
        """Content of `config.json`: experiment, request and identity of the training data."""
        settings = to_json(self.prepared.experiment)
        return {**settings, **self.request, "identity": self.prepared.data.identity}

    @cached_property
    def _environment(self) -> dict[str, Any]:
        """Content of `environment.json`; it takes calls of git, and is used twice."""
        described = environment.describe(devices.describe())
        data = self.prepared.data
        other = {"tested_corpus": str(data.elsewhere)} if data.elsewhere else {}
        command = self.command or described["command"]
        return {**described, "command": command, "prepared_corpus": str(data.folder), **other}

    def check(self) -> None:
        """Checks the request against the corpus, and against the run that it continues.

        Raises:
          UserError: there are no recordings to merge, or the directory holds a different run.
        """
        check_merge(self.merge, self.prepared)
        if not self.resume:
            return
        existing = RunDir.at(self.run_dir.shared)
        check_same(existing, self.config)
        before = existing.read(existing.environment)
        for difference in environment.differences(before, self._environment):
            self.log(
                f"warning: the run was begun with {difference}; results may differ in rounding"
            )

    def begin(self) -> None:
        """Writes the settings and the environment of a run before training begins."""
        writer.begin(self.run_dir, self.config, self._environment)

    def finish(self, outcome: Outcome) -> Result:
        """Writes the outcome, and the table, figures and report based on it."""
        self._describe_inputs()
        writer.attention(self.run_dir, outcome.attention.examples, outcome.attention.words)
        meta: Meta = {
            **describe_data(self.prepared, self.label),
            "runs": list(outcome.runs),
            "compile": {
                "programs": outcome.programs,
                "seconds": round(outcome.compile_seconds, 1),
            },
            "memory": outcome.memory,
            "merge": self.merge,
            "stochastic": outcome.stochastic,
            "chosen_among": self.chosen_among,
        }
        writer.finish(self.run_dir, meta, outcome.outputs, self.prepared.data.splits)
        return write_report(self.run_dir)

    def report(self) -> Result:
        """Writes the report of a finished run again, and what earlier versions did not write."""
        finished = RunDir.at(self.run_dir.shared)
        if not finished.inputs.exists():
            self._describe_inputs()
        return write_report(finished)

    def _describe_inputs(self) -> None:
        """Writes what `jaxdep.load` needs to know of the inputs."""
        described = InputDescription.of(self.prepared.experiment, self.prepared.data)
        described.write(self.run_dir.inputs)


def run_dir_of_process(run_dir: RunDir) -> RunDir:
    """The run directory of this process; all processes but the first write to a temporary one."""
    hosts.wait("folder")  # all processes inspect the folder before the first one writes to it
    if hosts.is_first():
        return run_dir
    scratch = tempfile.mkdtemp(prefix="jaxdep-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return RunDir(Path(scratch), run_dir.shared)


def describe(runs: step.Run, state: step.State) -> list[RunEntry]:
    """Description of each run, for `meta.json`."""
    size = sum(leaf[0].size for leaf in jax.tree.leaves(state.variables["params"]))
    return [
        {
            "run": run,
            "seed": int(seed),
            "hyper": {key: float(values[run]) for key, values in runs.hyper.items()},
            "status": Status(int(state.status[run])).label,
            "epochs": int(state.epoch[run]),
            "best_epoch": int(state.best_epoch[run]),
            "parameters": size,
        }
        for run, seed in enumerate(runs.seed)
    ]


def describe_memory(plan: Plan) -> Memory:
    """What was planned, and what was held at most so far, for `meta.json`."""
    layout = plan.trainer.layout
    return {
        "at_once": layout.runs,
        "planned_bytes": (plan.required or 0) * len(layout.devices),
        "peak_bytes": host_memory.peak(),
        "device_peak_bytes": device_peak(layout.devices[0]),
    }


def describe_split(split: Any) -> SplitEntry:
    """Name, size and hash of a split, which identify the data behind a result."""
    return {
        "name": split.name,
        "items": len(split),
        "hash": split.digest,
        "carved_from": split.carved_from or None,
        "subjects": len(np.unique(split.subjects)),
    }


def set_merge(run_dir: RunDir, merge: Merge) -> None:
    """Sets whose recordings a finished run evaluates as one.

    Args:
      run_dir: run directory.
      merge: `none`, or average what is predicted for the recordings of a `session` or `subject`.

    Raises:
      UserError: no session or subject has several recordings, or they have different targets.
    """
    from jaxdep.analysis import results

    meta = {**run_dir.read(run_dir.meta), "merge": merge}
    merged = results.finite_predictions(run_dir.path, meta)
    if merge != "none":
        each = results.finite_predictions(run_dir.path, {**meta, "merge": "none"})
        if all(len(each[task].ids) == len(merged[task].ids) for task in each):
            raise _nothing_to_merge(merge, meta["splits"]["test"]["name"])
    write_json(run_dir.meta, meta)


def check_merge(merge: Merge, prepared: PreparedExperiment) -> None:
    """Checks, before any training, that recordings of the test split can be evaluated as one.

    Args:
      merge: whose recordings are evaluated as one.
      prepared: experiment and its data.

    Raises:
      UserError: no session or subject has several recordings, or they have different targets.
    """
    from jaxdep.analysis import predictions, recordings

    if merge == "none":
        return
    split, sessions = prepared.data.splits["test"], prepared.data.description["sessions"]
    groups = recordings.groups(merge, split.ids, split.subjects, sessions)
    if len(np.unique(groups)) == len(groups):
        raise _nothing_to_merge(merge, split.name)
    for task in prepared.experiment.tasks:
        try:
            predictions.check_groups(groups, split.targets[task])
        except ValueError as error:
            raise UserError(f"--merge {merge}: {task}: {error}; omit this option") from None


def _nothing_to_merge(merge: Merge, split: str) -> UserError:
    return UserError(
        f"--merge {merge}: no {merge} of {split} has several recordings; omit this option"
    )


def write_report(run_dir: RunDir) -> Result:
    """Writes `results.json`, the figures and `report.html` from the files of a run."""
    from jaxdep.analysis import report, results

    content = results.write(run_dir.path)
    report.write([run_dir.path])
    return Result(run_dir.path, content)


def describe_data(prepared: PreparedExperiment, label: labels.Label) -> Description:
    """Describes the experiment, its corpus, splits and model selection, for `meta.json`."""
    experiment, splits = prepared.experiment, prepared.data.splits
    corpus = prepared.data.description
    return {
        "experiment": experiment.name,
        "title": label.title,
        "changed": {path: list(pair) for path, pair in label.changed.items()},
        "hash": digest_of(experiment),
        "corpus": {
            "name": experiment.corpus.name,
            "synthetic": corpus["synthetic"] is not None,
            "synthetic_truth": corpus["synthetic"],
            "warnings": corpus["warnings"],
            "skipped": corpus["skipped"],
            "label_source": corpus["label_source"],
            "sessions": corpus["sessions"],
            "subjects_known": corpus["subjects_known"],
            "words": corpus["card"].get("words", []),
            "own_name": corpus["card"].get("corpus", ""),
        },
        "splits": {
            "train": describe_split(splits["train"]),
            "validation": describe_split(splits["validation"]),
            "test": describe_split(splits["test"]),
        },
        "classes": {task: list(names) for task, names in splits["train"].classes.items()},
        "selection": _selection(experiment),
    }


def _selection(experiment: Experiment) -> str:
    if experiment.is_baseline:
        return "lowest validation loss over all candidate settings"
    training = experiment.training
    best = "highest" if training.higher_is_better else "lowest"
    return f"{best} validation {training.monitor}; weights of the best epoch restored"
