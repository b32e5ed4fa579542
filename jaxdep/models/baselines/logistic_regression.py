"""Logistic regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxdep.models.baselines.tuned import Problem, Tuned
from jaxdep.settings.kinds import Positive


@dataclass(frozen=True)
class LogisticRegression(Tuned):
    """Logistic regression on functionals of all sequences over time and on all vectors.

    Predicts classes only. The fields of `Tuned` come first.

    Attributes:
      C: candidate inverse strengths of the L2 penalty.
      standardize: whether to scale each feature to mean 0 and variance 1 over the training split.
    """

    C: tuple[Positive, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    standardize: bool = False

    grid = ("C",)
    regresses = False

    def estimator(self, settings: Mapping[str, Any], problem: Problem) -> Any:
        """As in `Tuned`."""
        from sklearn.linear_model import LogisticRegression as Regression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        regression = Regression(C=settings["C"], max_iter=10_000)
        return make_pipeline(StandardScaler(), regression) if self.standardize else regression

    def log_probabilities(self, model: Any, features: np.ndarray) -> np.ndarray:
        """As in `Tuned`, but the floor only avoids the logarithm of 0."""
        return np.log(np.maximum(model.predict_proba(features), np.finfo(np.float64).tiny))
