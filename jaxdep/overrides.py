"""Converts experiments to and from plain data: dotted overrides, JSON and a digest."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn

from jaxdep import models
from jaxdep.errors import UserError, closest
from jaxdep.experiment import Corpus, Experiment, Optimizer, PaperRow, Task, Training


def digest_of(experiment: Experiment) -> str:
    """Stable hash of all settings that affect results; equal digests give equal results."""
    described = {k: v for k, v in to_json(experiment).items() if k not in ("title", "paper")}
    described["main_task"] = experiment.main_task  # sorting the keys loses the order
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


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
    """Returns a copy of the experiment with some settings replaced.

    Args:
      experiment: experiment to copy.
      changes: new values by dotted path, such as
        `{"optimizer.learning_rate": 3e-4, "model.hidden": 64}`. A string is parsed as a Python
        literal unless the setting is a string (`"1,3"` becomes `(1, 3)`). Traced arrays are not
        checked.

    Raises:
      UserError: a setting does not exist (the message suggests the closest name) or has another
        type.
    """
    for path, value in changes.items():
        experiment = _replace(experiment, path.split("."), value, path)
    return experiment


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """Parses the command line's `["KEY=VALUE", ...]`."""
    parsed = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not (key and equals):
            raise UserError(
                f"--set expects KEY=VALUE, such as training.epochs=5; got {assignment!r}"
            )
        parsed[key.strip()] = value.strip()
    return parsed


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
    """The inverse of `to_json`."""
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
        paper=PaperRow(**data["paper"]) if data["paper"] else None,
    )


def _class_of(name: str) -> type:
    for known in (models.BASELINES, models.MODELS):
        if name in known:
            return known[name]
    raise UserError(f"unknown model {name!r}; install the package that provides it")


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _replace(part: Any, path: list[str], value: Any, dotted: str) -> Any:
    head, *rest = path
    names = fields_of(part)
    new_key_allowed = isinstance(part, Mapping) and not rest  # users may add keys to a mapping
    if head not in names and not new_key_allowed:
        hint = closest(head, names, f"choose from {', '.join(names)}")
        raise UserError(f"unknown setting {dotted!r}: no field {head!r}; {hint}")
    if isinstance(part, Mapping):
        new = _replace(part[head], rest, value, dotted) if rest else _convert(value, None, dotted)
        return {**part, head: new}
    old, kind = getattr(part, head), _kind(part, head)
    if rest and not (dataclasses.is_dataclass(old) or isinstance(old, Mapping)):
        raise UserError(f"unknown setting {dotted!r}: {head!r} has no fields; set it directly")
    if not rest and (isinstance(old, Mapping) or models.name_of(old)):
        raise UserError(
            f"{dotted!r} is a group of settings; set its fields, such as {dotted}.NAME=VALUE"
        )
    new = _replace(old, rest, value, dotted) if rest else _convert(value, old, dotted, kind)
    return dataclasses.replace(part, **{head: new})


def _kind(part: Any, name: str) -> Any:
    """A value of the non-None type of an optional field; None if the field is not optional."""
    kinds = {"int | None": 0, "float | None": 0.0}
    declared = {f.name: f.type for f in dataclasses.fields(part)} if part is not None else {}
    return kinds.get(str(declared.get(name)))


def _convert(value: Any, old: Any, dotted: str, optional: Any = None) -> Any:
    """Converts a value, possibly command-line text, to the type of the value that it replaces.

    Args:
      value: new value.
      old: value to be replaced.
      dotted: dotted path of the setting, for messages.
      optional: for a field that may be None, a value of its other type.
    """
    if optional is not None:
        if value is None or (isinstance(value, str) and value == "None"):
            return None
        old = optional
    if isinstance(value, str) and not isinstance(old, str):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            if old is not None:
                raise UserError(f"{dotted}: expected {_type_name(old)}, got {value!r}") from None
    if isinstance(old, tuple) and not isinstance(value, tuple | list):
        value = (value,)
    value = _tuples(value)
    plain = isinstance(value, bool | int | float | str | tuple) and old is not None
    if plain and isinstance(old, float) and type(value) is int:
        value = float(value)
    if plain and type(value) is not type(old):
        raise UserError(f"{dotted}: expected {_type_name(old)}, got {value!r}")
    return value


def _type_name(value: Any) -> str:
    names = {bool: "True or False", int: "an integer", float: "a number", str: "a string"}
    return names.get(type(value), "a list, such as 1,3,5")
