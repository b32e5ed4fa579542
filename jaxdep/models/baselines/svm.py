"""Support vector machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from jaxdep.errors import UserError
from jaxdep.models.baselines.tuned import Problem, Tuned
from jaxdep.settings.kinds import OneOf, Positive

_FALSE: Any = False  # where pyright's bundled stubs expect a string

Kernel = Annotated[str, OneOf(("linear", "rbf"))]


@dataclass(frozen=True)
class SVM(Tuned):
    """Support vector machine on standardised features; predicts classes or scores.

    The linear kernel is fitted in the primal, with squared hinge losses (LIBLINEAR): the dual
    solver of the other kernels takes hours if no plane separates thousands of recordings.

    Probabilities of classes are a logistic function of the decision value (Platt, 1999), fitted to
    decision values of a cross-validation within the training split: five folds, or as many as the
    rarest class has recordings. Scores are predicted by epsilon-insensitive regression (squared
    for the linear kernel), with epsilon 0.1 in units of the score.

    Attributes:
      kernel: candidate kernels. The width of `rbf` is scikit-learn's `scale`: gamma is 1 over the
        number of features times their variance.
      C: candidate inverse strengths of the penalty.
    """

    kernel: tuple[Kernel, ...] = ("linear", "rbf")
    C: tuple[Positive, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)

    grid = ("kernel", "C")

    def estimator(self, settings: Mapping[str, Any], problem: Problem) -> Any:
        """As in `Tuned`.

        Raises:
          UserError: a class has a single recording, so that its probability cannot be calibrated.
        """
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.model_selection import StratifiedKFold

        if problem.scores:
            return _machine(settings, scores=True)
        rarest = int(np.unique(problem.targets, return_counts=True)[1].min())
        if rarest < 2:
            raise UserError(
                "SVM needs at least two training recordings of each class; use a larger training"
                " split"
            )
        folds = StratifiedKFold(min(5, rarest), shuffle=True, random_state=0)
        return CalibratedClassifierCV(_machine(settings), cv=folds, ensemble=_FALSE)


def _machine(settings: Mapping[str, Any], scores: bool = False) -> Any:
    """Standardisation, and a machine without probabilities."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

    if settings["kernel"] != "linear":
        machine = SVR(**settings) if scores else SVC(**settings)
    elif scores:
        loss = "squared_epsilon_insensitive"
        machine = LinearSVR(C=settings["C"], epsilon=0.1, loss=loss, dual=_FALSE)
    else:
        machine = LinearSVC(C=settings["C"], dual=_FALSE)
    return make_pipeline(StandardScaler(), machine)
