"""Baselines that scikit-learn fits, under the same splits and reports as the networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxdep.data import functionals
from jaxdep.losses import cross_entropy


@dataclass(frozen=True)
class LogisticRegression:
    """Logistic regression on functionals over time of all sequences, and on all vectors.

    Attributes:
      functionals: some of `data.functionals.FUNCTIONALS`. Of a sequence that the corpus normalised
        within each recording they are those from before.
      C: inverse strengths of the L2 penalty to try; the validation split chooses.
      standardize: scale each feature to mean 0 and variance 1 over the training split.
    """

    functionals: tuple[str, ...] = ("mean",)
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

        features, labels = columns(train[0], self.functionals), train[1]
        held_out = columns(validation[0], self.functionals)
        fitted = {}
        for strength in self.C:
            regression = Regression(C=strength, max_iter=10_000)
            model = make_pipeline(StandardScaler(), regression) if self.standardize else regression
            model.fit(features, labels)
            losses = cross_entropy(model.predict_log_proba(held_out), validation[1])
            fitted[strength] = (float(losses.mean()), model)
        chosen = min(fitted, key=lambda strength: fitted[strength][0])
        loss, model = fitted[chosen]
        return model.predict_log_proba(columns(test, self.functionals)), chosen, loss


def columns(inputs: Mapping[str, np.ndarray], names: Sequence[str] = ("mean",)) -> np.ndarray:
    """Functionals over the real frames of every sequence, and all vectors, side by side: [N, D]."""
    found = []
    for name in sorted(inputs):
        array, stored = inputs[name], inputs.get(name + functionals.SUFFIX)
        if array.dtype != np.uint8 and not np.issubdtype(array.dtype, np.floating):
            continue  # masks, and where sentences are
        if stored is not None:
            continue  # normalised in each recording: what tells people apart is in the functionals
        if name.endswith(functionals.SUFFIX):
            array = functionals.select(array, names)
        elif array.ndim == 3:
            each = zip(array, inputs[f"{name}_mask"], strict=True)
            array = np.stack([functionals.summarize(x[real], names) for x, real in each])
        found.append(array)
    return np.concatenate(found, axis=1).astype(np.float64)
