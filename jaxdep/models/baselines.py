"""Baselines fitted by scikit-learn, with the same splits and reports as the networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import jax.numpy as jnp
import numpy as np

from jaxdep.data import functionals
from jaxdep.losses import cross_entropy
from jaxdep.settings.kinds import OneOf, Positive

Functional = Annotated[str, OneOf(functionals.FUNCTIONALS)]


@dataclass(frozen=True)
class LogisticRegression:
    """Logistic regression on functionals of all sequences over time and on all vectors.

    Attributes:
      functionals: names from `data.functionals.FUNCTIONALS`. If the corpus normalises a sequence
        within each recording, its functionals are those before normalisation.
      C: candidate inverse strengths of the L2 penalty, selected on the validation split.
      standardize: whether to scale each feature to mean 0 and variance 1 over the training split.
    """

    functionals: tuple[Functional, ...] = ("mean",)
    C: tuple[Positive, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    standardize: bool = False

    def fit_predict(
        self,
        train: tuple[Mapping[str, np.ndarray], np.ndarray],
        validation: tuple[Mapping[str, np.ndarray], np.ndarray],
        test: Mapping[str, np.ndarray],
    ) -> tuple[np.ndarray, float, float]:
        """Fits on `train`, selects C on `validation` and predicts `test`.

        Args:
          train: inputs (sequences [N, L, D] with masks, vectors [N, D]) and classes [N].
          validation: as `train`.
          test: inputs, as in `train`.

        Returns:
          Log-probabilities [N, classes] of the test split, the selected C, and its validation loss.
        """
        from sklearn.linear_model import LogisticRegression as Regression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        features, labels = feature_columns(train[0], self.functionals), train[1]
        validation_features = feature_columns(validation[0], self.functionals)
        fitted = {}
        for strength in self.C:
            regression = Regression(C=strength, max_iter=10_000)
            model = make_pipeline(StandardScaler(), regression) if self.standardize else regression
            model.fit(features, labels)
            log_probabilities = model.predict_log_proba(validation_features)
            losses = cross_entropy(log_probabilities, jnp.asarray(validation[1]))
            fitted[strength] = (float(losses.mean()), model)
        best = min(fitted, key=lambda strength: fitted[strength][0])
        loss, model = fitted[best]
        return model.predict_log_proba(feature_columns(test, self.functionals)), best, loss


def feature_columns(
    inputs: Mapping[str, np.ndarray], names: Sequence[str] = ("mean",)
) -> np.ndarray:
    """Functionals over the real frames of all sequences and all vectors, concatenated: [N, D]."""
    blocks = []
    for name in sorted(inputs):
        array, stored = inputs[name], inputs.get(name + functionals.SUFFIX)
        if array.dtype != np.uint8 and not np.issubdtype(array.dtype, np.floating):
            continue  # masks and sentence windows
        # Normalisation per recording removes differences between people; the functionals keep them.
        if stored is not None:
            continue
        if name.endswith(functionals.SUFFIX):
            array = functionals.select(array, names)
        elif array.ndim == 3:
            pairs = zip(array, inputs[f"{name}_mask"], strict=True)
            array = np.stack([functionals.summarize(x[real], names) for x, real in pairs])
        blocks.append(array)
    return np.concatenate(blocks, axis=1).astype(np.float64)
