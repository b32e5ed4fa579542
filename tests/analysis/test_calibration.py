"""Calibration and abstention: hand-computed values, scikit-learn, and data of known calibration."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import brier_score_loss, log_loss

from jaxdep.analysis import abstention, calibration


def of_class_1(p):
    return np.stack([1 - np.array(p), np.array(p)], -1)


def drawn(rng, items, classes, temperature=1.0):
    """Logits that are calibrated after division by `temperature`, and targets."""
    true = rng.normal(size=(items, classes)) * 2
    p = calibration.probabilities(true)
    target = (rng.random((items, 1)) > p.cumsum(1)).sum(1).clip(max=classes - 1)
    return true * temperature, target.astype(float)


class TestBrier:
    def test_by_hand(self):
        # (0.8 - 1)^2, (0.4 - 0)^2
        found = calibration.brier(of_class_1([0.8, 0.4]), np.array([1.0, 0.0]))
        assert found == pytest.approx([0.04, 0.16])
        # (0.5 - 0)^2 + (0.2 - 1)^2 + (0.3 - 0)^2
        found = calibration.brier(np.array([[0.5, 0.2, 0.3]]), np.array([1.0]))
        assert found == pytest.approx([0.25 + 0.64 + 0.09])

    @pytest.mark.parametrize("classes", [2, 4])
    def test_scikit_learn(self, classes):
        rng = np.random.default_rng(0)
        probability = rng.dirichlet(np.ones(classes), 50)
        target = rng.integers(0, classes, 50)
        if classes == 2:
            expected = brier_score_loss(target, probability[:, 1])
        else:
            hot = np.eye(classes)[target]
            each = [brier_score_loss(hot[:, c], probability[:, c]) for c in range(classes)]
            expected = np.sum(each)
        assert calibration.brier(probability, target).mean() == pytest.approx(expected)

    def test_of_several_runs(self):
        rng = np.random.default_rng(1)
        probability = rng.dirichlet(np.ones(3), (4, 20))
        target = rng.integers(0, 3, 20)
        found = calibration.brier(probability, target)
        assert found.shape == (4, 20)
        assert (found[2] == calibration.brier(probability[2], target)).all()


class TestError:
    def test_by_hand(self):
        # ECE = sum_m |B_m| / n |acc(B_m) - conf(B_m)| (Guo et al., 2017, Eq. 3), with 5 bins:
        # (0.4, 0.6] holds 0.55 (right) and 0.6 (wrong): |1 - 1.15|; (0.6, 0.8] holds 0.7 and 0.8
        # (right): |2 - 1.5|; (0.8, 1] holds 0.9 (wrong): |0 - 0.9|.
        probability = of_class_1([0.55, 0.4, 0.7, 0.2, 0.9])
        target = np.array([1.0, 1.0, 1.0, 0.0, 0.0])
        bins = calibration.reliability(probability, target, 5)
        assert bins.count.tolist() == [0, 0, 2, 2, 1]
        assert bins.correct.tolist() == [0, 0, 1, 2, 0]
        assert bins.confidence == pytest.approx([0, 0, 1.15, 1.5, 0.9])
        expected = (0.15 + 0.5 + 0.9) / 5
        assert bins.error == pytest.approx(expected)
        assert calibration.error(probability, target, 5) == pytest.approx(expected)

    def test_ends_of_the_range(self):
        certain = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        bins = calibration.reliability(certain, np.array([0.0, 2.0]))
        assert bins.count.tolist() == [0] * 14 + [2]
        assert bins.error == 0
        even = np.full((2, 4), 0.25)
        assert calibration.reliability(even, np.zeros(2), 4).count.tolist() == [2, 0, 0, 0]

    def test_runs_are_pooled(self):
        rng = np.random.default_rng(2)
        probability, target = rng.dirichlet(np.ones(2), (3, 40)), rng.integers(0, 2, 40)
        pooled = calibration.reliability(probability, target)
        each = [calibration.reliability(p, target) for p in probability]
        assert (pooled.count == np.sum([x.count for x in each], 0)).all()
        assert pooled.correct == pytest.approx(np.sum([x.correct for x in each], 0))

    @pytest.mark.parametrize("classes", [2, 5])
    def test_of_calibrated_predictions(self, classes):
        """With many recordings nothing remains; with few, as much as was foretold."""
        rng = np.random.default_rng(3)
        logits, target = drawn(rng, 100_000, classes)
        assert calibration.error(calibration.probabilities(logits), target) < 0.01
        few = [calibration.error(calibration.probabilities(x), y) for x, y in parts(logits, target)]
        foretold = [
            calibration.error_if_calibrated(calibration.probabilities(x))
            for x, _ in list(parts(logits, target))[:20]
        ]
        assert np.mean(few) == pytest.approx(np.mean(foretold), rel=0.05)
        assert np.mean(few) > 0.08

    def test_of_overconfident_predictions(self):
        logits, target = drawn(np.random.default_rng(4), 20_000, 2, temperature=4.0)
        probability = calibration.probabilities(logits)
        assert calibration.error(probability, target) > 0.1
        found = calibration.error_if_calibrated(probability[:500], draws=200)
        assert found < 0.05


def parts(logits, target, size=50, count=300):
    for start in range(0, size * count, size):
        yield logits[start : start + size], target[start : start + size]


class TestTemperature:
    @pytest.mark.parametrize("classes", [2, 6])
    @pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
    def test_of_known_temperature(self, classes, temperature):
        rng = np.random.default_rng(5)
        found = calibration.fit_temperature(*drawn(rng, 20_000, classes, temperature))
        assert found == pytest.approx(temperature, rel=0.05)
        logits, target = drawn(rng, 20_000, classes, temperature)
        assert calibration.error(calibration.probabilities(logits, found), target) < 0.02

    def test_is_the_best_of_all(self):
        logits, target = drawn(np.random.default_rng(6), 60, 3, 2.0)
        found = calibration.fit_temperature(logits, target)
        loss = lambda t: log_loss(target, calibration.probabilities(logits, t), labels=[0, 1, 2])
        assert loss(found) <= min(loss(t) for t in np.geomspace(0.05, 20, 60)) + 1e-9

    def test_two_classes_by_hand(self):
        # Three of four are right with logits of equal distance 2: the likelihood is highest if
        # sigmoid(2 / T) = 3 / 4, T = 2 / log 3.
        logits = np.array([[0.0, 2], [0, 2], [0, 2], [0, 2]])
        found = calibration.fit_temperature(logits, np.array([1.0, 1, 1, 0]))
        assert found == pytest.approx(2 / np.log(3), rel=1e-5)
        # Log-probabilities are logits, too.
        log_p = calibration.log_probabilities(logits)
        again = calibration.fit_temperature(log_p, np.array([1.0, 1, 1, 0]))
        assert again == pytest.approx(found, rel=1e-6)

    def test_stays_in_range(self):
        separated = np.array([[0.0, 1], [0, 2], [3, 0]])
        low, high = calibration.TEMPERATURES
        found = calibration.fit_temperature(separated, np.array([1.0, 1, 0]))
        assert low <= found < low * 1.01
        found = calibration.fit_temperature(separated, np.array([0.0, 0, 1]))
        assert high * 0.99 < found <= high

    def test_predictions_stay(self):
        logits, _ = drawn(np.random.default_rng(7), 500, 5)
        for temperature in (0.1, 7.0):
            scaled = calibration.probabilities(logits, temperature)
            assert (scaled.argmax(-1) == logits.argmax(-1)).all()
            assert scaled.sum(-1) == pytest.approx(np.ones(500))

    def test_excluded_classes(self):
        """A class of probability 0 is not infinitely unlikely."""
        logits = np.array([[-np.inf, 0.0], [0.0, -np.inf], [0.0, -1.0]])
        found = calibration.log_probabilities(logits)
        assert np.isfinite(found).all()
        assert found[0, 1] == 0
        target = np.array([0.0, 0.0, 0.0])
        assert np.isfinite(calibration.fit_temperature(logits, target))


class TestAbstention:
    def test_by_hand(self):
        confidence = np.array([0.6, 0.9, 0.7, 0.8])
        correct = np.array([True, True, False, True])
        found = abstention.accuracy_by_coverage(confidence, correct)
        assert found == pytest.approx([1, 1, 2 / 3, 3 / 4])
        area = abstention.area_under_risk_coverage(confidence, correct)
        assert area == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)

    @pytest.mark.parametrize(
        ("coverage", "expected"),
        [(1.0, -np.inf), (0.99, 0.1), (0.75, 0.2), (0.5, 0.5), (0.01, 0.9)],
    )
    def test_threshold_accepts_at_least_the_coverage(self, coverage, expected):
        assert abstention.threshold(np.array([0.5, 0.9, 0.1, 0.2]), coverage) == expected

    def test_ties_do_not_depend_on_the_order(self):
        confidence = np.array([0.9, 0.5, 0.5, 0.5])
        correct = np.array([True, True, False, False])
        # The three of 0.5 are accepted in any order: a third of each is right.
        expected = [1, (1 + 1 / 3) / 2, (1 + 2 / 3) / 3, 2 / 4]
        for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
            found = abstention.accuracy_by_coverage(confidence[order], correct[order])
            assert found == pytest.approx(expected)

    def test_expectation_over_orders_of_ties(self):
        rng = np.random.default_rng(8)
        confidence, correct = rng.integers(0, 4, 30) / 4, rng.random(30) < 0.7
        rows = []
        for _ in range(4000):
            jitter = confidence + rng.random(30) * 1e-3
            rows.append(correct[np.argsort(-jitter)].cumsum() / np.arange(1, 31))
        found = abstention.accuracy_by_coverage(confidence, correct)
        assert found == pytest.approx(np.mean(rows, 0), abs=0.03)
        assert found[-1] == pytest.approx(correct.mean())

    def test_confidence_that_says_nothing(self):
        correct = np.random.default_rng(9).random(5000) < 0.7
        area = abstention.area_under_risk_coverage(np.ones(5000), correct)
        assert area == pytest.approx(1 - correct.mean())
        best = abstention.area_under_risk_coverage(correct.astype(float), correct)
        worst = abstention.area_under_risk_coverage(-correct.astype(float), correct)
        # Errors come last: r + (1 - r) log(1 - r) for an error rate r (Geifman et al., 2019).
        r = 1 - correct.mean()
        assert best == pytest.approx(r + (1 - r) * np.log(1 - r), abs=1e-3)
        assert best < area < worst


def test_calibrated_probabilities_score_their_own_variance():
    """The expected Brier score of calibrated probabilities p is p (1 - p)."""
    logits, target = drawn(np.random.default_rng(10), 50_000, 2)
    p = calibration.probabilities(logits)[:, 1]
    found = calibration.brier(of_class_1(p), target)
    standard = stats.sem(found)
    assert found.mean() == pytest.approx((p * (1 - p)).mean(), abs=4 * standard)
