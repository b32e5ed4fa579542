"""Paired tests against SciPy, statsmodels, enumeration and the formulas of the papers."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats as _stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats import contingency_tables
from statsmodels.stats.multitest import multipletests

from jaxdep.analysis import bootstrap_metrics, two_way_bootstrap
from jaxdep.analysis import significance as _significance
from jaxdep.analysis.predictions import Predictions

# Results are read here without asking first whether they are there.
significance: Any = _significance
stats: Any = _stats
mcnemar: Any = contingency_tables.mcnemar


def own(count):
    """Each recording has a subject of its own."""
    return np.arange(count)


class TestBootstrap:
    def accuracies(self, correct):
        """Statistics of runs, given what each classifies correctly, [R, N]."""
        return [lambda drawn, x=x: drawn @ x / drawn.sum(1) for x in correct.astype(float)]

    def test_is_a_t_test_of_the_two_way_error(self):
        rng = np.random.default_rng(0)
        a, b = rng.random((4, 60)) < 0.8, rng.random((4, 60)) < 0.7
        found = significance.paired_bootstrap(
            self.accuracies(a), self.accuracies(b), own(60), same_seeds=True
        )
        draws, count = two_way_bootstrap.draws(own(60))
        table = (a.astype(float) - b) @ draws.T / draws.sum(1)
        error, freedom = two_way_bootstrap.standard_error([table], count)
        t = (a.mean() - b.mean()) / error
        assert found.difference == pytest.approx(a.mean() - b.mean())
        assert found.p == pytest.approx(2 * stats.t.sf(abs(t), freedom))
        half = stats.t.ppf(0.975, freedom) * error
        assert found.interval == pytest.approx((found.difference - half, found.difference + half))
        assert found.units == "60 subjects and 4 seeds"

    def test_one_seed_is_the_paired_t_test(self):
        """SciPy's `ttest_rel` on recordings, up to the noise of 2000 draws."""
        rng = np.random.default_rng(1)
        a, b = rng.random((1, 90)) < 0.8, rng.random((1, 90)) < 0.65
        found = significance.paired_bootstrap(
            self.accuracies(a), self.accuracies(b), own(90), same_seeds=True
        )
        expected = stats.ttest_rel(a[0].astype(float), b[0].astype(float))
        assert found.p == pytest.approx(expected.pvalue, rel=0.25)
        assert found.interval == pytest.approx(expected.confidence_interval(0.95), abs=0.008)

    @pytest.mark.parametrize("metric", ["f1_weighted", "roc_auc"])
    def test_any_metric_of_any_number_of_seeds(self, metric):
        rng = np.random.default_rng(2)
        target = rng.integers(0, 2, 70).astype(float)

        def runs(noise, count):
            score = target - 0.5 + rng.normal(size=(count, 70)) * noise
            probability = 1 / (1 + np.exp(-score))
            prediction = (probability > 0.5).astype(float)
            ids = np.arange(70).astype(str)
            x = Predictions(ids, target, prediction, probability, np.arange(count), ids)
            return [bootstrap_metrics.statistic(metric, x.select_runs([r]), 2) for r in x.runs]

        good, bad = runs(0.3, 3), runs(2.0, 5)
        found = significance.paired_bootstrap(good, bad, own(70), same_seeds=False)
        once = np.ones((1, 70), int)
        mean = lambda each: np.mean([run(once)[0] for run in each])
        assert found.difference == pytest.approx(mean(good) - mean(bad))
        assert found.p < 0.01
        assert found.interval[0] > 0
        assert found.units == "70 subjects and 3 and 5 seeds"

    def test_a_system_does_not_differ_from_itself(self):
        a = self.accuracies(np.random.default_rng(3).random((3, 40)) < 0.8)
        found = significance.paired_bootstrap(a, a, own(40), same_seeds=True)
        assert (found.p, found.interval, found.reason) == (1.0, (0.0, 0.0), "")

    def test_what_cannot_be_tested(self):
        right, wrong = self.accuracies(np.ones((1, 9))), self.accuracies(np.zeros((1, 9)))
        test = lambda a, b, subjects: significance.paired_bootstrap(a, b, subjects, same_seeds=True)
        assert "the same for all subjects" in test(right, wrong, own(9)).reason
        assert "several subjects" in test(right, wrong, np.zeros(9)).reason
        nowhere = [lambda drawn: np.full(len(drawn), np.nan)]
        assert test(right, nowhere, own(9)).reason == "the metric is undefined"
        assert test(right, nowhere, own(9)).difference is None
        once = [lambda drawn: np.where((drawn == 1).all(1), 0.5, np.nan)]
        assert "most draws" in test(right, once, own(9)).reason

    def test_blocks_do_not_change_the_result(self, monkeypatch):
        rng = np.random.default_rng(4)
        a, b = (self.accuracies(rng.random((2, 30)) < 0.7) for _ in range(2))
        whole = significance.paired_bootstrap(a, b, own(30), same_seeds=True)
        monkeypatch.setattr(significance, "BLOCK", 1000)
        assert significance.paired_bootstrap(a, b, own(30), same_seeds=True) == whole


def marks(both, first, second, neither):
    """What two systems classify correctly, given counts."""
    a = np.repeat([1, 1, 0, 0], [both, first, second, neither]).astype(bool)
    b = np.repeat([1, 0, 1, 0], [both, first, second, neither]).astype(bool)
    return a, b


class TestMcNemar:
    def test_exact_by_hand(self):
        # 2 and 8 recordings on which only one is right: 2 * sum_{k<=2} C(10, k) / 2^10
        found = significance.mcnemar(*marks(20, 2, 8, 5), own(35))
        assert found.p == pytest.approx(2 * (1 + 10 + 45) / 1024)
        assert found.difference == pytest.approx(-6 / 35)
        assert found.p == pytest.approx(mcnemar([[20, 2], [8, 5]], exact=True).pvalue)

    def test_chi_squared_by_hand(self):
        # (b - c)^2 / (b + c), one degree of freedom (McNemar, Psychometrika 12, 1947)
        found = significance.mcnemar(*marks(50, 30, 15, 9), own(104))
        assert found.p == pytest.approx(stats.chi2.sf(15**2 / 45, 1))
        expected = mcnemar([[50, 30], [15, 9]], exact=False, correction=False)
        assert found.p == pytest.approx(expected.pvalue)

    @pytest.mark.parametrize(("first", "second", "exact"), [(20, 4, True), (20, 5, False)])
    def test_exact_up_to_24(self, first, second, exact):
        found = significance.mcnemar(*marks(9, first, second, 9), own(18 + first + second))
        expected = mcnemar([[9, first], [second, 9]], exact=exact, correction=False)
        assert found.p == pytest.approx(expected.pvalue)

    def test_agreement_everywhere(self):
        assert significance.mcnemar(*marks(10, 0, 0, 5), own(15)).p == 1

    def test_not_for_subjects_with_several_recordings(self):
        found = significance.mcnemar(*marks(5, 5, 5, 5), np.arange(20) // 2)
        assert found.p is None
        assert "several recordings" in found.reason
        assert found.difference == 0


def delong_by_definition(target, first, second):
    """Difference of two areas and its variance (DeLong et al., 1988), pair by pair.

    With X_i the share of negatives that positive i is scored above and Y_j the share of positives
    that are scored above negative j, ties counted half, the covariance is cov(X) / m + cov(Y) / n.
    """
    components = []
    for score in (first, second):
        x, y = score[target == 1], score[target == 0]
        wins = np.array([[float(i > j) + 0.5 * float(i == j) for j in y] for i in x])
        components.append((wins.mean(1), wins.mean(0)))
    (x1, y1), (x2, y2) = components
    m, n = len(x1), len(y1)
    covariance = np.cov([x1, x2]) / m + np.cov([y1, y2]) / n
    contrast = np.array([1, -1])
    return x1.mean() - x2.mean(), contrast @ covariance @ contrast


def correlated_scores(rng, positives=25, negatives=35, ties=False):
    target = np.repeat([1, 0], [positives, negatives])
    shared = rng.normal(size=len(target))
    first, second = (target * d + shared + rng.normal(size=len(target)) for d in (1.0, 0.6))
    return target, *((np.round(first), np.round(second)) if ties else (first, second))


class TestDeLong:
    @pytest.mark.parametrize("ties", [False, True])
    def test_by_definition(self, ties):
        target, first, second = correlated_scores(np.random.default_rng(0), ties=ties)
        found = significance.delong(target, first, second, own(60))
        difference, variance = delong_by_definition(target, first, second)
        areas = [roc_auc_score(target, score) for score in (first, second)]
        assert found.difference == pytest.approx(difference)
        assert found.difference == pytest.approx(areas[0] - areas[1])
        assert found.p == pytest.approx(2 * stats.norm.sf(abs(difference) / np.sqrt(variance)))
        half = 1.959964 * np.sqrt(variance)
        assert found.interval == pytest.approx((difference - half, difference + half))

    def test_by_hand(self):
        # Positives 3, 1 and negatives 2, 0: the first ranks three of four pairs correctly. Per
        # positive 1, 1/2, per negative 1/2, 1; the second system is right everywhere. Variance
        # of the differences (0, -1/2) is 1/8 each: 1/8 / 2 + 1/8 / 2.
        target = np.array([1, 1, 0, 0])
        first, second = np.array([3.0, 1, 2, 0]), np.array([3.0, 2, 1, 0])
        found = significance.delong(target, first, second, own(4))
        assert found.difference == pytest.approx(-0.25)
        assert found.p == pytest.approx(2 * stats.norm.sf(0.25 / np.sqrt(1 / 8)))

    def test_near_a_permutation_test(self):
        """Systems that do not differ can be exchanged on each recording."""
        rng = np.random.default_rng(5)
        target, first, second = correlated_scores(rng, 60, 80)
        ranked = [stats.rankdata(x) for x in (first, second)]
        area = lambda x: stats.rankdata(x, axis=-1)[..., target == 1].sum(-1) / (60 * 80)
        swapped = rng.random((8_000, 140)) < 0.5
        null = area(np.where(swapped, *ranked)) - area(np.where(swapped, *ranked[::-1]))
        expected = np.mean(np.abs(null) >= abs(area(ranked[0]) - area(ranked[1])))
        found = significance.delong(target, first, second, own(140))
        assert 0.001 < expected < 0.5
        assert found.p == pytest.approx(expected, rel=0.25)

    def test_what_cannot_be_tested(self):
        target, first, second = correlated_scores(np.random.default_rng(6))
        assert significance.delong(target, first, first, own(60)).p == 1
        several = significance.delong(target, first, second, np.arange(60) // 3)
        assert "several recordings" in several.reason
        assert several.difference == significance.delong(target, first, second, own(60)).difference
        one = significance.delong(np.array([1, 0, 0]), *np.ones((2, 3)), own(3))
        assert "two recordings of each class" in one.reason
        assert one.difference is None
        constant = significance.delong(target, target.astype(float), np.zeros(60), own(60))
        assert "vary" in constant.reason


class TestWilcoxon:
    def test_by_enumeration(self):
        """Of all signs of the ranks 1 to 7, as many have a rank sum so extreme."""
        first, second = np.array([8.0, 7, 9, 5, 6, 9, 4]), np.array([7.0, 9, 6, 9, 1, 3, -3])
        delta = first - second
        assert sorted(np.abs(delta)) == [1, 2, 3, 4, 5, 6, 7]
        ranks = np.arange(1, 8)
        sums = [ranks[np.array(signs) == 1].sum() for signs in product((0, 1), repeat=7)]
        observed = np.abs(delta)[delta < 0].sum()
        expected = 2 * np.mean(np.array(sums) <= observed)
        found = significance.wilcoxon(first, second)
        assert found.p == pytest.approx(expected)
        assert found.difference == pytest.approx(delta.mean())
        assert found.units == "7 seeds"

    def test_scipy(self):
        first, second = np.random.default_rng(0).gamma(2.0, size=(2, 80))
        found = significance.wilcoxon(first, second, own(80))
        assert found.p == pytest.approx(stats.wilcoxon(first, second).pvalue)
        assert found.units == "80 subjects"

    def test_subjects_count_once(self):
        first, second = np.random.default_rng(1).gamma(2.0, size=(2, 20))
        alone = significance.wilcoxon(first, second, own(20))
        copied = significance.wilcoxon(*np.repeat([first, second], 4, axis=1), own(20).repeat(4))
        assert copied.p == pytest.approx(alone.p)
        mixed = np.array([0, 0, 1, 2, 3, 4, 5, 5])
        found = significance.wilcoxon(first[:8], second[:8], mixed)
        means = lambda x: [x[mixed == subject].mean() for subject in range(6)]
        expected = stats.wilcoxon(means(first[:8]), means(second[:8]))
        assert found.p == pytest.approx(expected.pvalue)

    def test_differences_equal_but_for_rounding_are_ties(self):
        first = np.array([0.3, 0.4, 0.5, 0.9, 0.8, 0.7, 0.6])
        second = np.array([0.2, 0.3, 0.4, 0.8, 0.7, 0.8, 0.7])
        found = significance.wilcoxon(first, second)
        tied = stats.wilcoxon([1, 1, 1, 1, 1, -1, -1])
        assert found.p == pytest.approx(tied.pvalue)

    def test_what_cannot_be_tested(self):
        assert "fewer than 6" in significance.wilcoxon(np.ones(5), np.zeros(5)).reason
        assert significance.wilcoxon(np.ones(6), np.ones(6)).p == 1
        for x in (np.zeros(0), np.full(7, np.nan)):
            assert "no pairs" in significance.wilcoxon(x, x).reason


class TestCorrection:
    def test_holm_by_hand(self):
        # Sorted p-values times 4, 3, 2, 1, each at least the one before (Holm, Scandinavian
        # Journal of Statistics 6, 1979).
        found = significance.adjust([0.01, None, 0.04, 0.03, 0.005])
        assert found == [
            pytest.approx(0.03),
            None,
            pytest.approx(0.06),
            pytest.approx(0.06),
            pytest.approx(0.02),
        ]

    def test_benjamini_hochberg_by_hand(self):
        # Sorted p-values times m / rank, each at most the one after it (Benjamini and Hochberg,
        # Journal of the Royal Statistical Society B 57, 1995).
        found = significance.adjust([0.01, 0.04, 0.03, 0.005], "fdr_bh")
        assert found == pytest.approx([0.02, 0.04, 0.04, 0.02])

    @pytest.mark.parametrize("method", ["holm", "fdr_bh"])
    def test_statsmodels(self, method):
        p = np.random.default_rng(0).random(20) ** 3
        assert significance.adjust(p.tolist(), method) == pytest.approx(
            multipletests(p, method=method)[1]
        )

    def test_of_tests(self):
        p = (0.04, None, 0.01)
        tests = [significance.PairedTest("t", "", "", 0.0, p=each) for each in p]
        corrected = [test.corrected for test in significance.holm(tests)]
        assert corrected == [pytest.approx(0.04), None, pytest.approx(0.02)]
        assert significance.holm([]) == []
        assert significance.adjust([None]) == [None]


@pytest.mark.slow
class TestTrueHypotheses:
    """How often tests reject at 5% if the systems do not differ."""

    def test_bootstrap_of_a_metric_that_is_no_mean(self):
        """F1 of 5 seeds on 40 subjects with 3 recordings each."""
        rng, rejected = np.random.default_rng(5), []
        subjects = np.repeat(np.arange(40), 3)
        for _ in range(600):
            target = (rng.random(40) < 0.45)[subjects].astype(float)
            easy = target - 0.5 + rng.normal(size=120) * 0.5
            systems = []
            for _ in range(2):
                score = easy + rng.normal(size=40)[subjects] * 0.5
                score = score + rng.normal(size=(5, 1)) * 0.15 + rng.normal(size=(5, 120)) * 0.5
                said = (score > 0).astype(float)
                runs = [
                    Predictions(own(120), target, x[None], x[None], own(1), own(120)) for x in said
                ]
                systems.append([bootstrap_metrics.statistic("f1_positive", x, 2) for x in runs])
            found = significance.paired_bootstrap(*systems, subjects, same_seeds=True)
            rejected.append(found.p is not None and found.p < 0.05)
        assert 0.03 <= np.mean(rejected) <= 0.07

    def test_mcnemar(self):
        rng = np.random.default_rng(0)
        rejected = {True: [], False: []}
        for items in (40, 300):
            for _ in range(2000):
                shared = rng.normal(size=items)
                a, b = (shared + rng.normal(size=items) * 0.8 > -0.8 for _ in range(2))
                found = significance.mcnemar(a, b, own(items))
                rejected[np.sum(a != b) < 25].append(found.p < 0.05)
        assert 0.03 <= np.mean(rejected[False]) <= 0.07
        # The exact test cannot reject exactly 5%, but never rejects more.
        assert 0.005 <= np.mean(rejected[True]) <= 0.05

    def test_delong(self):
        rng = np.random.default_rng(1)
        rejected, covered = [], []
        for _ in range(3000):
            target, *scores = correlated_scores(rng, 40, 60)
            shared = rng.normal(size=100)
            a, b = (target + shared + rng.normal(size=100) for _ in range(2))
            rejected.append(significance.delong(target, a, b, own(100)).p < 0.05)
            # Areas of normal scores with distance d and standard deviation s: Phi(d / (s sqrt 2)).
            truth = stats.norm.cdf(1.0 / 2) - stats.norm.cdf(0.6 / 2)
            low, high = significance.delong(target, *scores, own(100)).interval
            covered.append(low <= truth <= high)
        assert 0.03 <= np.mean(rejected) <= 0.07
        assert 0.93 <= np.mean(covered) <= 0.97

    def test_wilcoxon_over_seeds(self):
        values = np.random.default_rng(2).normal(size=(3000, 2, 10))
        p = np.array([significance.wilcoxon(*pair).p for pair in values])
        assert 0.03 <= (p < 0.05).mean() <= 0.07

    def test_wilcoxon_over_errors_of_subjects(self):
        rng = np.random.default_rng(3)
        subjects = np.repeat(np.arange(30), 5)
        p = []
        for _ in range(2000):
            of_subject = rng.normal(size=(2, 30)) * 5
            error = np.abs(of_subject[:, subjects] + rng.normal(size=(2, 150)) * 2)
            p.append(significance.wilcoxon(*error, subjects).p)
        assert 0.03 <= np.mean(np.array(p) < 0.05) <= 0.07
