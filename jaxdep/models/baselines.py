"""Baselines that scikit-learn fits, under the same splits and reports as the networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxdep.losses import cross_entropy


@dataclass(frozen=True)
class LogisticRegression:
    """Logistic regression on the means over time of all sequences, and on all vectors.

    Attributes:
      C: inverse strengths of the L2 penalty to try; the validation split chooses.
      standardize: scale each feature to mean 0 and variance 1 over the training split.
    """

    C: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    standardize: bool = False

    def fit_predict(
        self,
        train: tuple[Mapping[str, np.ndarray], np.ndarray],
        validation: tuple[Mapping[str, np.ndarray], np.ndarray],
        test: Mapping[str, np.ndarray],
    ) -> tuple[np.ndarray, float, float]:
        """Fits on `train`, chooses C on `validation`, predicts `test`.

        Args:
          train: inputs (sequences [N, L, D] with masks, vectors [N, D]) and classes [N].

        Returns:
          Log-probabilities [N, C] of the test split, the C chosen, its validation loss.
        """
        from sklearn.linear_model import LogisticRegression as Regression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        features, labels = averages(train[0]), train[1]
        held_out = averages(validation[0])
        fitted = {}
        for strength in self.C:
            regression = Regression(C=strength, max_iter=10_000)
            model = make_pipeline(StandardScaler(), regression) if self.standardize else regression
            model.fit(features, labels)
            losses = cross_entropy(model.predict_log_proba(held_out), validation[1])
            fitted[strength] = (float(losses.mean()), model)
        chosen = min(fitted, key=lambda strength: fitted[strength][0])
        loss, model = fitted[chosen]
        return model.predict_log_proba(averages(test)), chosen, loss


def averages(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Means over the real frames of every sequence, and all vectors, side by side: [N, D]."""
    columns = []
    for name in sorted(inputs):
        array = inputs[name]
        pictures = array.dtype == np.uint8
        if not (pictures or np.issubdtype(array.dtype, np.floating)):
            continue  # masks, and where sentences are
        if array.ndim == 3:
            mask = inputs[f"{name}_mask"][..., None]
            array = (array * mask).sum(1) / np.maximum(mask.sum(1), 1)
        columns.append(array)
    return np.concatenate(columns, axis=1).astype(np.float64)
