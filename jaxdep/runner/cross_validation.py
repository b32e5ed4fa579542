"""Cross-validates an experiment: trains it for every fold, and joins the test predictions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxdep import overrides as overrides_of
from jaxdep.artifacts import environment, folds, lock, writer
from jaxdep.artifacts.files import write_json
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.artifacts.schema import Merge, Meta, RunEntry, SplitEntry
from jaxdep.data.stream import join
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.overrides import digest_of, to_json
from jaxdep.runner import labels, reporting, requests
from jaxdep.runner.input_pipeline import PreparedExperiment, open_experiment
from jaxdep.runner.options import Display, Log, RunOptions
from jaxdep.runner.run import check_seeds, requested, run
from jaxdep.settings.checking import convert
from jaxdep.train import devices as device_layout
from jaxdep.train.status import Status

REQUEST = "cross-validation.json"
"""File with the settings of a cross-validation."""

_STRIDE = 10_000
"""Distance of the seeds of two repeats, so that no two runs have the same seed."""


def cross_validate(
    experiment: str | Experiment,
    *,
    folds: int = 5,
    repeats: int = 1,
    seeds: int | Sequence[int] = 1,
    stream: bool = False,
    merge: Merge = "none",
    log: Log = print,
    report: Display | None = None,
    **options: Any,
) -> reporting.Result:
    """Trains an experiment on every fold of its corpus, and tests it on all recordings.

    The splits of the corpus are pooled and cut into stratified folds that share no subjects
    (`jaxdep.data.folds.cut`), for each repeat in another way. Each fold is a run directory in
    `folds`, whose validation split is carved from the other folds. The output folder becomes a run
    directory as well. Each of its runs has the out-of-fold predictions of one repeat and seed for
    all recordings, so that reports and comparisons treat it as any other; it has no weights and no
    validation split of its own. If the folder holds an interrupted cross-validation with the same
    request, it is continued.

    Args:
      experiment: name listed by `jaxdep list`, or an experiment.
      folds: number of folds, at least 2.
      repeats: number of cuts into folds.
      seeds: number of seeds (0, 1, ...), or a list of seeds; those of repeat r are 10000 r larger.
      stream: see `jaxdep.run`.
      merge: see `jaxdep.run`.
      log: callback for messages.
      report: factory of the progress display, as in `jaxdep.run`.
      **options: fields of `jaxdep.runner.options.RunOptions` but `resume`.

    Returns:
      The output folder and its results.

    Raises:
      UserError: the input is invalid; nothing was written.
    """
    device_layout.start()
    chosen, merge = RunOptions(**options), convert(merge, Merge, "merge")
    settings = _settings(chosen, folds, repeats)
    cuts = [[seed + _STRIDE * n for seed in check_seeds(seeds)] for n in range(repeats)]
    check_seeds([seed for of_repeat in cuts for seed in of_repeat])
    whole, base, chosen = requested(experiment, replace(chosen, overrides=settings))
    if stream and whole.is_baseline:
        raise UserError(f"{whole.name} is fitted in memory; omit --stream")
    folder = RunDir.at(Path(chosen.out or Path("runs") / f"cross-validate-{whole.name}"))
    pooled = _pooled(open_experiment(whole, chosen, log, stream=True))
    reporting.check_merge(merge, pooled)
    request = {
        "experiment": whole.name,
        "folds": folds,
        "repeats": repeats,
        "seeds": cuts[0],
        "deterministic": chosen.deterministic,
        "hash": digest_of(pooled.experiment),
        "contents": pooled.data.identity["contents"],
    }
    requests.begin(folder.path, REQUEST, request, "cross-validation")
    given = {**options, "stream": stream, "log": log, "report": report}
    try:
        done = [
            [
                _train(experiment, settings, folder, repeat, fold, seeds=seeds, **given)
                for fold in range(folds)
            ]
            for repeat, seeds in enumerate(cuts)
        ]
        _join(folder, pooled, base, done, {**request, "merge": merge})
    finally:
        lock.release(folder.path)
    return reporting.write_report(folder)


def _settings(chosen: RunOptions, folds: int, repeats: int) -> dict[str, Any]:
    """The overrides of the whole cross-validation, which stand for its first fold.

    Raises:
      UserError: an option does not go with a cross-validation.
    """
    if chosen.resume:
        raise UserError("omit --resume: the same command continues a cross-validation")
    if folds < 2:
        raise UserError(f"--folds {folds}: set at least 2, to train on some and test on another")
    if repeats < 1:
        raise UserError(f"--repeats {repeats}: set at least 1")
    given = chosen.overrides
    given = dict(given) if isinstance(given, Mapping) else overrides_of.parse_assignments(given)
    for name in ("corpus.folds", "corpus.fold", "corpus.fold_seed"):
        if name in given:
            raise UserError(f"--set {name}: `cross-validate` sets it, see --folds and --repeats")
    return given | {"corpus.folds": folds, "corpus.fold": 0, "corpus.fold_seed": 0}


def _pooled(prepared: PreparedExperiment) -> PreparedExperiment:
    """The experiment with all recordings as its test split, and without what depends on a fold."""
    data = prepared.data
    whole = replace(join(list(data.splits.values())), name=data.splits["test"].carved_from)
    tasks = dict(prepared.experiment.tasks)
    for name, task in tasks.items():
        if task.balanced:  # class weights are those of the training split of each fold
            options = {key: x for key, x in task.options.items() if key != "class_weights"}
            tasks[name] = replace(task, options=options)
    experiment = replace(prepared.experiment, tasks=tasks)
    return PreparedExperiment(experiment, replace(data, splits={**data.splits, "test": whole}))


def _train(
    experiment: str | Experiment,
    settings: Mapping[str, Any],
    folder: RunDir,
    repeat: int,
    fold: int,
    log: Log,
    **options: Any,
) -> RunDir:
    """Trains one fold, unless that is done, and returns its run directory."""
    run_dir = RunDir.at(folds.folder_of(folder.path, repeat, fold))
    name = run_dir.path.name
    if run_dir.finished and (run_dir.path / "report.html").is_file():
        log(f"{name} is already complete")
        return run_dir
    log(f"{name}: fold {fold + 1} of {settings['corpus.folds']}")
    own = {**settings, "corpus.fold": fold, "corpus.fold_seed": repeat}
    place = {"out": run_dir.path, "resume": run_dir.config.is_file()}
    run(experiment, **options | {"log": log, "overrides": own} | place)
    return run_dir


def _join(
    folder: RunDir,
    pooled: PreparedExperiment,
    base: Experiment,
    done: Sequence[Sequence[RunDir]],
    request: Mapping[str, Any],
) -> None:
    """Writes the files of the output folder as those of a run directory."""
    metas = [[each.read(each.meta) for each in of_repeat] for of_repeat in done]
    every = [meta for of_repeat in metas for meta in of_repeat]
    label = labels.label(pooled, base, len(done))
    test = pooled.data.splits["test"]
    runs = [
        _run(number, [meta["runs"][row] for meta in metas[repeat]])
        for number, (repeat, row) in enumerate(
            (repeat, row)
            for repeat, of_repeat in enumerate(metas)
            for row in range(len(of_repeat[0]["runs"]))
        )
    ]
    meta: Meta = {
        **reporting.describe_data(pooled, label),
        "runs": runs,
        "compile": {
            "programs": sum(meta["compile"]["programs"] for meta in every),
            "seconds": round(sum(meta["compile"]["seconds"] for meta in every), 1),
        },
        "merge": request["merge"],
        "stochastic": every[0].get("stochastic", True) or len(done) > 1,
        "chosen_among": 1,
        "cross_validation": {
            "folds": request["folds"],
            "repeats": len(done),
        },
    }
    meta["hash"] = _hash(each["hash"] for each in every)
    meta["splits"] = {
        "train": _split("other-folds", "train", every),
        "validation": _split("other-folds-validation", "validation", every),
        "test": reporting.describe_split(test),
    }
    settings = to_json(pooled.experiment)
    for name in ("fold", "fold_seed"):  # those of all folds are in it
        del settings["corpus"][name]
    identity = {**pooled.data.identity, "splits": {"test": test.digest}}
    config = {
        **settings,
        "seeds": [run["seed"] for run in runs],
        "repeats": len(done),
        "deterministic": request["deterministic"],
        "identity": identity,
    }
    about = environment.describe(device_layout.describe())
    prepared = str(pooled.data.folder)
    write_json(folder.environment, {**about, "prepared_corpus": prepared})
    write_json(folder.config, config)
    folds.join(folder, done, test.name)
    writer.write_recordings(folder.recordings, test)
    write_json(folder.meta, meta)  # last: a folder that has it is complete


def _run(number: int, parts: Sequence[RunEntry]) -> RunEntry:
    """Describes a run of all folds: means of their epochs, and what they have in common."""
    first, statuses = parts[0], {part["status"] for part in parts}
    order = [status.label for status in (Status.DIVERGED, Status.STOPPED)]
    mean = lambda name: round(sum(part[name] for part in parts) / len(parts))
    return {
        "run": number,
        "seed": first["seed"],
        "hyper": {
            name: value
            for name, value in first["hyper"].items()
            if all(part["hyper"].get(name) == value for part in parts)
        },
        "status": next((status for status in order if status in statuses), first["status"]),
        "epochs": mean("epochs"),
        "best_epoch": mean("best_epoch"),
        "parameters": first["parameters"],
    }


def _hash(hashes: Iterable[str]) -> str:
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _split(name: str, role: str, metas: Sequence[Mapping[str, Any]]) -> SplitEntry:
    """Describes the splits of all folds in one role: their mean sizes, and a hash of all."""
    parts = [meta["splits"][role] for meta in metas]
    mean = lambda key: round(sum(part[key] for part in parts) / len(parts))
    return {
        "name": name,
        "items": mean("items"),
        "hash": _hash(part["hash"] for part in parts),
        "carved_from": parts[0]["carved_from"],
        "subjects": mean("subjects"),
    }
