"""Nearest neighbours in each modality, with fused decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxdep.errors import UserError
from jaxdep.models.baselines.tuned import Problem, Tuned
from jaxdep.settings.kinds import Count


@dataclass(frozen=True)
class KNNFusion(Tuned):
    """Mean over modalities of what the nearest neighbours in each predict: classes or scores.

    A modality predicts the shares of the classes among the k nearest training recordings, or their
    mean score, by the Euclidean distance of standardised features. All modalities have equal weight
    and the same k.

    Attributes:
      neighbors: candidate numbers k of neighbours; those above the number of training recordings
        are left out.
    """

    neighbors: tuple[Count, ...] = (1, 3, 5, 9, 15, 25)

    grid = ("neighbors",)

    def candidates(self, problem: Problem) -> list[dict[str, Any]]:
        """As in `Tuned`.

        Raises:
          UserError: all candidates exceed the number of training recordings.
        """
        found = [
            each
            for each in super().candidates(problem)
            if each["neighbors"] <= len(problem.targets)
        ]
        if not found:
            raise UserError(
                f"model.neighbors={','.join(map(str, self.neighbors))}: the training split has only"
                f" {len(problem.targets)} recordings; set model.neighbors to that or less"
            )
        return found

    def estimator(self, settings: Mapping[str, Any], problem: Problem) -> Any:
        """As in `Tuned`."""
        from sklearn.compose import ColumnTransformer
        from sklearn.ensemble import VotingClassifier, VotingRegressor
        from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        kind = KNeighborsRegressor if problem.scores else KNeighborsClassifier
        experts = [
            (
                f"{number}",  # a modality may have a name that scikit-learn reserves
                make_pipeline(
                    ColumnTransformer([("modality", StandardScaler(), columns)]),
                    kind(settings["neighbors"]),
                ),
            )
            for number, columns in enumerate(problem.columns.values())
        ]
        if problem.scores:
            return VotingRegressor(experts)
        return VotingClassifier(experts, voting="soft")
