"""Power against statsmodels and simulation, and the sentence that warns of small differences."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from jaxdep.analysis import power, significance


@pytest.mark.parametrize(("pairs", "effect"), [(10, 0.5), (40, 0.45), (200, 0.1), (5, 0.0)])
def test_statsmodels(pairs, effect):
    found = power.power(effect, 1 / np.sqrt(pairs), pairs - 1)
    assert found == pytest.approx(TTestPower().power(effect, pairs, 0.05), abs=1e-4)


@pytest.mark.parametrize("pairs", [10, 40, 200])
def test_smallest_difference_of_statsmodels(pairs):
    found = power.smallest_difference(0.3 / np.sqrt(pairs), pairs - 1)
    expected = TTestPower().solve_power(nobs=pairs, alpha=0.05, power=0.8)
    assert found == pytest.approx(0.3 * expected, rel=1e-4)
    more = power.smallest_difference(0.3 / np.sqrt(pairs), pairs - 1, 0.9)
    assert more > found


@pytest.mark.parametrize("freedom", [1, 1.3, 2.5, 9, 100, 1e5])
def test_any_degrees_of_freedom(freedom):
    """By definition: P(|Z + d| > c sqrt(X / f)), Z normal and X chi-squared with f degrees."""
    shares = (np.arange(100_000) + 0.5) / 100_000
    limit = stats.t.ppf(0.975, freedom) * np.sqrt(stats.chi2.ppf(shares, freedom) / freedom)
    for shift in (0.0, 1.0, 4.9, 5.1, 12.33, 20.0):
        expected = np.mean(stats.norm.cdf(shift - limit) + stats.norm.cdf(-shift - limit))
        assert power.power(-shift, 1.0, freedom) == pytest.approx(expected, abs=1e-5)
    smallest = power.smallest_difference(2.0, freedom)
    assert power.power(smallest, 2.0, freedom) == pytest.approx(0.8)


def test_power_at_no_difference_is_the_level():
    assert power.power(0.0, 0.1, 30) == pytest.approx(0.05)


def test_warning():
    assert power.warning(0.05, 0.04, "9 subjects") is None
    assert power.warning(-0.05, None, "9 subjects") is None
    said = power.warning(-0.0123, 0.04, "9 subjects and 3 seeds")
    assert said is not None
    assert "a difference of 0.0123 is smaller than 0.04" in said
    assert "9 subjects and 3 seeds of this variance show with 80% power" in said


def test_warning_of_published_differences():
    assert power.published_warning(-0.05, 0.04, "9 subjects") is None
    assert power.published_warning(None, 0.04, "9 subjects") is None
    assert power.published_warning(0.01, None, "9 subjects") is None
    assert power.published_warning(0.0, 0.04, "9 subjects") is None  # nothing is claimed
    assert power.published_warning(-0.0123, 0.04, "9 subjects") == (
        "the paper's difference of 0.0123 is smaller than 0.04, the smallest that 9 subjects of"
        " this variance show with 80% power"
    )


def test_warning_of_a_test():
    test = significance.PairedTest("t", "", "9 subjects", 0.01, smallest=0.05)
    assert "smaller than 0.05" in (test.warning or "")
    assert significance.PairedTest("t", "", "9 subjects", 0.06, smallest=0.05).warning is None
    assert significance.PairedTest("t", "", "9 subjects", None).warning is None


@pytest.mark.slow
def test_the_smallest_difference_is_found_in_four_of_five_cases():
    """Of systems that differ by it, as many are told apart by the bootstrap."""
    rng, found = np.random.default_rng(0), []
    values = lambda rows: [lambda drawn: drawn @ rows / drawn.sum(1)]
    for _ in range(1000):
        first, second = rng.normal(size=(2, 50))
        smallest = power.smallest_difference(np.sqrt(2 / 50), 49)
        test = significance.paired_bootstrap(
            values(first + smallest), values(second), np.arange(50), same_seeds=True
        )
        found.append(test.p is not None and test.p < 0.05)
    assert np.mean(found) == pytest.approx(0.8, abs=0.04)
