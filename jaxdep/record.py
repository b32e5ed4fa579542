"""What runs leave in their folder: settings, statuses, predictions, attention maps, the report."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep import material
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment, to_json
from jaxdep.folder import RunFolder, environment, write_json, write_text
from jaxdep.train import devices, hosts, predictions, step
from jaxdep.train.status import Status


@dataclass(frozen=True)
class Result:
    """What `run` and `sweep` return: the folder, and the content of its `results.json`."""

    folder: Path
    results: Mapping[str, Any]


@dataclass(frozen=True)
class Subject:
    """What was trained on what.

    Attributes:
      prepared: folder of the prepared corpus.
      identity: as `material.identity`.
      merge_tasks: whether the scores of one session's recordings are averaged before judging.
    """

    experiment: Experiment
    prepared: Path
    splits: material.Splits
    identity: Mapping[str, Any]
    merge_tasks: bool = False


def folder_of_process(folder: RunFolder) -> RunFolder:
    """The folder for this process: what others than the first one write is thrown away."""
    hosts.wait("folder")  # all have looked at it before the first one writes
    if hosts.first():
        return folder
    scratch = tempfile.mkdtemp(prefix="jaxdep-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return RunFolder(Path(scratch), folder.shared)


def config_of(subject: Subject, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What `config.json` holds: the experiment, what was asked of it, and what it is trained on.

    Args:
      asked: seeds and the like.
    """
    return {**to_json(subject.experiment), **asked, "identity": subject.identity}


def begin(folder: RunFolder, subject: Subject, asked: Mapping[str, Any]) -> None:
    """Writes what is known of a run before it begins: its settings and surroundings.

    Args:
      asked: as in `config_of`.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    where = {"prepared_corpus": str(subject.prepared)}
    write_json(folder.config, config_of(subject, asked))
    write_json(folder.environment, {**environment(devices.describe()), **where})


def describe(runs: step.Run, state: step.State) -> list[dict[str, Any]]:
    """What `meta.json` says of each run."""
    size = sum(leaf[0].size for leaf in jax.tree.leaves(state.variables["params"]))
    return [
        {
            "run": run,
            "seed": int(seed),
            "hyper": {key: float(values[run]) for key, values in runs.hyper.items()},
            "status": Status(int(state.status[run])).sentence,
            "epochs": int(state.epoch[run]),
            "best_epoch": int(state.best_epoch[run]),
            "parameters": size,
        }
        for run, seed in enumerate(runs.seed)
    ]


def attention(
    folder: RunFolder, subject: Subject, state: step.State, outputs: Mapping[str, np.ndarray]
) -> None:
    """Writes attention maps, if the model has any, of runs that did not diverge.

    Of a few recordings those of the first run; where they are over words, of all recordings too.
    """
    sound = np.flatnonzero(state.status != Status.DIVERGED)
    if not sound.size:
        return
    one = jax.tree.map(lambda leaf: leaf[sound[0]], state.best)
    said = outputs[subject.experiment.main_task][sound[0]]
    maps = predictions.attention(subject.experiment, one, subject.splits["test"], said)
    if maps:
        np.savez(folder.attention, **maps)
    if predictions.of_words(maps):
        every = jax.tree.map(lambda leaf: leaf[sound], state.best)
        read = predictions.words(subject.experiment, every, subject.splits["test"])
        np.savez(folder.words, **read)


def finish(
    folder: RunFolder,
    subject: Subject,
    runs: Sequence[Mapping[str, Any]],
    outputs: Mapping[str, np.ndarray],
    compiled: Mapping[str, Any],
) -> Result:
    """Writes the predictions, and the table, figures and report drawn from them.

    Args:
      runs: as `describe` has them.
      outputs: of each run for the test split.
      compiled: `programs`, how many were compiled, and `seconds`.
    """
    seeds = [run["seed"] for run in runs]
    text = predictions.to_csv(outputs, subject.splits["test"], seeds)
    write_text(folder.predictions, text)
    about = material.describe(subject.experiment, subject.prepared, subject.splits)
    own = {"runs": list(runs), "compile": dict(compiled), "merge_tasks": subject.merge_tasks}
    write_json(folder.meta, {**about, **own})
    return report_on(folder)


def merge_tasks(folder: RunFolder, merge: bool) -> None:
    """Decides for a finished run what `Subject.merge_tasks` says of one that begins.

    Raises:
      UserError: no session of the run's corpus has several recordings.
    """
    meta = folder.read(folder.meta)
    if merge:
        check_sessions(meta["corpus"])
    write_json(folder.meta, {**meta, "merge_tasks": merge})


def check_sessions(corpus: Mapping[str, Any]) -> None:
    """Refuses to merge what no session holds several recordings of."""
    if not corpus["sessions"]:
        raise UserError(
            f"--merge-tasks: {corpus['name']} has no sessions of several recordings; leave it out"
        )


def report_on(folder: RunFolder) -> Result:
    """Writes `results.json`, the figures and `report.html` from what a run left."""
    from jaxdep.analysis import report, results

    found = results.write(folder.path)
    report.write([folder.path])
    return Result(folder.path, found)
