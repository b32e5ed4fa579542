"""Random forest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxdep.models.baselines.tuned import Problem, Tuned
from jaxdep.settings.kinds import Count


@dataclass(frozen=True)
class RandomForest(Tuned):
    """Random forest (Breiman, 2001); predicts classes or scores, and depends on the seed.

    Each split of a tree draws the square root of the number of features for classes, and a third of
    the features for scores.

    Attributes:
      trees: number of trees.
      min_leaf: candidates for the smallest number of training recordings in a leaf.
    """

    trees: Count = 500
    min_leaf: tuple[Count, ...] = (1, 2, 5, 10)

    grid = ("min_leaf",)
    stochastic = True

    def estimator(self, settings: Mapping[str, Any], problem: Problem) -> Any:
        """As in `Tuned`."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind: Any = RandomForestRegressor if problem.scores else RandomForestClassifier
        return kind(
            self.trees,
            min_samples_leaf=settings["min_leaf"],
            max_features=1 / 3 if problem.scores else "sqrt",
            random_state=problem.seed,
        )
