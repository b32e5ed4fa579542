"""An experiment and its parts: frozen dataclasses, dotted overrides, JSON, a stable hash.

An `Experiment` is a value. Structural fields (widths, layers, epochs) decide the shape of the
compiled program; numeric ones (`is_traceable`) may differ from run to run inside one.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import flax.linen as nn

from jaxdep import models
from jaxdep.errors import UserError


@dataclass(frozen=True)
class Corpus:
    """Which recordings an experiment sees.

    Attributes:
      name: a corpus of `jaxdep list`.
      lengths: frames kept of each sequence; longer ones are truncated. A sequence that is not
        named keeps the longest length of the training split.
      options: passed to the corpus's builder, such as `text_encoder`.
      synthetic: how large a stand-in to make when the user names no corpus of their own.
      train: the split that weights are fitted to.
      validation: the split that chooses the epoch; empty: carved from `train`.
      carve: share of `train` that is carved, stratified by the main task's label.
      test: the split of the final table; the first of these that the corpus has.
    """

    name: str
    lengths: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    synthetic: Mapping[str, Any] = field(default_factory=dict)
    train: str = "train"
    validation: str = ""
    carve: float = 0.1
    test: tuple[str, ...] = ("test",)


@dataclass(frozen=True)
class Task:
    """One thing that a model predicts.

    Attributes:
      loss: name of a per-example loss in `jaxdep.losses`.
      weight: factor of its mean in the total loss.
      average: the averaging of precision, recall and F1 that the paper reports.
      options: of the loss, such as `delta`; its own defaults where they are not named.
      bounds: least and largest score of a regression's scale; reported predictions stay within.
      balanced: weigh each class by the inverse of its share of the training split.
      label: the corpus's label that is predicted; empty: that of the task's own name. An auxiliary
        output of a model is a task of its own with the label of another one.
    """

    loss: str = "cross_entropy"
    weight: float = 1.0
    average: str = "weighted"
    options: Mapping[str, Any] = field(default_factory=dict)
    bounds: tuple[float, ...] = ()
    balanced: bool = False
    label: str = ""


@dataclass(frozen=True)
class Optimizer:
    """How gradients move weights.

    Attributes:
      name: `adam` or `sgd` (weight decay coupled: added to the gradient before the moments, as
        PyTorch's `weight_decay`), or `adamw` (decoupled).
      clip_norm: largest global norm of the gradient, above 0; None: no clipping.
      schedule: of the learning rate: `step` multiplies it by `decay_factor` after every
        `decay_every` epochs (0: never); `cosine` lets it rise over `warmup_epochs` from a
        thousandth, in every step, and fall to a millionth along half a wave (DEP-Former, A11).
      decayed: `all` weights, or `matrices`: those of two axes and more, no biases and scales.
    """

    name: str = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    clip_norm: float | None = None
    schedule: Literal["step", "cosine"] = "step"
    decay_every: int = 0
    decay_factor: float = 0.1
    warmup_epochs: int = 1
    decayed: Literal["all", "matrices"] = "all"

    def __post_init__(self) -> None:
        """Refuses schedules and groups that do not exist."""
        if self.schedule not in ("step", "cosine"):
            raise UserError(f"optimizer.schedule={self.schedule!r}: there are step and cosine")
        if self.decayed not in ("all", "matrices"):
            raise UserError(f"optimizer.decayed={self.decayed!r}: there are all and matrices")
        if isinstance(self.clip_norm, int | float) and not self.clip_norm > 0:
            raise UserError(
                f"optimizer.clip_norm={self.clip_norm}: a norm is above 0; None clips nothing"
            )


@dataclass(frozen=True)
class Training:
    """How long a run trains and which of its epochs is kept.

    Attributes:
      epochs: at most so many passes over the training split.
      patience: epochs without improvement after which a run stops; 0: never.
      monitor: validation quantity that chooses the epoch: `loss`, `<task>.loss`, or
        `<task>.accuracy` of a classification, `<task>.mae` of a regression.
      precision: of matrix products, as `jax.default_matmul_precision` has it; `highest` is true
        float32, where GPUs would otherwise round to fewer digits.
      buckets: groups of recordings of like length, of which batches are made; 1: any length may
        meet any other. With `--stream` each group is padded to its own longest recording only
        (where JAMFN reads padding, as the paper's does, it then reads less of it).
      sampler: `shuffled`: an epoch meets every recording once; `balanced`: as many are drawn with
        replacement, every class of the main task equally often.
      shard_batch: whether devices that no run has for itself share batches, where that is usual:
        on CPUs. Each then has the weights, moves them, and adds up the gradients of all; where
        weights are most of the work, as DEP-Former's, one device is twice as fast.
      compute: `float32`, or `bfloat16` with float32 parameters: faster on GPUs, to three digits.
    """

    batch_size: int = 32
    epochs: int = 30
    patience: int = 0
    monitor: str = "loss"
    precision: str = "highest"
    buckets: int = 1
    sampler: Literal["shuffled", "balanced"] = "shuffled"
    shard_batch: bool = True
    compute: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        """Refuses formats and groups that do not exist."""
        if self.buckets < 1:
            raise UserError(f"training.buckets={self.buckets}: give a number from 1")
        if self.sampler not in ("shuffled", "balanced"):
            raise UserError(f"training.sampler={self.sampler!r}: there are shuffled and balanced")
        if self.sampler == "balanced" and self.buckets > 1:
            raise UserError("training.sampler='balanced' draws from all: set training.buckets=1")
        if self.compute not in ("float32", "bfloat16"):
            raise UserError(f"training.compute={self.compute!r}: there are float32 and bfloat16")

    @property
    def shared_batch(self) -> int:
        """Examples of a batch, as far as devices may share them."""
        return self.batch_size if self.shard_batch else 1

    @property
    def higher_is_better(self) -> bool:
        """Whether `monitor` improves by growing."""
        return self.monitor.endswith("accuracy")


@dataclass(frozen=True)
class PaperRow:
    """A row of `spec/paper_results.csv` to set beside ours: system, table, row."""

    system: str
    source: str
    row: str


@dataclass(frozen=True)
class Experiment:
    """A model, a corpus, its tasks and an optimiser, under a name.

    Attributes:
      model: a Flax module of `jaxdep.models`, or a baseline; its fields are its configuration.
      tasks: by name; the first is the main task.
      paper: the published row that this experiment repeats, if it does.
    """

    name: str
    title: str
    corpus: Corpus
    model: Any
    tasks: Mapping[str, Task] = field(default_factory=lambda: {"depression": Task()})
    optimizer: Optimizer = field(default_factory=Optimizer)
    training: Training = field(default_factory=Training)
    paper: PaperRow | None = None

    @property
    def main_task(self) -> str:
        """The task that splits are stratified by and that comes first in the report."""
        return next(iter(self.tasks))

    @property
    def is_baseline(self) -> bool:
        """Whether scikit-learn fits the model, at once, instead of our own training."""
        return type(self.model) in models.BASELINES.values()

    @property
    def digest(self) -> str:
        """Stable hash of everything that decides a result: two equal digests train alike."""
        described = {k: v for k, v in to_json(self).items() if k not in ("title", "paper")}
        described["main_task"] = self.main_task  # sorted names do not tell it
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


ALWAYS_TRACED = ("optimizer.learning_rate", "optimizer.weight_decay")
"""Numeric fields that every compiled program reads as data, so that changing them costs nothing."""


def is_traceable(experiment: Experiment, path: str) -> bool:
    """Whether a compiled program can read a field as data: it is a number with a fraction.

    Such are the learning rate, the dropout rate, the weights of losses; not what shapes arrays.
    """
    return isinstance(value_of(experiment, path), float) and not path.startswith("corpus.")


def value_of(experiment: Experiment, path: str) -> Any:
    """The value of a dotted field that exists."""
    part: Any = experiment
    for name in path.split("."):
        part = part[name] if isinstance(part, Mapping) else getattr(part, name)
    return part


def override(experiment: Experiment, changes: Mapping[str, Any]) -> Experiment:
    """Returns the experiment with dotted fields replaced.

    Args:
      experiment: stays as it is.
      changes: `{"optimizer.learning_rate": 3e-4, "model.hidden": 64}`; a string is read as a
        Python literal where the field is not a string (`"1,3"` becomes `(1, 3)`). Traced arrays
        pass unchecked.

    Raises:
      UserError: a field does not exist (the nearest one is named) or has another type.
    """
    for path, value in changes.items():
        experiment = _replace(experiment, path.split("."), value, path)
    return experiment


def parse_assignments(assignments: list[str]) -> dict[str, str]:
    """Reads `["KEY=VALUE", ...]` of the command line."""
    parsed = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not (key and equals):
            raise UserError(f"--set takes KEY=VALUE, such as training.epochs=5; got {assignment!r}")
        parsed[key.strip()] = value.strip()
    return parsed


def fields_of(part: Any) -> list[str]:
    """Names of the configurable fields of an experiment's part."""
    if isinstance(part, Mapping):
        return list(part)
    flax_own = ("parent", "name") if isinstance(part, nn.Module) else ()
    return [f.name for f in dataclasses.fields(part) if f.init and f.name not in flax_own]


def to_json(part: Any) -> Any:
    """Plain data for `config.json`; a model becomes its registered name and its fields."""
    if type(part) in _MODEL_NAMES:
        fields = {name: to_json(getattr(part, name)) for name in fields_of(part)}
        return {"name": _MODEL_NAMES[type(part)], **fields}
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
        model=_ALL_MODELS[data["model"]["name"]](**model),
        tasks={
            name: Task(**{k: _tuples(v) for k, v in task.items()})
            for name, task in data["tasks"].items()
        },
        optimizer=Optimizer(**data["optimizer"]),
        training=Training(**data["training"]),
        paper=PaperRow(**data["paper"]) if data["paper"] else None,
    )


_ALL_MODELS = {**models.MODELS, **models.BASELINES}
_MODEL_NAMES = {cls: name for name, cls in _ALL_MODELS.items()}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _replace(part: Any, path: list[str], value: Any, whole: str) -> Any:
    head, *rest = path
    names = fields_of(part)
    free = isinstance(part, Mapping) and not rest  # a mapping's keys are the user's to add
    if head not in names and not free:
        near = difflib.get_close_matches(head, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
        raise UserError(f"unknown setting {whole!r}: no field {head!r} here; {hint}")
    if isinstance(part, Mapping):
        new = _replace(part[head], rest, value, whole) if rest else _read(value, None, whole)
        return {**part, head: new}
    old, kind = getattr(part, head), _kind(part, head)
    if rest and not (dataclasses.is_dataclass(old) or isinstance(old, Mapping)):
        raise UserError(f"unknown setting {whole!r}: {head!r} has no fields of its own")
    if not rest and (isinstance(old, Mapping) or type(old) in _MODEL_NAMES):
        raise UserError(f"{whole!r} is a group: set its fields, such as {whole}.NAME=VALUE")
    new = _replace(old, rest, value, whole) if rest else _read(value, old, whole, kind)
    return dataclasses.replace(part, **{head: new})


def _kind(part: Any, name: str) -> Any:
    """What stands for a field that is None: a value of the type that it may have beside None."""
    kinds = {"int | None": 0, "float | None": 0.0}
    declared = {f.name: f.type for f in dataclasses.fields(part)} if part is not None else {}
    return kinds.get(str(declared.get(name)))


def _read(value: Any, old: Any, whole: str, optional: Any = None) -> Any:
    """Turns a command line's text into the type of the value that it replaces.

    Args:
      optional: of a field that may be None, some value of its other type.
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
                raise UserError(f"{whole}: expected a {_name(old)}, got {value!r}") from None
    if isinstance(old, tuple) and not isinstance(value, tuple | list):
        value = (value,)
    value = _tuples(value)
    plain = isinstance(value, bool | int | float | str | tuple) and old is not None
    if plain and isinstance(old, float) and type(value) is int:
        value = float(value)
    if plain and type(value) is not type(old):
        raise UserError(f"{whole}: expected a {_name(old)}, got {value!r}")
    return value


def _name(value: Any) -> str:
    names = {bool: "True or False", int: "whole number", float: "number", str: "text"}
    return names.get(type(value), "list, such as 1,3,5")
