"""From the name of an experiment to a run's folder with its table, pictures and checkpoints."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep import experiment as experiments_of
from jaxdep import material
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.folder import RunFolder, environment, write_json, write_text
from jaxdep.train import devices as device_layout
from jaxdep.train import predictions, runs
from jaxdep.train.devices import Backend
from jaxdep.train.status import Status


@dataclass(frozen=True)
class Result:
    """What `run` returns: the folder, and the content of its `results.json`."""

    folder: Path
    results: Mapping[str, Any]


def run(
    experiment: str | Experiment,
    *,
    seeds: int | Sequence[int] = 1,
    manual_dir: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    devices: int = 0,
    backend: Backend = "jit",
    data_dir: str | Path | None = None,
    skip_bad: bool = False,
    signal: float = 1.0,
    log: Callable[[str], None] = print,
    report: Callable[[Experiment, int], Any] | None = None,
) -> Result:
    """Trains an experiment for several seeds at once and reports it.

    Args:
      experiment: a name of `jaxdep list`, or an experiment.
      seeds: how many (0, 1, ...), or which.
      manual_dir: the corpus's raw files; None: the synthetic stand-in is made and used.
      overrides: dotted settings, such as `{"optimizer.learning_rate": 3e-4}`.
      out: the run's folder; None: a new one below `runs/`.
      resume: continue an interrupted run in its folder, bit for bit.
      devices: how many to use; 0: all.
      backend: `jit` (shardings) or `pmap`.
      data_dir: where prepared corpora are kept; None: the user's cache.
      skip_bad: leave out faulty recordings instead of refusing the corpus.
      signal: strength of what is planted in the synthetic stand-in; 0: nothing.
      log: is told in words what happens.
      report: makes a progress display: `report(experiment, runs)` is a context manager whose
        value is called after each epoch as `jaxdep.train.runs.Report`.

    Raises:
      UserError: the input is at fault; nothing was written.
    """
    device_layout.use_every_core()
    if isinstance(experiment, str):
        experiment = find(experiment)
    experiment = experiments_of.override(experiment, overrides or {})
    seeds = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise UserError(f"seeds must be different whole numbers from 0; got {seeds}")
    layout = device_layout.layout(len(seeds), devices=devices, backend=backend)
    folder = _open(experiment, seeds, out, resume)
    if folder.finished:
        log(f"{folder.path} is already complete")
        return report_on(folder)

    prepared = material.prepare(
        experiment, manual_dir, data_dir=data_dir, skip_bad=skip_bad, signal=signal, log=log
    )
    splits = material.load(experiment, prepared)
    log("; ".join(f"{role}: {len(s)} of {s.name}" for role, s in splits.items()))
    folder.path.mkdir(parents=True, exist_ok=True)
    write_json(folder.config, {**experiments_of.to_json(experiment), "seeds": seeds})
    where = {"prepared_corpus": str(prepared)}
    write_json(folder.environment, {**environment(device_layout.describe()), **where})

    if experiment.is_baseline:
        meta, outputs, seeds = _fit_baseline(experiment, splits, seeds)
    else:
        with jax.default_matmul_precision(experiment.training.precision):
            meta, outputs = _train(experiment, splits, seeds, layout, folder, resume, report)
    write_text(folder.predictions, predictions.to_csv(outputs, splits["test"], seeds))
    write_json(folder.meta, {**material.describe(experiment, prepared, splits), **meta})
    return report_on(folder)


def evaluate(
    folder: str | Path, *, split: str = "test", log: Callable[[str], None] = print
) -> Result:
    """Predicts another split of the corpus with the weights that a run kept.

    Args:
      folder: of a finished run.
      split: `train`, `validation` or `test` as the run had them.

    Returns:
      The folder `evaluate-<split>` inside the run's, and its results.
    """
    device_layout.use_every_core()
    source = RunFolder(Path(folder))
    config = source.read(source.config)
    meta = source.read(source.meta)
    experiment = experiments_of.from_json(config)
    if not source.checkpoints.is_dir():
        raise UserError(f"{folder} has no checkpoints: a baseline is evaluated only when it is run")
    splits = material.load(experiment, Path(source.read(source.environment)["prepared_corpus"]))
    if split not in splits:
        raise UserError(f"--split {split}: there are {', '.join(splits)}")
    chosen = splits[split]
    log(f"{split}: {len(chosen)} of {chosen.name}")
    seeds = config["seeds"]
    layout = device_layout.layout(len(seeds))
    with jax.default_matmul_precision(experiment.training.precision):
        example = splits["train"].arrays
        best = runs.restore_best(experiment, seeds, example, layout, source.checkpoints)
        outputs = runs.predict(experiment, best, chosen.arrays, layout)
    target = RunFolder(source.path / f"evaluate-{split}")
    target.path.mkdir(exist_ok=True)
    write_json(target.config, config)
    write_json(target.environment, source.read(source.environment))
    write_text(target.metrics, source.metrics.read_text())
    write_text(target.predictions, predictions.to_csv(outputs, chosen, seeds))
    about = {**meta["splits"], "test": material.describe_split(chosen)}
    write_json(target.meta, {**meta, "splits": about})
    return report_on(target)


def find(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
      UserError: there is none; the nearest name is given.
    """
    from jaxdep.experiments import EXPERIMENTS

    if name not in EXPERIMENTS:
        near = difflib.get_close_matches(name, EXPERIMENTS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`jaxdep list` names them all"
        raise UserError(f"no experiment {name!r}: {hint}")
    return EXPERIMENTS[name]


def report_on(folder: RunFolder) -> Result:
    """Writes `results.json`, the figures and `report.html` from what a run left."""
    from jaxdep.analysis import report, results

    found = results.write(folder.path)
    report.write([folder.path])
    return Result(folder.path, found)


def _train(
    experiment: Experiment,
    splits: material.Splits,
    seeds: Sequence[int],
    layout: device_layout.Layout,
    folder: RunFolder,
    resume: bool,
    report: Callable[[Experiment, int], Any] | None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    stacked = runs.stack(experiment, seeds)
    data = {name: split.arrays for name, split in splits.items()}
    lines = folder.metrics
    with report(experiment, len(seeds)) if report else nullcontext() as display:

        def record(epoch: int, status: np.ndarray, history: list[dict[str, Any]]) -> None:
            # Lines of epochs after the checkpoint that a resumed run continues from are dropped.
            kept = lines.read_text().splitlines() if lines.is_file() else []
            kept = [line for line in kept if json.loads(line)["epoch"] < epoch]
            write_text(lines, "\n".join([*kept, *map(json.dumps, history)]) + "\n")
            if display:
                display(epoch, status, history)

        trained = runs.train(
            experiment,
            stacked,
            data,
            layout,
            folder=folder.checkpoints,
            resume=resume,
            report=record,
        )
    state = trained.state
    sizes = [leaf[0].size for leaf in jax.tree.leaves(state.variables["params"])]
    described = [
        {
            "run": run,
            "seed": seed,
            "hyper": {key: float(values[run]) for key, values in stacked.hyper.items()},
            "status": Status(int(state.status[run])).sentence,
            "epochs": int(state.epoch[run]),
            "best_epoch": int(state.best_epoch[run]),
            "parameters": sum(sizes),
        }
        for run, seed in enumerate(seeds)
    ]
    sound = np.flatnonzero(state.status != Status.DIVERGED)
    if sound.size:
        one = jax.tree.map(lambda leaf: leaf[sound[0]], state.best)
        first = trained.outputs[experiment.main_task][sound[0]].argmax(-1)
        maps = predictions.attention(experiment, one, splits["test"], first)
        if maps:
            np.savez(folder.attention, **maps)
    compiled = {"programs": 1, "seconds": round(trained.compile_seconds, 1)}
    return {"runs": described, "compile": compiled}, trained.outputs


def _fit_baseline(
    experiment: Experiment, splits: material.Splits, seeds: Sequence[int]
) -> tuple[dict[str, Any], dict[str, np.ndarray], list[int]]:
    """Fits a scikit-learn baseline; it draws nothing at random, so one run says all."""
    task = experiment.main_task
    pairs = [(splits[name].inputs, splits[name].targets[task]) for name in ("train", "validation")]
    outputs, chosen, loss = experiment.model.fit_predict(*pairs, splits["test"].inputs)
    described = {
        "run": 0,
        "seed": seeds[0],
        "hyper": {"C": chosen, "validation_loss": loss},
        "status": Status.FINISHED.sentence,
        "epochs": 0,
        "best_epoch": 0,
        "parameters": 0,
    }
    meta = {"runs": [described], "compile": {"programs": 0, "seconds": 0.0}}
    return meta, {task: outputs[None]}, [seeds[0]]


def _open(
    experiment: Experiment, seeds: Sequence[int], out: str | Path | None, resume: bool
) -> RunFolder:
    """Chooses the run's folder and makes sure that nothing in it is overwritten."""
    if out is None:
        number = 1
        while (path := Path("runs") / f"{experiment.name}-{number:03d}").exists():
            number += 1
        if resume:
            path = Path("runs") / f"{experiment.name}-{number - 1:03d}"
        folder = RunFolder(path)
    else:
        folder = RunFolder(Path(out))
    if not resume:
        if folder.path.exists() and any(folder.path.iterdir()):
            raise UserError(f"{folder.path} is not empty: give --resume or another --out")
        return folder
    if not folder.config.is_file():
        raise UserError(f"{folder.path}: nothing to resume there; leave out --resume")
    config = folder.read(folder.config)
    before = experiments_of.from_json(config)
    if before.digest != experiment.digest or config["seeds"] != list(seeds):
        raise UserError(
            f"{folder.path} holds a run with other settings or seeds; repeat its command"
            f" ({folder.read(folder.environment)['command']}) with --resume"
        )
    return folder
