"""Base of baselines: fitted on the training split, with settings selected on validation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxdep.errors import UserError
from jaxdep.losses import cross_entropy, mae
from jaxdep.models.baselines.features import Functional, feature_blocks, feature_columns
from jaxdep.settings.kinds import Name

FLOOR = 1e-3
"""Smallest probability of a class; the loss of an example is at most about 7 nats."""

Labelled = tuple[Mapping[str, np.ndarray], np.ndarray]
"""Inputs of a split, and its classes or scores [N]."""


class Fitted(NamedTuple):
    """A fitted baseline.

    Attributes:
      outputs: log-probabilities [N, classes] or scores [N] of the test split.
      hyper: selected settings; a name such as a kernel appears as `kernel_rbf: 1.0`.
      loss: validation loss of the selected settings.
    """

    outputs: np.ndarray
    hyper: dict[str, float]
    loss: float


class Selected(NamedTuple):
    """An estimator with the settings that were selected on validation.

    Attributes:
      estimator: fitted scikit-learn estimator.
      hyper: as in `Fitted`.
      loss: as in `Fitted`.
    """

    estimator: Any
    hyper: dict[str, float]
    loss: float


class Problem(NamedTuple):
    """What an estimator is to be fitted to.

    Attributes:
      columns: columns of each modality in the features.
      targets: classes (integers) or scores (floating-point) of the training split, [N].
      seed: seed of methods that draw random numbers.
    """

    columns: Mapping[str, slice]
    targets: np.ndarray
    seed: int = 0

    @property
    def scores(self) -> bool:
        """Whether the targets are scores."""
        return np.issubdtype(self.targets.dtype, np.floating)


@dataclass(frozen=True)
class Tuned(ABC):
    """A method of scikit-learn on functionals of sequences over time and on vectors.

    Subclasses define `estimator`, and name in `grid` the fields that list candidate values; all
    combinations are tried.

    Attributes:
      functionals: names from `data.functionals.FUNCTIONALS`. If the corpus normalises a sequence
        within each recording, its functionals are those before normalisation.
      modalities: names of the inputs to use, such as `text`; empty: all.
    """

    functionals: tuple[Functional, ...] = ("mean",)
    modalities: tuple[Name, ...] = ()

    # Without annotations, these are not settings.
    grid = ()
    stochastic = False  # whether the fit depends on the seed
    regresses = True  # whether scores can be predicted

    def __post_init__(self) -> None:
        """Checks that there are functionals and candidates."""
        for name in ("functionals", *self.grid):
            if not getattr(self, name):
                raise UserError(f"{type(self).__name__}.{name} is empty; give at least one value")

    @abstractmethod
    def estimator(self, settings: Mapping[str, Any], problem: Problem) -> Any:
        """Returns an unfitted scikit-learn estimator.

        Args:
          settings: one value for each field in `grid`.
          problem: what it is to be fitted to.
        """

    def candidates(self, problem: Problem) -> list[dict[str, Any]]:
        """Settings to try, in the order in which ties are decided."""
        values = product(*(getattr(self, name) for name in self.grid))
        return [dict(zip(self.grid, each, strict=True)) for each in values]

    def log_probabilities(self, model: Any, features: np.ndarray) -> np.ndarray:
        """Log-probabilities [N, classes] of a fitted estimator.

        Votes of trees or neighbours can be unanimous, and one error would then make the loss
        infinite; probabilities are raised to at least `FLOOR` and normalised again.
        """
        probabilities = np.maximum(model.predict_proba(features), FLOOR)
        return np.log(probabilities / probabilities.sum(1, keepdims=True))

    def fit_predict(
        self,
        train: Labelled,
        validation: Labelled,
        test: Mapping[str, np.ndarray],
        seed: int = 0,
    ) -> Fitted:
        """Fits by `fit` and predicts the inputs `test`."""
        estimator, hyper, loss = self.fit(train, validation, seed)
        return Fitted(self.predict(estimator, test), hyper, loss)

    def fit(self, train: Labelled, validation: Labelled, seed: int = 0) -> Selected:
        """Fits on `train` and selects settings on `validation`.

        The validation loss is the cross-entropy of classes, and the mean absolute error of scores.

        Args:
          train: inputs (sequences [N, L, D] with masks, vectors [N, D]) and classes or scores [N].
          validation: as `train`.
          seed: seed of a `stochastic` method; others ignore it.

        Raises:
          UserError: the method cannot be fitted to these targets or inputs.
        """
        blocks = feature_blocks(train[0], self.functionals, self.modalities)
        problem = Problem(_columns(blocks), train[1], seed)
        self._check(problem, validation[1])
        features = np.concatenate(list(blocks.values()), axis=1)
        loss_of = mae if problem.scores else cross_entropy
        tried = []
        for settings in self.candidates(problem):
            model = self.estimator(settings, problem).fit(features, train[1])
            outputs = self.predict(model, validation[0])
            losses = loss_of(jnp.asarray(outputs), jnp.asarray(validation[1]))
            tried.append((float(losses.mean()), settings, model))
        loss, settings, model = min(tried, key=lambda each: each[0])
        return Selected(model, _as_numbers(settings), loss)

    def predict(self, estimator: Any, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Log-probabilities [N, classes] or scores [N] of a fitted estimator.

        Args:
          estimator: as returned by `fit`.
          inputs: as in `fit`.
        """
        from sklearn.base import is_classifier

        features = feature_columns(inputs, self.functionals, self.modalities)
        if is_classifier(estimator):
            return self.log_probabilities(estimator, features)
        return estimator.predict(features)

    def _check(self, problem: Problem, validation: np.ndarray) -> None:
        """Raises `UserError` if the method cannot be fitted to the targets."""
        if problem.scores:
            if not self.regresses:
                raise UserError(
                    f"{type(self).__name__} predicts classes, but the targets are scores; use SVM,"
                    " RandomForest or KNNFusion, or predict a label that has classes"
                )
            return
        # Columns of probabilities are those of the classes that occur in training.
        classes = np.unique(np.concatenate([problem.targets, validation]))
        missing = sorted(set(range(classes.max() + 1)) - set(problem.targets.tolist()))
        if missing:
            raise UserError(
                f"the training split has no recordings of class {', '.join(map(str, missing))},"
                " which a baseline needs; use another split"
            )


def _columns(blocks: Mapping[str, np.ndarray]) -> dict[str, slice]:
    """Columns of each block when they are side by side."""
    ends = np.cumsum([block.shape[1] for block in blocks.values()]).tolist()
    return {
        name: slice(end - block.shape[1], end)
        for (name, block), end in zip(blocks.items(), ends, strict=True)
    }


def _as_numbers(settings: Mapping[str, Any]) -> dict[str, float]:
    """Settings as they are reported; a name becomes part of the key."""
    return {
        f"{name}_{value}" if isinstance(value, str) else name: (
            1.0 if isinstance(value, str) else float(value)
        )
        for name, value in settings.items()
    }
