"""Distance of recordings from the training data, in standard deviations of time-averaged inputs.

A recording is described by the means of its features over time (before normalisation within the
recording, where the corpus stores them) and by its vectors. Its distance is a Mahalanobis distance
with a diagonal covariance, scaled by the number of features: the root of the mean of squared
z-scores, within each input and then over inputs, so that each input counts equally, however many
features it has. A typical training recording has a distance of about 1. The percentile is the share
of training recordings that are nearer. A high percentile says that a recording is unlike those the
model has seen; a low one does not say that its prediction is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from jaxdep.models.baselines.features import feature_blocks

_PERCENTILES = np.linspace(0, 100, 101)

_SMALLEST = 1e-3
"""Lowest standard deviation of a feature, as a share of the typical one of its input."""


@dataclass(frozen=True)
class TrainingData:
    """Statistics of the recordings that a run was trained on.

    Attributes:
      mean: mean of each time-averaged feature, [D] float64 by input.
      deviation: standard deviations, [D] by input. A feature that hardly varies counts as varying
        by a thousandth of what is typical of its input.
      percentiles: percentiles 0 to 100 of the distances of the training recordings, [101].
    """

    mean: Mapping[str, np.ndarray]
    deviation: Mapping[str, np.ndarray]
    percentiles: np.ndarray

    @classmethod
    def of(cls, parts: Iterable[Mapping[str, np.ndarray]]) -> TrainingData:
        """Computes the statistics.

        Args:
          parts: inputs of some recordings each, as in `arrays.Split.inputs`.
        """
        found = [feature_blocks(inputs) for inputs in parts]
        blocks = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
        mean = {name: block.mean(0) for name, block in blocks.items()}
        deviation = {name: _at_least(block.std(0)) for name, block in blocks.items()}
        distances = _distances(blocks, mean, deviation)
        return cls(mean, deviation, np.percentile(distances, _PERCENTILES))

    def distances(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Distance of each recording, [N]; for inputs see `arrays.Split.inputs`."""
        return _distances(feature_blocks(inputs), self.mean, self.deviation)

    def percentile(self, distances: np.ndarray) -> np.ndarray:
        """Share of the training recordings that are nearer, [N], from 0 to 100."""
        return np.interp(distances, self.percentiles, _PERCENTILES)


def _distances(
    blocks: Mapping[str, np.ndarray],
    mean: Mapping[str, np.ndarray],
    deviation: Mapping[str, np.ndarray],
) -> np.ndarray:
    squares = [(((blocks[name] - mean[name]) / deviation[name]) ** 2).mean(1) for name in mean]
    return np.sqrt(np.mean(squares, 0))


def _at_least(deviation: np.ndarray) -> np.ndarray:
    typical = float(np.sqrt((deviation**2).mean()))
    return np.maximum(deviation, _SMALLEST * typical or 1.0)
