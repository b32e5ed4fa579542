"""Stores fitted scikit-learn estimators without pickle, by skops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxdep.artifacts.files import LIMIT, replaced
from jaxdep.errors import UserError

TRUSTED = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
"""Types that the baselines' estimators consist of, beside those that skops trusts."""


def save(folder: Path, estimators: Sequence[Any]) -> None:
    """Writes one file for each run, in their order."""
    import skops.io

    folder.mkdir(exist_ok=True)
    for run, estimator in enumerate(estimators):
        with replaced(_path(folder, run)) as temporary:
            skops.io.dump(estimator, temporary)


def load(folder: Path, count: int) -> list[Any]:
    """Reads the estimators of the first `count` runs.

    Raises:
      UserError: a file is missing, damaged or too large, or holds other types than estimators do.
    """
    return [_load(_path(folder, run)) for run in range(count)]


def _load(path: Path) -> Any:
    import skops.io

    try:
        if (size := path.stat().st_size) > LIMIT:
            raise ValueError(f"{size} bytes, more than {LIMIT}")
        return skops.io.load(path, trusted=TRUSTED)
    except Exception as error:  # damaged archives fail in many ways
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{path} holds no estimator that can be read ({reason}); run the experiment again"
        ) from None


def _path(folder: Path, run: int) -> Path:
    return folder / f"{run}.skops"
