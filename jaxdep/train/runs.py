"""Many runs at once: seeds and numeric settings along one axis of one compiled program."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.train import checkpoint, step
from jaxdep.train.devices import Layout
from jaxdep.train.status import Status

Report = Callable[[int, np.ndarray, list[dict[str, Any]]], None]
"""Called after each epoch with its number, the runs' statuses, and the epoch's history lines."""


@dataclass(frozen=True)
class Trained:
    """What runs became.

    Attributes:
      state: of all runs, arrays [R, ...] on the host.
      outputs: for each task the best epoch's outputs on the test split, [R, N, C] or [R, N].
      compile_seconds: spent on compiling the epoch's program.
    """

    state: step.State
    outputs: dict[str, np.ndarray]
    compile_seconds: float


def stack(
    experiment: Experiment, seeds: Sequence[int], hyper: Sequence[Mapping[str, float]] = ()
) -> step.Run:
    """The runs axis: one run for each seed, or for each pair of a seed and its own settings.

    Args:
      hyper: traced settings of each run; empty: the experiment's own.
    """
    default = step.default_hyper(experiment)
    own = [{**default, **values} for values in hyper] or [default] * len(seeds)
    values = {key: np.asarray([each[key] for each in own], np.float32) for key in own[0]}
    return step.Run(seed=np.asarray(seeds, np.uint32), hyper=values)


def train(
    experiment: Experiment,
    runs: step.Run,
    splits: Mapping[str, step.Data],
    layout: Layout,
    *,
    folder: Path | None = None,
    resume: bool = False,
    report: Report | None = None,
) -> Trained:
    """Trains all runs together until each has finished, stopped or diverged.

    Args:
      splits: `train`, `validation` and `test`, on the host. The test split is read once, after
        the last epoch.
      folder: where checkpoints go; None: none are written.
      resume: continue from the newest sound checkpoint in `folder`, bit for bit.
      report: told of every epoch.

    Raises:
      UserError: the monitored quantity does not exist.
    """
    data = {name: layout.place_shared(splits[name]) for name in ("train", "validation")}
    runs_there = layout.place_runs(runs)
    zeros = layout.place_runs(np.zeros(layout.runs, np.int32))
    first = lambda run, _, data: step.init(experiment, run, data)
    state = layout.compile(first)(runs_there, zeros, data["train"])
    state, epoch = _resume(state, layout, folder) if resume and folder else (state, 0)
    # What pads the runs axis must cost nothing: it has stopped before it began.
    idle = layout.place_runs(layout.fetch(state.status), fill=Status.STOPPED)
    state = state.replace(status=idle)

    one_epoch = lambda run, state, *data: step.epoch(experiment, run, state, *data)
    program = layout.compile(one_epoch, donate=(1,))
    arguments = (runs_there, state, data["train"], data["validation"])
    started = time.perf_counter()
    try:
        program = program.lower(*arguments).compile()
    except KeyError as missing:
        raise UserError(
            f"training.monitor={missing}: there are loss, and for each task <task>.loss and"
            " <task>.accuracy"
        ) from None
    compile_seconds = time.perf_counter() - started

    with checkpoint.manager(folder) if folder else nullcontext() as checkpoints:
        status = layout.fetch(state.status)
        while epoch < experiment.training.epochs and (status == Status.RUNNING).any():
            was_running = status == Status.RUNNING
            state, history = program(runs_there, state, data["train"], data["validation"])
            status, history = layout.fetch((state.status, history))
            epoch += 1
            if report:
                report(epoch, status, _lines(runs, epoch, was_running, status, history))
            if checkpoints:
                checkpoint.save(checkpoints, epoch, layout.fetch(state))

    return Trained(
        state=layout.fetch(state),
        outputs=predict(experiment, state.best, splits["test"], layout),
        compile_seconds=compile_seconds,
    )


def predict(
    experiment: Experiment, variables: Any, split: step.Data, layout: Layout
) -> dict[str, np.ndarray]:
    """Outputs of all runs for a split: [R, N, C] or [R, N] for each task.

    Args:
      variables: [R, ...] as `layout` has placed them.
    """
    outputs_of = lambda _, variables, data: step.predict(experiment, variables, data)
    zeros = layout.place_runs(np.zeros(layout.runs, np.int32))
    program = layout.compile(outputs_of)
    return layout.fetch(program(zeros, variables, layout.place_shared(split)))


def restore_best(
    experiment: Experiment,
    seeds: Sequence[int],
    train_split: step.Data,
    layout: Layout,
    folder: Path,
) -> Any:
    """The variables that each run kept, [R, ...], placed as `predict` wants them.

    Raises:
      UserError: no checkpoint can be read.
    """
    like = jax.eval_shape(
        jax.vmap(lambda run: step.init(experiment, run, train_split)), stack(experiment, seeds)
    )
    with checkpoint.manager(folder) as checkpoints:
        found = checkpoint.restore(checkpoints, like)
    if found is None:
        raise UserError(f"{folder}: no checkpoint there can be read; run the experiment again")
    return layout.place_runs(found[1].best)


def _resume(state: Any, layout: Layout, folder: Path) -> tuple[Any, int]:
    with checkpoint.manager(folder) as checkpoints:
        found = checkpoint.restore(checkpoints, layout.fetch(state))
    return (layout.place_runs(found[1]), found[0]) if found else (state, 0)


def _lines(
    runs: step.Run, epoch: int, was_running: np.ndarray, status: np.ndarray, history: Any
) -> list[dict[str, Any]]:
    """One line for each run that trained in this epoch, as `metrics.jsonl` has it."""

    def line(run: int) -> dict[str, Any]:
        about = {"run": run, "seed": int(runs.seed[run]), "epoch": epoch}
        said = {"status": Status(int(status[run])).sentence}
        return about | said | jax.tree.map(lambda values: _plain(values[run]), history)

    return [line(int(run)) for run in np.flatnonzero(was_running)]


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
