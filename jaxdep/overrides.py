"""Converts experiments to and from plain data: dotted overrides, JSON and a digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args

import flax.linen as nn

from jaxdep import models
from jaxdep.errors import UserError, closest
from jaxdep.experiment import Corpus, Experiment, Optimizer, PaperRow, Task, Training
from jaxdep.settings.checking import convert, kinds_of
from jaxdep.settings.paths import differences, flat

Path = tuple[str, ...]
"""Path of a setting: names of fields and keys."""


def digest_of(experiment: Experiment) -> str:
    """Stable hash of all settings that affect results; equal digests give equal results."""
    described = {k: v for k, v in to_json(experiment).items() if k not in ("title", "paper")}
    described["main_task"] = experiment.main_task  # sorting the keys loses the order
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def changes(before: Experiment, after: Experiment) -> dict[str, tuple[Any, Any]]:
    """Settings that differ between two experiments, except the title, with both values.

    Returns:
      Values in JSON by dotted path, None where an experiment has no such setting. Experiments with
      different digests differ in at least one setting.
    """
    described = [
        flat(
            {k: v for k, v in to_json(each).items() if k != "title"} | {"main_task": each.main_task}
        )
        for each in (before, after)
    ]
    return differences(*described)


def is_traceable(experiment: Experiment, path: str) -> bool:
    """Whether a compiled program can read a setting as data: a float declared as `traceable`.

    Examples are the learning rate, the dropout rate and the options of losses, but not settings
    that determine array shapes.
    """
    part, declared = experiment, False
    for name in path.split("."):
        if isinstance(part, Mapping):
            part = part[name]
        else:
            fields = {f.name: f for f in dataclasses.fields(part)}
            declared = fields[name].metadata.get("traceable", False)
            part = getattr(part, name)
    return declared and isinstance(part, float)


def value_of(experiment: Experiment, path: str) -> Any:
    """The value of an existing setting, given its dotted path."""
    part: Any = experiment
    for name in path.split("."):
        part = part[name] if isinstance(part, Mapping) else getattr(part, name)
    return part


def override(experiment: Experiment, changes: Mapping[str, Any]) -> Experiment:
    """Returns a copy of the experiment with some settings replaced, all at once.

    Args:
      experiment: experiment to copy.
      changes: new values by dotted path, such as
        `{"optimizer.learning_rate": 3e-4, "model.hidden": 64}`; text is parsed as by
        `jaxdep.settings.checking.convert`. Traced arrays are not checked.

    Raises:
      UserError: a setting does not exist (the message suggests the closest name), may not have
        this value, or does not go with the others.
    """
    paths = {tuple(path.split(".")): value for path, value in changes.items()}
    return _replace(experiment, paths, "", Any)


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """Parses the command line's `["KEY=VALUE", ...]`.

    Raises:
      UserError: an assignment is malformed or repeated.
    """
    parsed = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not (key and equals):
            raise UserError(
                f"--set expects KEY=VALUE, such as training.epochs=5; got {assignment!r}"
            )
        if key.strip() in parsed:
            raise UserError(f"--set {key.strip()} is given twice: give one value")
        parsed[key.strip()] = value.strip()
    return parsed


class Setting(NamedTuple):
    """A setting of an experiment.

    Attributes:
      path: dotted path.
      value: current value.
      kind: declared type, with its constraints.
    """

    path: str
    value: Any
    kind: Any


def settings_of(part: Any, kind: Any = Any, path: str = "") -> Iterator[Setting]:
    """All settings below an experiment or a part of it.

    Args:
      part: experiment, or part of one.
      kind: declared type of the part.
      path: dotted path of the part; empty for an experiment.
    """
    if not (isinstance(part, Mapping) or dataclasses.is_dataclass(part)):
        yield Setting(path, part, kind)
    elif isinstance(part, Mapping):
        arguments = get_args(kind)
        for name, value in part.items():
            yield from settings_of(value, arguments[1] if arguments else Any, f"{path}.{name}")
    else:
        kinds = kinds_of(type(part))
        for name in fields_of(part):
            below = f"{path}.{name}" if path else name
            yield from settings_of(getattr(part, name), kinds[name], below)


def fields_of(part: Any) -> list[str]:
    """Names of the configurable fields of a part of an experiment."""
    if isinstance(part, Mapping):
        return list(part)
    internal = ("parent", "name") if isinstance(part, nn.Module) else ()
    return [f.name for f in dataclasses.fields(part) if f.init and f.name not in internal]


def to_json(part: Any) -> Any:
    """Plain data for `config.json`; a model becomes its registered name and its fields."""
    if registered := models.name_of(part):
        fields = {name: to_json(getattr(part, name)) for name in fields_of(part)}
        return {"name": registered, **fields}
    if dataclasses.is_dataclass(part):
        return {f.name: to_json(getattr(part, f.name)) for f in dataclasses.fields(part)}
    if isinstance(part, Mapping):
        return {key: to_json(value) for key, value in part.items()}
    if isinstance(part, tuple | list):
        return [to_json(value) for value in part]
    return part


def from_json(data: Mapping[str, Any]) -> Experiment:
    """The inverse of `to_json`.

    Raises:
      UserError: the data do not describe an experiment of this version.
    """
    try:
        model = {k: _tuples(v) for k, v in data["model"].items() if k != "name"}
        return Experiment(
            name=data["name"],
            title=data["title"],
            corpus=Corpus(**{k: _tuples(v) for k, v in data["corpus"].items()}),
            model=_class_of(data["model"]["name"])(**model),
            tasks={
                name: Task(**{k: _tuples(v) for k, v in task.items()})
                for name, task in data["tasks"].items()
            },
            optimizer=Optimizer(**data["optimizer"]),
            training=Training(**data["training"]),
            paper=PaperRow(**{k: _tuples(v) for k, v in data["paper"].items()})
            if data["paper"]
            else None,
        )
    except (AttributeError, KeyError, TypeError) as error:  # missing, unknown or of another type
        raise UserError(
            f"the settings of the experiment cannot be read ({error!r}); they are damaged, or were"
            " written by another version of jaxdep"
        ) from None


def _class_of(name: str) -> type:
    for known in (models.BASELINES, models.MODELS):
        if name in known:
            return known[name]
    raise UserError(f"unknown model {name!r}; install the package that provides it")


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _replace(part: Any, changes: Mapping[Path, Any], prefix: str, kind: Any) -> Any:
    """Replaces settings below a part of an experiment.

    Args:
      part: part of an experiment.
      changes: new values by path, relative to the part.
      prefix: dotted path of the part, for messages.
      kind: declared type of the part.
    """
    by_head: dict[str, dict[Path, Any]] = {}
    for (head, *rest), value in changes.items():
        by_head.setdefault(head, {})[tuple(rest)] = value
    new = {
        head: _changed(part, head, below, f"{prefix}{head}", kind)
        for head, below in by_head.items()
    }
    return {**part, **new} if isinstance(part, Mapping) else dataclasses.replace(part, **new)


def _changed(part: Any, head: str, below: Mapping[Path, Any], dotted: str, kind: Any) -> Any:
    """The new value of one field of a part; `below` is relative to the field."""
    names = fields_of(part)
    new_key = isinstance(part, Mapping) and () in below  # users may add keys to a mapping
    if head not in names and not new_key:
        hint = closest(head, names, f"choose from {', '.join(names)}")
        raise UserError(f"unknown setting {dotted!r}: no field {head!r}; {hint}")
    if isinstance(part, Mapping):
        old, arguments = part.get(head), get_args(kind)
        kind = arguments[1] if arguments else Any
    else:
        old, kind = getattr(part, head), kinds_of(type(part))[head]
    is_group = isinstance(old, Mapping) or dataclasses.is_dataclass(old)
    if () not in below:
        if not is_group:
            raise UserError(f"unknown setting {dotted!r}: {head!r} has no fields; set it directly")
        return _replace(old, below, f"{dotted}.", kind)
    if is_group:
        raise UserError(
            f"{dotted!r} is a group of settings; set its fields, such as {dotted}.NAME=VALUE"
        )
    return convert(below[()], kind, dotted)
