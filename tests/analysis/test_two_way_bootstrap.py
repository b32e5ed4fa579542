"""The bootstrap over seeds and subjects: its variance by hand, and how often its tests reject."""

from typing import Any

import numpy as np
import pytest
from scipy import stats as _stats

from jaxdep.analysis import two_way_bootstrap as bootstrap

stats: Any = _stats  # the stubs lack attributes of results


def mean_table(values, draws):
    """Mean of values [R, N] over drawn recordings, [R, B]."""
    return values @ draws.T / draws.sum(1)


def test_draws_are_of_whole_subjects():
    subjects = np.array(["b", "a", "b", "c", "b", "a"])
    drawn, count = bootstrap.draws(subjects)
    assert count == 3
    assert (drawn[0] == 1).all()
    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert (drawn[:, 0] == drawn[:, 4]).all()
    assert (drawn[:, 1] == drawn[:, 5]).all()
    assert (drawn[1:, [0, 1, 3]].sum(1) == 3).all()
    assert len({tuple(row) for row in drawn.tolist()}) > 5


def test_variance_is_that_of_crossed_random_effects():
    """For a mean of x[r, s] = m + a[r] + b[s] + e[r, s] over R seeds and S subjects,

    Var = (MS_a + MS_b - MS_e) / (R S), with the mean squares of a two-way analysis of variance
    (Searle, Casella and McCulloch, Variance Components, 1992, Section 4.3), and the degrees of
    freedom of a sum of mean squares are those of Satterthwaite, Biometrics Bulletin 2, 1946.
    """
    rng = np.random.default_rng(0)
    seeds, subjects = 4, 50
    x = rng.normal(size=(seeds, 1)) + rng.normal(size=(1, subjects)) * 3
    x = x + rng.normal(size=(seeds, subjects)) * 2
    a, b = x.mean(1, keepdims=True) - x.mean(), x.mean(0, keepdims=True) - x.mean()
    e = x - x.mean() - a - b
    of_seeds = subjects * (a**2).sum() / (seeds - 1)
    of_subjects = seeds * (b**2).sum() / (subjects - 1)
    rest = (e**2).sum() / ((seeds - 1) * (subjects - 1))
    variance = (of_seeds + of_subjects - rest) / (seeds * subjects)
    parts = of_seeds**2 / (seeds - 1) + of_subjects**2 / (subjects - 1)
    parts += rest**2 / ((seeds - 1) * (subjects - 1))
    freedom = (of_seeds + of_subjects - rest) ** 2 / parts

    draws, count = bootstrap.draws(np.arange(subjects))
    error, found = bootstrap.standard_error([mean_table(x, draws)], count)
    # 2000 draws know a variance to 3%.
    assert error**2 == pytest.approx(variance, rel=0.08)
    assert found == pytest.approx(freedom, rel=0.15)


def test_one_seed_is_that_of_a_mean():
    values = np.random.default_rng(1).normal(size=(1, 80))
    draws, count = bootstrap.draws(np.arange(80))
    error, freedom = bootstrap.standard_error([mean_table(values, draws)], count)
    assert error == pytest.approx(stats.sem(values[0]), rel=0.05)
    assert freedom == pytest.approx(79)


def test_several_recordings_are_no_more_subjects():
    """Recordings copied five times say nothing new."""
    values = np.random.default_rng(2).normal(size=(3, 20))
    once, count = bootstrap.draws(np.arange(20))
    copied, same = bootstrap.draws(np.repeat(np.arange(20), 5))
    assert count == same == 20
    error, freedom = bootstrap.standard_error([mean_table(values, once)], 20)
    assert bootstrap.standard_error([mean_table(np.repeat(values, 5, axis=1), copied)], 20) == (
        pytest.approx(error),
        pytest.approx(freedom),
    )


def test_seeds_that_differ_in_opposite_subjects_leave_one_degree_of_freedom():
    """Almost all variance belongs to a seed on a subject, and is subtracted."""
    values = np.array([[1, 0, 1, 0, 1, 0, 1, 1], [0, 1, 0, 1, 0, 1, 0, 0]], float)
    draws, count = bootstrap.draws(np.arange(8))
    error, freedom = bootstrap.standard_error([mean_table(values, draws)], count)
    assert error == pytest.approx(abs(5 / 8 - 3 / 8) / 2)  # of two means: half of their difference
    assert freedom == 1


def test_independent_seeds_add_their_variances():
    """Without variance over subjects, the t-test of Welch (Biometrika 34, 1947)."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(6, 1)), rng.normal(size=(4, 1)) * 3
    tables = [np.repeat(a, 2001, axis=1), -np.repeat(b, 2001, axis=1)]
    error, freedom = bootstrap.standard_error(tables, 30)
    welch = stats.ttest_ind(a[:, 0], b[:, 0], equal_var=False)
    assert (a.mean() - b.mean()) / error == pytest.approx(welch.statistic)
    assert freedom == pytest.approx(welch.df)


# Standard deviations of a system's score: of a seed, of a subject, of one of its recordings, and of
# a seed on a recording. A recording is classified correctly if the score is positive. All systems
# share a difficulty of each recording.
MIXED = (0.2, 0.6, 0.4, 0.5)
OF_SUBJECTS = (0.0, 1.0, 0.3, 0.6)
OF_SEEDS = (0.6, 0.2, 0.2, 0.3)


def simulated(rng, times, seeds, subjects, each, deviations, shift):
    """Whether two systems classify recordings correctly, [times, R, N] for each.

    Args:
      rng: random generator.
      times: number of simulated comparisons.
      seeds: number of seeds of each system.
      subjects: number of subjects.
      each: number of recordings of a subject.
      deviations: standard deviations, as `MIXED`.
      shift: mean score of each system.
    """
    of_seed, of_subject, of_recording, of_both = deviations
    recordings = subjects * each
    shared = rng.normal(size=(times, 1, recordings))
    for count, mean in zip(seeds, shift, strict=True):
        score = rng.normal(size=(times, count, recordings)) * of_both + mean + shared
        score += rng.normal(size=(times, count, 1)) * of_seed
        score += np.repeat(rng.normal(size=(times, 1, subjects)) * of_subject, each, axis=2)
        score += rng.normal(size=(times, 1, recordings)) * of_recording
        yield (score > 0).astype(float)


def statistics(times, seeds, subjects, each, deviations, paired=True, shift=(0.8, 0.8)):
    """Errors of the estimated difference in simulated comparisons, and their p-values, [times]."""
    rng, parts = np.random.default_rng(0), 8
    draws, count = bootstrap.draws(np.repeat(np.arange(subjects), each))
    scale = np.sqrt(1 + np.square(deviations).sum())
    truth = stats.norm.cdf(shift[0] / scale) - stats.norm.cdf(shift[1] / scale)
    found = []
    for _ in range(parts):
        both = simulated(rng, times // parts, seeds, subjects, each, deviations, shift)
        for first, second in zip(*both, strict=True):
            a, b = mean_table(first, draws), mean_table(second, draws)
            tables = [a - b] if paired else [a, -b]
            error, freedom = bootstrap.standard_error(tables, count)
            t = (first.mean() - second.mean() - truth) / error
            found.append(2 * stats.t.sf(abs(t), freedom))
    return np.array(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "subjects", "each", "deviations", "paired"),
    [
        ((5, 5), 40, 1, MIXED, True),
        ((5, 5), 40, 4, MIXED, True),
        ((10, 10), 60, 1, MIXED, True),
        ((3, 3), 100, 1, OF_SUBJECTS, True),
        ((5, 5), 50, 1, OF_SEEDS, True),
        ((5, 5), 30, 6, OF_SUBJECTS, True),
        ((1, 1), 60, 3, OF_SUBJECTS, True),
        ((8, 4), 60, 1, MIXED, False),
        ((6, 6), 40, 3, OF_SEEDS, False),
    ],
)
def test_true_hypotheses_are_rejected_in_one_case_of_twenty(
    seeds, subjects, each, deviations, paired
):
    if seeds == (1, 1):  # the variance of a single seed is not known: it is to be the same
        deviations = (0.0, *deviations[1:])
    p = statistics(4000, seeds, subjects, each, deviations, paired)
    assert 0.03 <= (p < 0.05).mean() <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "each"), [(40, 1), (40, 4)])
def test_intervals_cover_the_true_difference(subjects, each):
    p = statistics(4000, (5, 5), subjects, each, MIXED, shift=(1.1, 0.5))
    assert 0.93 <= (p >= 0.05).mean() <= 0.97


@pytest.mark.slow
def test_cautious_where_neither_seeds_nor_subjects_matter():
    p = statistics(4000, (5, 5), 40, 1, (0.0, 0.0, 0.0, 1.0))
    assert 0.005 <= (p < 0.05).mean() <= 0.05


@pytest.mark.slow
def test_recordings_taken_for_subjects_reject_too_often():
    """What the subjects are for: without them, a third of these true hypotheses are rejected."""
    rng = np.random.default_rng(0)
    draws, count = bootstrap.draws(np.arange(180))
    rejected = []
    for first, second in zip(
        *simulated(rng, 500, (1, 1), 30, 6, (0.0, 1.5, 0.0, 0.1), (0.8, 0.8)), strict=True
    ):
        table = mean_table(first - second, draws)
        error, freedom = bootstrap.standard_error([table], count)
        rejected.append(2 * stats.t.sf(abs(table[0, 0]) / error, freedom) < 0.05)
    assert np.mean(rejected) > 0.15
