"""Subgroups: gaps and exact p-values by hand, and how often intervals and tests are right."""

from itertools import combinations

import numpy as np
import pytest

from jaxdep.analysis import attribute_groups, intervals, recordings, significance, subgroups
from jaxdep.analysis.predictions import Predictions


def predictions(target, prediction, subjects=None, probability=None):
    """Predictions of R runs [R, N] for N recordings."""
    prediction = np.atleast_2d(np.asarray(prediction, float))
    ids = np.array([f"v{item:03d}" for item in range(prediction.shape[1])])
    return Predictions(
        ids,
        np.asarray(target, float),
        prediction,
        prediction if probability is None else np.atleast_2d(probability),
        np.arange(len(prediction)),
        subjects=ids if subjects is None else np.asarray(subjects),
    )


def compared(data, attribute, classes=2, average="weighted"):
    """The only attribute that is compared."""
    found = subgroups.compare(data, {"group": np.asarray(attribute)}, classes, average)
    assert found is not None
    assert found["notes"] == []
    [only] = found["attributes"]
    return only


class TestByHand:
    # Subjects p to u with one to three recordings; the errors are in one direction for "a".
    SUBJECTS = np.array(list("pppqrrsttu"))
    GROUPS = np.array(list("aaaaaabbbb"))
    ERRORS = np.array([4, 5, 3, 2, 6, 1, 0, -1, 1, 2.0])

    def found(self):
        target = np.arange(10) + 5.0
        return compared(
            predictions(target, target + self.ERRORS, self.SUBJECTS), self.GROUPS, classes=0
        )

    def test_metrics_and_gaps(self):
        found = self.found()
        a, b = found["groups"]
        assert (a["name"], a["items"], a["subjects"]) == ("a", 6, 3)
        assert (b["name"], b["items"], b["subjects"]) == ("b", 4, 3)
        assert a["few"]
        assert b["few"]
        assert a["metrics"]["mae"]["mean"] == pytest.approx(21 / 6)
        assert b["metrics"]["mae"]["mean"] == pytest.approx(4 / 4)
        assert b["metrics"]["mean_error"]["mean"] == pytest.approx(2 / 4)
        assert a["metrics"]["rmse"]["mean"] == pytest.approx(np.sqrt(91 / 6))
        assert found["gaps"]["mae"]["mean"] == pytest.approx(21 / 6 - 1)
        assert found["gaps"]["mean_error"]["mean"] == pytest.approx(21 / 6 - 1 / 2)
        assert found["gaps"]["rmse"]["mean"] == pytest.approx(np.sqrt(91 / 6) - np.sqrt(6 / 4))

    def test_p_is_that_of_all_permutations(self, monkeypatch):
        """Every choice of three of the six subjects, each with all of its recordings."""
        monkeypatch.setattr(subgroups, "PERMUTATIONS", 20_000)
        found = self.found()["gaps"]
        people = sorted(set(self.SUBJECTS))
        for metric, summary in (
            ("mae", lambda e: np.abs(e).mean()),
            ("rmse", lambda e: np.sqrt((e**2).mean())),
            ("mean_error", np.mean),
        ):
            gaps = []
            for chosen in combinations(people, 3):
                first = np.isin(self.SUBJECTS, chosen)
                gaps.append(abs(summary(self.ERRORS[first]) - summary(self.ERRORS[~first])))
            observed = abs(summary(self.ERRORS[:6]) - summary(self.ERRORS[6:]))
            exact = np.mean(np.array(gaps) >= observed - 1e-9)
            assert 0.05 < exact < 0.3
            assert found[metric]["p"] == pytest.approx(exact, abs=0.01), metric

    def test_rates(self):
        """Of "a", 2 of 3 are found, and 1 of 2 is false; of "b", 1 of 3 and 0 of 2."""
        target = [1, 1, 1, 0, 0] * 2
        said = [1, 1, 0, 1, 0, 1, 0, 0, 0, 0]
        gaps = compared(predictions(target, said), list("aaaaabbbbb"))["gaps"]
        assert gaps["true_positive_rate"]["mean"] == pytest.approx(1 / 3)
        assert gaps["false_positive_rate"]["mean"] == pytest.approx(1 / 2)
        assert gaps["positive_rate"]["mean"] == pytest.approx(3 / 5 - 1 / 5)
        assert gaps["accuracy"]["mean"] == pytest.approx(0)
        assert gaps["accuracy"]["p"] == 1
        assert gaps["balanced_accuracy"]["mean"] == pytest.approx(7 / 12 - 2 / 3)

    def test_rates_are_compared_among_recordings_of_a_class(self, monkeypatch):
        """The exact p-value exchanges the three and two positives, and never a negative."""
        monkeypatch.setattr(subgroups, "PERMUTATIONS", 20_000)
        target = np.array([1, 1, 1, 0, 0, 0, 1, 1, 0])
        said = np.array([1, 1, 1, 0, 1, 0, 0, 0, 1])
        found = compared(predictions(target, said), list("aaaabbbbb"))["gaps"]
        # All three of "a" and none of "b": one of the ten choices of three positives out of five.
        assert found["true_positive_rate"]["mean"] == 1
        assert found["true_positive_rate"]["p"] == pytest.approx(1 / 10, abs=0.01)
        # 0 of 1 and 2 of 3: if "a" has one of the two others, the gap is 1 - 1/3, as large.
        assert found["false_positive_rate"]["mean"] == pytest.approx(-2 / 3)
        assert found["false_positive_rate"]["p"] == 1

    def test_of_three_groups_the_largest_minus_the_smallest(self, monkeypatch):
        monkeypatch.setattr(subgroups, "PERMUTATIONS", 20_000)
        errors = np.array([0, 1, 2, 4, 7, 9.0])
        groups = np.array(list("aabbcc"))
        gap = compared(predictions(np.zeros(6), errors), groups, classes=0)["gaps"]["mae"]
        assert gap["mean"] == 8 - 0.5
        assert gap["interval_items"] is None
        # Of the 90 ways to form three pairs with names, only the 6 with these pairs reach 7.5.
        assert gap["p"] == pytest.approx(6 / 90, abs=0.01)

    def test_an_attribute_that_varies_within_subjects(self, monkeypatch):
        """Three subjects of two recordings: each pair may be turned, so 2 of 8 are as extreme."""
        monkeypatch.setattr(subgroups, "PERMUTATIONS", 20_000)
        errors = np.array([1, 2, 11, 13, 20, 24.0])
        data = predictions(np.zeros(6), errors, list("ppqqrr"))
        found = compared(data, ["free", "read"] * 3, classes=0)
        assert found["within"]
        assert found["gaps"]["mae"]["mean"] == pytest.approx((1 + 11 + 20 - 2 - 13 - 24) / 3)
        assert found["gaps"]["mae"]["p"] == pytest.approx(2 / 8, abs=0.01)
        low, high = found["gaps"]["mae"]["interval_items"]
        assert (low, high) == pytest.approx((-4, -1))  # whole subjects are drawn: -1, -2, -4


class TestUndefined:
    def test_a_rate_of_no_recordings(self):
        target = [0] * 6 + [0, 1] * 6
        found = compared(predictions(target, [0, 1] * 9), ["a"] * 6 + ["b"] * 12)
        a, b = (group["metrics"] for group in found["groups"])
        for metric in ("true_positive_rate", "roc_auc", "balanced_accuracy"):
            assert a[metric] == {"mean": None, "interval_items": None}
            assert b[metric]["mean"] is not None
            assert found["gaps"][metric]["mean"] is None
            assert found["gaps"][metric]["p"] is None
            assert found["gaps"][metric]["p_holm"] is None
        assert found["gaps"]["false_positive_rate"]["p"] is not None
        assert [group["counts"] for group in found["groups"]] == [[6, 0], [6, 6]]

    def test_nothing_to_exchange(self):
        """Whoever reads free has one recording of each class: no exchange changes a rate."""
        data = predictions([0, 1] * 8, [0, 1] * 7 + [1, 1], np.repeat(np.arange(8), 2))
        found = compared(data, ["free", "read"] * 8)
        assert found["gaps"]["roc_auc"]["p"] is None
        assert found["gaps"]["accuracy"]["p"] is not None

    def test_without_attributes_or_runs(self):
        data = predictions([0, 1, 1], [0, 1, 1])
        assert subgroups.compare(data, {}, 2, "weighted") is None
        none = data.select_runs([])
        assert subgroups.compare(none, {"g": np.array(list("aab"))}, 2, "weighted") is None


class TestHolm:
    def test_over_all_gaps_of_a_task(self):
        rng = np.random.default_rng(0)
        data = predictions(np.zeros(40), rng.normal(size=(2, 40)))
        attributes = {
            name: np.array([f"{value}" for value in rng.integers(0, 2, 40)]) for name in "gh"
        }
        found = subgroups.compare(data, attributes, 0, "weighted")
        assert found is not None
        gaps = [gap for each in found["attributes"] for gap in each["gaps"].values()]
        assert len(gaps) == 6
        smallest = min(gaps, key=lambda gap: gap["p"])
        assert smallest["p_holm"] == pytest.approx(min(6 * smallest["p"], 1))
        assert all(gap["p_holm"] >= gap["p"] for gap in gaps)

    def test_the_same_every_time(self):
        data = predictions(np.zeros(30), np.random.default_rng(1).normal(size=(2, 30)))
        attribute = ["a", "b", "a"] * 10
        assert compared(data, attribute, 0) == compared(data, attribute, 0)


class TestGroups:
    def divide(self, values, subjects=None):
        who = np.arange(len(values)).astype(str) if subjects is None else np.asarray(subjects)
        kept, notes = attribute_groups.divide({"x": np.asarray(values, str)}, who)
        return (kept[0] if kept else None), notes

    def test_texts(self):
        found, notes = self.divide(["male", "female", "", "male", "female"])
        assert found is not None
        assert found.names == ("female", "male")
        assert found.member.tolist() == [1, 0, -1, 1, 0]
        assert not found.within
        assert notes == []

    def test_numbers_are_cut_at_the_median_of_subjects(self):
        ages = [20, 20, 20, 30, 41, 52, 33, 64, 35, 76, 37, 28]
        subjects = ["p", "p", "p", *map(str, range(9))]
        found, _ = self.divide(ages, subjects)
        assert found is not None
        # Of the ten subjects' ages 20 28 30 33 35 37 41 52 64 76, the lower middle one.
        assert found.names == ("up to 35", "above 35")
        assert found.member.tolist() == [int(age > 35) for age in ages]
        assert found.note == "x: 10 different numbers, cut at the median, 35"
        assert np.bincount(found.member[2:]).tolist() == [5, 5]

    def test_most_have_the_largest_number(self):
        found, _ = self.divide([1, 2, 3, 4, 5, 6, 7, 8, *[9] * 20])
        assert found is not None
        assert found.names == ("below 9", "9 and above")
        assert np.bincount(found.member).tolist() == [8, 20]

    def test_few_numbers_are_values(self):
        found, _ = self.divide([10, 9, 10, 9, 2, 2])
        assert found is not None
        assert found.names == ("2", "9", "10")

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            (["a"] * 5, "x: not compared, fewer than two known values"),
            (["", "", "a"], "x: not compared, fewer than two known values"),
            (list("abcde"), "x: not compared, each value is that of one subject"),
            (list("abcdefghi") * 2, "x: not compared, it has 9 values, more than 8"),
            (["inf", *map(str, range(8))] * 2, "x: not compared, it has 9 values, more than 8"),
        ],
    )
    def test_not_compared(self, values, reason):
        assert self.divide(values) == (None, [reason])

    def test_values_within_a_subject(self):
        found, _ = self.divide(["read", "free", "read", "free"], list("ppqq"))
        assert found is not None
        assert found.within

    def test_unknown_is_counted_and_left_out(self):
        rng = np.random.default_rng(2)
        values = rng.normal(size=(2, 20))
        data = predictions(np.zeros(20), values)
        found = compared(data, ["a", "b", "a", "b", ""] * 4, 0)
        assert found["unknown"] == 4
        assert [group["items"] for group in found["groups"]] == [8, 8]
        rest = data.select_items(np.arange(20) % 5 < 4)
        assert compared(rest, ["a", "b"] * 8, 0)["gaps"] == found["gaps"]


class TestAttributes:
    IDS = np.array(["s1a", "s1b", "s2a", "s2b", "s3a"])
    SUBJECTS = np.array(["p", "p", "p", "p", "q"])

    def of(self, merge, values, ids):
        recorded = recordings.Recordings(self.IDS, self.SUBJECTS, {"x": np.array(values)})
        sessions = {name: name[:2] for name in self.IDS.tolist()}
        found = recordings.attributes(recorded, merge, sessions, np.array(ids))
        return found["x"].tolist()

    def test_of_recordings(self):
        values = ["a", " b ", "NA", "", "unknown"]
        assert self.of("none", values, self.IDS[::-1]) == ["", "", "", "b", "a"]

    def test_of_what_is_merged(self):
        values = ["a", "a", "b", "", "c"]
        assert self.of("session", values, ["s1", "s2", "s3"]) == ["a", "b", "c"]
        assert self.of("subject", values, ["q", "p"]) == ["c", ""]

    def test_of_an_earlier_version(self):
        assert recordings.attributes(None, "none", {}, self.IDS) == {}


def simulated(rng, subjects, prevalence=(0.5, 0.5), shift=0.0):
    """Recordings of subjects in two groups: target, answers of two runs, subject, and group.

    Subjects have one to four recordings and a class. An answer is the class at a rate of the
    subject's own, which has the same distribution in both groups.
    """
    group = np.repeat([0, 1], subjects)
    each = rng.integers(1, 5, len(group))
    label = (rng.random(len(group)) < np.asarray(prevalence)[group]).astype(int)
    rate = rng.beta(4, 2, len(group)) + shift * group
    subject = np.repeat(np.arange(len(group)), each)
    correct = rng.random((2, len(subject))) < rate[subject]
    target = label[subject]
    return target, np.where(correct, target, 1 - target), subject, group[subject]


@pytest.mark.slow
@pytest.mark.parametrize("prevalence", [(0.5, 0.5), (0.25, 0.7)])
def test_tests_reject_as_often_as_they_should(monkeypatch, prevalence):
    """5% without a difference; of rates given the class, also if one class is more frequent."""
    monkeypatch.setattr(subgroups, "PERMUTATIONS", 199)
    monkeypatch.setattr(intervals, "RESAMPLES", 8)
    monkeypatch.setattr(significance, "adjust", list)  # slow, and not what is simulated
    rng = np.random.default_rng(0)
    of_class = ("true_positive_rate", "false_positive_rate", "balanced_accuracy")
    metrics = of_class if prevalence[0] != prevalence[1] else (*of_class, "accuracy", "f1_weighted")
    p = []
    for _ in range(1200):
        target, said, subject, group = simulated(rng, (18, 30), prevalence)
        gaps = compared(predictions(target, said, subject), group.astype(str))["gaps"]
        p.append([gaps[metric]["p"] for metric in metrics])
    rejected = (np.array(p, float) <= 0.05).mean(0)
    assert (rejected > 0.03).all(), rejected
    assert (rejected < 0.07).all(), rejected


@pytest.mark.slow
def test_intervals_cover_the_truth(monkeypatch):
    """A rate has the mean 2/3 in one group, and 0.2 less in the other: 95% of the time."""
    monkeypatch.setattr(subgroups, "PERMUTATIONS", 1)
    monkeypatch.setattr(intervals, "RESAMPLES", 800)
    monkeypatch.setattr(subgroups, "metrics_of", lambda *of: ["accuracy", "true_positive_rate"])
    monkeypatch.setattr(significance, "adjust", list)
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(1000):
        target, said, subject, group = simulated(rng, (30, 45), shift=-0.2)
        found = compared(predictions(target, said, subject), group.astype(str))
        mean = 4 / 6 - 0.2
        # Negative rates count as zero, which raises the mean of Beta(4, 2) - 0.2 by 0.0003.
        truth = [(found["groups"][0]["metrics"]["accuracy"], 4 / 6)]
        truth += [(found["groups"][1]["metrics"]["accuracy"], mean)]
        truth += [(found["gaps"]["accuracy"], 0.2)]
        truth += [(found["gaps"]["true_positive_rate"], 0.2)]
        spans = [(each["interval_items"], value) for each, value in truth]
        covered.append([low <= value <= high for (low, high), value in spans])
    share = np.mean(covered, axis=0)
    assert (share > 0.93).all(), share
    assert (share < 0.97).all(), share
