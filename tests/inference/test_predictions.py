"""Intervals, abstention and distances, against values computed by hand."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from jaxdep.analysis.predictions import Predictions as Stored
from jaxdep.errors import UserError
from jaxdep.inference.distance import TrainingData
from jaxdep.inference.predictions import Calibration, Predictions, rows

RNG = np.random.default_rng(0)


def scores(errors):
    """Calibration of two runs that differ by 0, 2, 4, ... and whose mean has these errors."""
    target = np.arange(len(errors), dtype=float)
    half = np.arange(len(errors))
    mean = target + errors
    return Calibration((), (), 1.0, np.stack([mean - half, mean + half]), target)


class TestScores:
    def test_interval_is_the_conformal_quantile_of_the_errors(self):
        errors = RNG.permutation(np.arange(1.0, 40.0)) * RNG.choice([-1, 1], 39)
        found = scores(errors).predict(np.array([[10.0], [30.0]]), 1.0)
        # ceil(40 * 0.95) = 38: the 38th smallest of 1, ..., 39
        assert found.value == [20.0]
        assert (found.low, found.high) == ([-18.0], [58.0])
        assert found.spread == pytest.approx(np.sqrt(200))

    def test_intervals_end_with_the_scale(self):
        found = scores(np.full(39, 30.0)).predict(np.array([[10.0], [10.0]]), 1.0, (0.0, 63.0))
        assert (found.low, found.high) == ([0.0], [40.0])

    def test_too_few_validation_recordings_for_an_interval(self):
        # ceil(19 * 0.95) = 19 > 18; with 19 recordings, ceil(20 * 0.95) = 19 is the largest error
        assert np.isnan(scores(np.ones(18)).predict(np.zeros((2, 1)), 1.0).low).all()
        assert scores(np.ones(19)).predict(np.zeros((2, 1)), 1.0).low == [-1.0]

    def test_abstains_where_runs_disagree_more_than_on_validation(self):
        # Half differences on validation: 0, ..., 9; at a coverage of 0.5, five of ten are accepted.
        half = np.array([4.0, 4.1, 0.0])
        found = scores(np.zeros(10)).predict(np.stack([-half, half]), 0.5)
        assert found.abstains.tolist() == [False, True, False]

    def test_a_single_run_never_abstains(self):
        alone = Calibration((), (), 1.0, np.zeros((1, 30)), np.zeros(30))
        found = alone.predict(np.ones((1, 2)), 0.1)
        assert not found.abstains.any()
        assert np.isnan(found.spread).all()


class TestClasses:
    def test_interval_is_students(self):
        target = np.array([0, 1, 1, 0])
        logits = RNG.normal(size=(3, 4, 2))
        stored = Stored(
            ids=np.array(list("abcd")),
            target=target,
            prediction=logits.argmax(-1),
            probability=np.full((3, 4), 0.5),
            runs=np.arange(3),
            subjects=np.array(list("abcd")),
            logits=logits,
        )
        calibrated = Calibration.of(stored, ["no", "yes"])
        outputs = RNG.normal(size=(3, 5, 2)) / 10
        found = calibrated.predict(outputs, 1.0)
        each = np.exp(outputs / np.array(calibrated.temperatures)[:, None, None])
        each /= each.sum(-1, keepdims=True)
        scale = lambda p: (
            p ** (1 / calibrated.pooled) / (p ** (1 / calibrated.pooled)).sum(-1, keepdims=True)
        )[..., 1]
        np.testing.assert_allclose(found.value[:, 1], scale(each.mean(0)))
        for row in range(5):
            middle, error = scale(each.mean(0))[row], stats.sem(scale(each)[:, row])
            low, high = stats.t.interval(0.95, 2, middle, error)
            assert found.low[row, 1] == pytest.approx(max(low, 0))
            assert found.high[row, 1] == pytest.approx(min(high, 1))
        shown = rows(Predictions(list("vwxyz"), {"t": found}, np.ones(5), np.ones(5)))
        assert shown[0]["tasks"]["t"]["prediction"] == ["no", "yes"][found.predicted[0]]
        with pytest.raises(UserError, match="train again"):
            Calibration.of(Stored(**{**vars(stored), "logits": None}), ["no", "yes"])

    def test_no_spread_is_null(self):
        one: Any = Calibration(("a", "b"), (1.0,), 1.0, np.full((1, 4, 2), 0.5), np.zeros(4))
        found = one.predict(np.zeros((1, 1, 2)), 1.0)
        [shown] = rows(Predictions(["x"], {"t": found}, np.ones(1), np.ones(1)))
        assert shown["tasks"]["t"]["low"] == {"a": None, "b": None}
        assert shown["tasks"]["t"]["probability"] == {"a": 0.5, "b": 0.5}


class TestDistance:
    def inputs(self, items, shift=0.0):
        x = RNG.normal(size=(items, 6, 3)) + RNG.normal(size=(items, 1, 3)) + shift
        mask = np.arange(6) < RNG.integers(2, 7, items)[:, None]
        return {
            "a": np.where(mask[..., None], x, 99.0).astype(np.float32),
            "a_mask": mask,
            "v": RNG.normal(size=(items, 2)).astype(np.float32) * 5 + shift,
        }

    def test_typical_recordings_have_a_distance_of_one(self):
        found = TrainingData.of([self.inputs(300), self.inputs(200)])
        distances = found.distances(self.inputs(500))
        assert np.sqrt((distances**2).mean()) == pytest.approx(1, abs=0.1)
        assert found.percentile(distances).mean() == pytest.approx(50, abs=6)
        assert (found.percentile(found.distances(self.inputs(9, 60.0))) == 100).all()

    def test_parts_are_one_whole(self):
        inputs = self.inputs(10)
        halves = [{name: x[rows] for name, x in inputs.items()} for rows in (slice(4), slice(4, 9))]
        whole = TrainingData.of([{name: x[:9] for name, x in inputs.items()}])
        np.testing.assert_allclose(
            TrainingData.of(halves).distances(inputs), whole.distances(inputs), rtol=1e-9
        )

    def test_a_constant_feature_does_not_make_distances_infinite(self):
        inputs = self.inputs(20)
        inputs["v"][:, 0] = 3.0
        found = TrainingData.of([inputs])
        assert np.isfinite(found.distances(inputs)).all()
        inputs["v"][:, 0] = 4.0
        assert (found.percentile(found.distances(inputs)) == 100).all()
