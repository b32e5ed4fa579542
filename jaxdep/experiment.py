"""Defines experiments and their parts as frozen dataclasses.

An `Experiment` is an immutable value. Structural fields (widths, layers, epochs) determine the
compiled program; fields declared `traceable` may differ between the runs of one program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import jax

from jaxdep import losses, models
from jaxdep.data.settings import Corpus as Corpus
from jaxdep.errors import UserError
from jaxdep.settings.checking import check
from jaxdep.settings.kinds import (
    BatchSize,
    Count,
    CountOrNone,
    Decay,
    Name,
    NonNegative,
    Positive,
    Probability,
)
from jaxdep.types import traceable


@dataclass(frozen=True)
class Task:
    """A prediction task.

    Attributes:
      loss: name of a per-example loss in `jaxdep.losses`.
      weight: weight of the task's mean loss in the total loss.
      average: averaging of precision, recall and F1 that the paper reports.
      options: options of the loss, such as `delta`; missing ones take the loss's defaults.
      bounds: lowest and highest score of a regression's scale; reported predictions are clipped.
      balanced: weight each class by its inverse frequency in the training split.
      label: label of the corpus to predict; empty for the label with the task's name. An auxiliary
        output of a model is a separate task with the label of another one.
    """

    loss: str = "cross_entropy"
    weight: NonNegative = traceable(1.0)
    average: Literal["weighted", "micro", "macro", "positive"] = "weighted"
    options: Mapping[str, Any] = field(default_factory=dict, metadata={"traceable": True})
    bounds: tuple[float, ...] = ()
    balanced: bool = False
    label: str = ""

    def __post_init__(self) -> None:
        """Checks the settings."""
        check(self)
        losses.get_loss(self.loss, self.options)
        if self.bounds and self.loss in losses.OF_CLASSES:
            raise UserError(
                f"bounds={self.bounds}: {self.loss} predicts classes, which have no bounds; set"
                " bounds=() or a loss of scores, such as mse"
            )
        if self.bounds and not (len(self.bounds) == 2 and self.bounds[0] < self.bounds[1]):
            raise UserError(f"bounds={self.bounds}: expected the lowest and the highest score")

    @property
    def metric(self) -> str:
        """Validation metric of the task: `accuracy` of classes, `mae` of scores."""
        return "accuracy" if self.loss in losses.OF_CLASSES else "mae"


@dataclass(frozen=True)
class Optimizer:
    """Optimizer settings.

    Attributes:
      name: `adam` or `sgd` (coupled weight decay, added to the gradient before the moments, as
        PyTorch's `weight_decay`), or `adamw` (decoupled).
      learning_rate: base learning rate.
      weight_decay: coefficient of the weight decay.
      momentum: momentum of `sgd`.
      b1: decay rate of the first moment.
      b2: decay rate of the second moment.
      eps: term added to the denominator.
      clip_norm: maximum global norm of the gradient, above 0; None disables clipping.
      schedule: learning rate schedule. `step` multiplies the rate by `decay_factor` every
        `decay_every` epochs (0: never). `cosine`, updated every step, warms up from a thousandth of
        the rate over `warmup_epochs` and decays to a millionth along a half cosine (DEP-Former, §11
        of its README).
      decay_every: number of epochs between decays of the `step` schedule.
      decay_factor: factor of each decay of the `step` schedule.
      warmup_epochs: number of warm-up epochs of the `cosine` schedule.
      decayed: weights subject to weight decay: `all`, or `matrices`, those with two or more axes,
        which excludes biases and scales.
    """

    name: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: NonNegative = traceable(1e-3)
    weight_decay: NonNegative = traceable(0.0)
    momentum: Decay = traceable(0.9)
    b1: Decay = traceable(0.9)
    b2: Decay = traceable(0.999)
    eps: NonNegative = traceable(1e-8)
    clip_norm: Positive | None = traceable(None)
    schedule: Literal["step", "cosine"] = "step"
    decay_every: CountOrNone = 0
    decay_factor: Probability = traceable(0.1)
    warmup_epochs: CountOrNone = 1
    decayed: Literal["all", "matrices"] = "all"

    def __post_init__(self) -> None:
        """Checks the settings."""
        check(self)


@dataclass(frozen=True)
class Training:
    """Training settings.

    Attributes:
      batch_size: number of examples per update.
      epochs: maximum number of passes over the training split.
      patience: number of epochs without improvement after which a run stops; 0 disables early
        stopping.
      monitor: validation metric that selects the epoch: `loss`, `<task>.loss`, `<task>.accuracy`
        for a classification, or `<task>.mae` for a regression.
      precision: precision of matrix products, as in `jax.default_matmul_precision`; `highest` is
        full float32, where GPUs would otherwise round to fewer digits.
      buckets: number of groups of recordings of similar length from which batches are formed; 1
        mixes all lengths. With `--stream`, each group is padded only to its own longest recording
        (JAMFN without masking, as in the paper, then reads less padding).
      sampler: `shuffled` visits every recording once per epoch; `balanced` draws the same number
        with replacement, each class of the main task equally often.
      shard_batch: whether to split the batches of a run among several devices where this is the
        default, that is on CPUs. Each device then holds and updates all weights, and the gradients
        are summed over devices; if the weights dominate the cost, as in DEP-Former, a single device
        is twice as fast.
      compute: `float32`, or `bfloat16` with float32 parameters, which is faster on GPUs and
        accurate to three digits.
      modality_dropout: probability that a modality of an example is absent in an update, drawn for
        each modality on its own; if all would be absent, one of them, drawn at random, stays.
        Validation and test read all modalities.
    """

    batch_size: BatchSize = 32
    epochs: Count = 30
    patience: CountOrNone = 0
    monitor: str = "loss"
    precision: Literal["highest", "high", "default", "float32", "tensorfloat32", "bfloat16"] = (
        "highest"
    )
    buckets: Count = 1
    sampler: Literal["shuffled", "balanced"] = "shuffled"
    shard_batch: bool = True
    compute: Literal["float32", "bfloat16"] = "float32"
    modality_dropout: Probability = traceable(0.0)

    def __post_init__(self) -> None:
        """Checks the settings."""
        check(self)
        if self.sampler == "balanced" and self.buckets > 1:
            raise UserError(
                "training.sampler='balanced' does not support buckets; set training.buckets=1"
            )

    @property
    def shared_batch(self) -> int:
        """Number of examples of a batch that may be split among devices."""
        return self.batch_size if self.shard_batch else 1

    @property
    def balanced(self) -> bool:
        """Whether the classes of the main task are sampled equally often."""
        return self.sampler == "balanced"

    @property
    def higher_is_better(self) -> bool:
        """Whether higher values of `monitor` are better."""
        return self.monitor.endswith("accuracy")


@dataclass(frozen=True)
class PaperRow:
    """Row of `analysis/paper_results.csv` to show next to our results.

    It is shown if no setting was changed except those that the paper leaves open, which are listed
    in the README of the system.

    Attributes:
      system: name of the system.
      source: table or figure of the paper.
      row: name of the row.
      open: settings that the paper leaves open, by dotted path, in which `*` stands for any one
        name. `path=value` permits that value only: another reading of the paper, or the paper's
        own value where the experiment departs from it.
    """

    system: str
    source: str
    row: str
    open: tuple[str, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """A named combination of model, corpus, tasks and optimizer.

    Attributes:
      name: name on the command line.
      title: title in tables and reports.
      corpus: data settings.
      model: a Flax module of `jaxdep.models`, or a baseline; its fields are its configuration.
      tasks: tasks by name; the first one is the main task.
      optimizer: optimizer settings.
      training: training settings.
      paper: published result that this experiment reproduces, if any.
    """

    name: Name
    title: str
    corpus: Corpus
    model: Any
    tasks: Mapping[str, Task] = field(default_factory=lambda: {"depression": Task()})
    optimizer: Optimizer = field(default_factory=Optimizer)
    training: Training = field(default_factory=Training)
    paper: PaperRow | None = None

    def __post_init__(self) -> None:
        """Checks the settings and how they go together.

        Raises:
          UserError: a setting may not have its value, or does not go with the others.
        """
        check(self)
        check(self.model)
        if not self.tasks:
            raise UserError("tasks is empty: an experiment needs at least one task")
        monitors = ["loss", *(f"{name}.loss" for name in self.tasks)]
        monitors += [f"{name}.{task.metric}" for name, task in self.tasks.items()]
        if self.training.monitor not in monitors and not self.is_baseline:
            raise UserError(
                f"training.monitor={self.training.monitor}: unknown metric; choose from"
                f" {', '.join(monitors)}"
            )
        self._check_modality_dropout()

    @property
    def main_task(self) -> str:
        """The task that splits are stratified by and that is reported first."""
        return next(iter(self.tasks))

    @property
    def labels(self) -> dict[str, str]:
        """Label of the corpus that each task predicts."""
        return {name: task.label or name for name, task in self.tasks.items()}

    @property
    def is_baseline(self) -> bool:
        """Whether the model is a scikit-learn baseline, which needs no gradient descent."""
        return type(self.model) in models.BASELINES.values()

    def _check_modality_dropout(self) -> None:
        """Checks that there are modalities to drop; traced probabilities are not checked."""
        probability = self.training.modality_dropout
        if isinstance(probability, jax.Array) or probability == 0:
            return
        known, model = list(models.modalities_of(self.model)), type(self.model).__name__
        if len(known) < 2:
            reads = f"reads {known[0]} alone" if known else "has no modalities to drop"
            raise UserError(
                f"training.modality_dropout={probability}: {model} {reads}; set"
                " training.modality_dropout=0, or choose a model of several modalities"
            )


ALWAYS_TRACED = ("optimizer.learning_rate", "optimizer.weight_decay")
"""Settings that every program reads as data, so that changing them requires no compilation."""
