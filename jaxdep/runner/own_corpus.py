"""Adapts experiments to a corpus of one's own: its tasks, classes, splits and modalities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from jaxdep import models
from jaxdep.data import corpus_file
from jaxdep.data.corpus_file import Description
from jaxdep.errors import Faults, UserError, closest
from jaxdep.experiment import Corpus, Experiment, Task, Training
from jaxdep.models.baselines.tuned import Tuned
from jaxdep.overrides import fields_of
from jaxdep.scales import bdi
from jaxdep.settings.checking import describe, kinds_of


def adapted(experiment: Experiment, path: Path, task: str = "") -> Experiment:
    """The experiment with the data and the tasks of a corpus of one's own.

    Model, optimizer and training stay; the number of classes is set where the model has one. The
    loss stays where it fits the labels: MDDR's, which knows the categories of the BDI-II, becomes
    the Huber loss on another scale.

    Args:
      experiment: registered experiment.
      path: file that describes the corpus.
      task: task to train on; empty for the first ones that the model can predict.

    Raises:
      UserError: the description has faults, or the experiment does not fit the corpus; the message
        says what is missing.
    """
    description = corpus_file.read(path)
    try:
        chosen = _chosen(experiment, description, task)
    except _Unfit as error:
        problems = [str(error), *_missing(experiment, description)]
        raise _refusal(experiment, description, path, problems) from None
    main = next(iter(chosen))
    kinds = {name: description.tasks[name] for name in chosen}
    own = [*experiment.tasks.values()]
    tasks = {
        name: _task(own[min(place, len(own) - 1)] if place else own[0], kind)
        for place, (name, kind) in enumerate(kinds.items())
    }
    tasks |= {
        name: replace(_task(each, kinds[main]), label=main)
        for name, each in experiment.tasks.items()
        if each.label == experiment.main_task  # an output of its own for the same label
    }
    # Replaced together: the settings are checked against one another.
    return replace(
        experiment,
        # Its own title tells of the paper's tables, corpus and tasks.
        title=f"{experiment.name} on {description.name}",
        corpus=_corpus(description, path),
        model=_model(experiment.model, {name: len(kind.names) for name, kind in kinds.items()}),
        tasks=tasks,
        training=_training(experiment, main, tasks),
        paper=None,
    )


def check(experiment: Experiment, path: Path) -> None:
    """Checks that a corpus of one's own has all that the model of an adapted experiment reads.

    Raises:
      UserError: it has not; the message says what is missing.
    """
    description = corpus_file.read(path)
    if problems := _missing(experiment, description):
        raise _refusal(experiment, description, path, problems)


class _Unfit(Exception):
    """Why the model cannot predict a task."""


def _refusal(
    experiment: Experiment, description: Description, path: Path, problems: Iterable[str]
) -> UserError:
    lines = [f"  {problem}" for problem in problems]
    first = f"{experiment.name} cannot be trained on {description.name} ({path}):"
    return UserError("\n".join([first, *lines]))


def _chosen(experiment: Experiment, description: Description, asked: str) -> list[str]:
    """Names of the tasks to train on; the main one comes first.

    Raises:
      UserError: there is no such task.
      _Unfit: the model cannot predict it.
    """
    tasks, model = description.tasks, type(experiment.model).__name__
    if asked and asked not in tasks:
        hint = closest(asked, tasks, f"choose from {', '.join(tasks)}")
        raise UserError(f"--task {asked}: {description.name} has no such task; {hint}")
    reasons = {name: _unfit(experiment, name, description) for name in tasks}
    fitting = [name for name in ([asked] if asked else tasks) if not reasons[name]]
    if not fitting:
        found = "; ".join(f"{name}: {reasons[name]}" for name in ([asked] if asked else tasks))
        raise _Unfit(f"tasks: {model} can predict none of them. {found}")
    main = fitting[0]
    if len(getattr(experiment.model, "tasks", ())) < 2 or asked:
        return [main]
    # AMM names its weights by the first three letters of a task.
    others = [name for name in fitting[1:] if name[:3] != main[:3]]
    return [main, *others[:1]]


def _unfit(experiment: Experiment, name: str, description: Description) -> str:
    """Why a model cannot predict a task; empty if it can."""
    task, model, known = description.tasks[name], experiment.model, fields_of(experiment.model)
    kind = kinds_of(type(model)).get("classes")
    if isinstance(model, Tuned):
        scores, classes = model.regresses, True
    elif kind is not None:
        scores, classes = type(None) in get_args(kind), True
    elif "tasks" in known:
        scores, classes = False, True
    else:
        scores = experiment.tasks[experiment.main_task].metric == "mae"
        classes = not scores
    if task.score is not None and not scores:
        return "a score, and it predicts classes; add a task with classes"
    if task.score is None and not classes:
        return "classes, and it predicts a score; add a task with score"
    if isinstance(model, Tuned) or "tasks" in known:
        return ""
    if classes and kind is None and len(task.names) != 2:
        return f"{len(task.names)} classes, and it predicts two"
    if "task" not in known and name != experiment.main_task:
        return f"its task has the fixed name {experiment.main_task}; call the task so"
    return ""


def _missing(experiment: Experiment, description: Description) -> list[str]:
    """What the model reads and the corpus lacks."""
    model, name = experiment.model, type(experiment.model).__name__
    spec = None if experiment.is_baseline else models.SPECS.get(models.name_of(model) or "")
    read = list(spec.modalities(model) if spec else getattr(model, "modalities", ()))
    found = []
    absent = [modality for modality in read if modality not in description.modalities]
    present = [modality for modality in read if modality in description.modalities]
    if absent:
        known = ", ".join(description.modalities)
        line = f"modalities: {name} reads {', '.join(absent)}; the corpus has {known}"
        possible = present if _has_choices(model) else list(description.modalities)
        if "modalities" in fields_of(model) and possible:
            line += f". Set model.modalities={','.join(possible)} to read these alone"
        found.append(line)
    if spec is None:
        return found
    if spec.aligned and len(read) > 1 and not set(present) <= description.aligned:
        found.append(
            f"align: {name} reads {' and '.join(read)} frame by frame; give the rate of each, and"
            " the common one, such as align: 1"
        )
    if corpus_file.SENTENCES in spec.structure:
        if description.sentences is None:
            found.append(
                f"sentences: {name} reads interviews sentence by sentence; give their start and"
                " end in seconds"
            )
        untimed = [each for each in present if each != "text" and each not in description.timed]
        if untimed:
            found.append(
                f"rate: {name} finds the sentences in {' and '.join(untimed)} by the time of each"
                " row; give their rate"
            )
    return found


def _has_choices(model: Any) -> bool:
    """Whether a model reads certain modalities only, not those of any name."""
    return " or " in describe(kinds_of(type(model)).get("modalities", Any))


def _corpus(description: Description, path: Path) -> Corpus:
    """Data settings: the whole recordings, and the validation split that the table has or not."""
    from jaxdep.datasets.folder import recordings

    rows = recordings.read(path.parent, description, Faults())  # faults are reported on preparation
    if rows and rows[0].split:
        split = {row.split for row in rows}
    else:
        split = set(description.splits.fractions)
    validation = "validation" if "validation" in split or not rows else ""
    return Corpus(name="folder", options={"config": path.name}, validation=validation)


def _model(model: Any, classes: dict[str, int]) -> Any:
    """The model with the names and numbers of classes of its tasks; 0 stands for a score."""
    known, (main, number) = fields_of(model), next(iter(classes.items()))
    changed: dict[str, Any] = {}
    if "classes" in known:
        changed["classes"] = number or None
    if "task" in known:
        changed["task"] = main
    if "tasks" in known:
        changed["tasks"] = classes
    if not changed:
        return model
    return replace(model, **changed) if isinstance(model, Tuned) else model.clone(**changed)


def _task(own: Task, kind: corpus_file.Task) -> Task:
    """The task of an experiment for other labels."""
    if kind.score is None:
        kept = own if own.metric == "accuracy" else Task()
        average = "weighted" if len(kind.names) > 2 and kept.average == "positive" else kept.average
        return replace(kept, average=average, label="")
    bounds = (float(kind.score[0]), float(kind.score[1]))
    if own.metric != "mae":
        return Task(loss="mse", bounds=bounds)
    if own.loss == "dr" and bounds != tuple(map(float, bdi.RANGE)):
        options = {key: value for key, value in own.options.items() if key == "delta"}
        return replace(own, loss="huber", options=options, bounds=bounds, label="")
    return replace(own, bounds=bounds, label="")


def _training(experiment: Experiment, main: str, tasks: dict[str, Task]) -> Training:
    """Training settings, with the same metric monitored if there is one."""
    training = experiment.training
    task, dot, metric = training.monitor.rpartition(".")
    monitor = training.monitor
    if dot:
        kept = metric if metric == "loss" else tasks[main].metric
        monitor = f"{main}.{kept}" if task == experiment.main_task else "loss"
    scores = tasks[main].metric == "mae"
    sampler = "shuffled" if scores else training.sampler
    return replace(training, monitor=monitor, sampler=sampler)
