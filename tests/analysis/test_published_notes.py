"""What contradicts the papers' figures, recomputed from the figures."""

import itertools
import re
from collections import Counter

import numpy as np
import pytest
from papers import tables

from jaxdep.analysis import published

HALF = {"AMM": 5e-4, "SMFL": 5e-3}
"""Half a unit of the last printed digit, as a fraction."""

FULL_SMFL = "MMFL + Cross-Attention + CMJAT"

SAME = [  # The same model and corpus in two tables: system, corpus, and two rows.
    ("JAMFN", "dvlog", ("Table 1", "JAMFN"), ("Table 2", "with MG")),
    ("JAMFN", "dvlog", ("Table 1", "JAMFN"), ("Table 4", "JAF")),
    *(
        ("MDDR", corpus, ("Table 1", "MDDR"), other)
        for corpus in ("avec2013", "avec2014")
        for other in [("Table 2", "AffectNet"), ("Table 3", "v+a+p"), ("Table 4", "FAN+SAN")]
    ),
    ("AMM", "daicwoz", ("Table III", "AMM"), ("Table V", "AMM")),
    ("AMM", "mgid", ("Table III", "AMM"), ("Table V", "AMM")),
    ("AMM", "mgid", ("Table III", "AMM"), ("Table IV", "MTL T+V")),
    ("AMM", "mgid", ("Table IV", "MTL T+V"), ("Table V", "AMM")),
    ("AMM", "mgid", ("Table III", "Text-AMM"), ("Table IV", "MTL T")),
    ("AMM", "mgid", ("Table III", "Image-AMM"), ("Table IV", "MTL V")),
    # "No I_t Attention only handles depression detection" (section IV.E).
    ("AMM", "mgid", ("Table IV", "STL T+V"), ("Table V", "No It")),
    ("SMFL", "daicwoz", ("Table 3", "TCN (all)"), ("Table 4", "TCN (all)")),
    ("SMFL", "daicwoz", ("Table 3", "TCN (sentence)"), ("Table 4", "TCN (sentence)")),
    # MMFL is "a self-attention mechanism between the TCN and LSTM modules" (section 3.3.2.3).
    ("SMFL", "daicwoz", ("Table 3", "TCN + LSTM + Self-Attention"), ("Table 4", "MMFL")),
    ("SMFL", "daicwoz", ("Table 3", "SMFL"), ("Table 4", FULL_SMFL)),
]

CONFLICTS = {  # Kinds of notes.
    "f1": r"precision and recall give an F1 of (?P<f1>[\d.]+)",
    "f1 outside": r"F1 (?P<side>above|below) both precision and recall",
    "accuracy": r"accuracy (?P<side>above|below) both recall and specificity",
    "mae": r"MAE above RMSE",
    "elsewhere": r"(?P<metric>[\w ]+?) (?P<value>[\d.]+) in (?P<source>Table \w+)"
    r"( \((?P<row>.+)\))?",
    "claim": r"(?P<metric>\w+) improved by (?P<gain>[\d.]+)% according to the (text|table)"
    r" \((?P<row>.+): (?P<value>[\d.]+)\)",
    "two models": r"same figures as (?P<row>.+) in (?P<source>Table \d)",
}


def noted(kind):
    """Notes of a kind: key and metric -> match."""
    return {
        (where, name): match
        for where, row in tables().items()
        for name, entry in row.items()
        for note in entry.note.split("; ")
        if (match := re.fullmatch(CONFLICTS[kind], note))
    }


def side(value, *limits):
    return "above" if value > max(limits) else "below" if value < min(limits) else None


def f1_of(precision, recall):
    return 2 * precision * recall / (precision + recall)


class TestNotes:
    def test_every_note_is_of_a_kind(self):
        kinds = re.compile("|".join(re.sub(r"\?P<\w+>", "", kind) for kind in CONFLICTS.values()))
        for entry in published.entries():
            assert not entry.note or all(map(kinds.fullmatch, entry.note.split("; "))), entry

    def test_f1_of_precision_and_recall(self):
        """Marked exactly where no unrounded figures fit.

        The mean F1 of several runs is at most the F1 of their mean precision and recall (Jensen's
        inequality). Weighted averages, JAMFN's, need not fit: see `test_confusion_matrices`.
        """
        expected = {}
        for where, row in tables().items():
            if "precision" not in row or row["f1"].metric == "f1_weighted":
                continue
            p, r, f1 = (row[name].value for name in ("precision", "recall", "f1"))
            half = HALF[where[0]]
            lowest, highest = f1_of(p - half, r - half), f1_of(p + half, r + half)
            if round(f1 - half, 9) >= round(highest, 9) or round(f1 + half, 9) <= round(lowest, 9):
                expected[where, "f1"] = f1_of(p, r)
        found = {where: float(match["f1"]) for where, match in noted("f1").items()}
        percent = {where: 100 if where[0][0] == "AMM" else 1 for where in expected}
        assert {where: found[where] / percent[where] for where in found} == {
            where: pytest.approx(value, abs=HALF[where[0][0]]) for where, value in expected.items()
        }
        assert Counter(where[:2] for where, _ in found) == {
            ("AMM", "Table III"): 14,
            ("SMFL", "Table 2"): 2,
            ("SMFL", "Table 3"): 3,
            ("SMFL", "Table 4"): 3,
        }

    @pytest.mark.parametrize(
        ("kind", "metric", "limits", "count"),
        [
            ("f1 outside", "f1", ("precision", "recall"), 5),
            # Accuracy is an average of recall and specificity, weighted by the two classes.
            ("accuracy", "accuracy", ("recall", "specificity"), 14),
        ],
    )
    def test_outside_the_range_of_its_parts(self, kind, metric, limits, count):
        expected = {
            (where, metric): side(row[metric].value, *(row[name].value for name in limits))
            for where, row in tables().items()
            if {metric, *limits} <= set(row) and row[metric].metric != "f1_weighted"
        }
        expected = {where: direction for where, direction in expected.items() if direction}
        assert {where: match["side"] for where, match in noted(kind).items()} == expected
        assert len(expected) == count

    def test_mae_above_rmse(self):
        expected = {
            (where, name)
            for where, row in tables().items()
            if "rmse" in row and row["mae"].value > row["rmse"].value
            for name in ("mae", "rmse")
        }
        assert set(noted("mae")) == expected
        two = ("MDDR", "Table 1", "avec2013", "depression", "Two-DCNN")
        assert {where for where, _ in expected} == {two}

    def test_the_same_model_elsewhere(self):
        expected = {}
        for system, corpus, *pair in SAME:
            for (source, row), (other_source, other_row) in itertools.permutations(pair):
                where = (system, source, corpus, "depression", row)
                other = tables()[system, other_source, corpus, "depression", other_row]
                for name, entry in tables()[where].items():
                    if name in other and entry.value != other[name].value:
                        value = other[name].value * (100 if system == "AMM" else 1)
                        expected[where, name] = (
                            name.replace("f1", "F1").replace("_", " "),
                            pytest.approx(value),
                            other_source,
                            None if other_row == row else other_row,
                        )
        found = {
            where: (match["metric"], float(match["value"]), match["source"], match["row"])
            for where, match in noted("elsewhere").items()
        }
        assert found == expected
        assert Counter(where[0] for where, _ in found) == {"AMM": 6, "SMFL": 20}

    def test_claims_of_improvement(self):
        """Neither in points nor relative to either figure, rounded or truncated."""
        found = noted("claim")
        for (where, name), match in found.items():
            ours = tables()[where][name].value
            theirs = tables()[*where[:4], match["row"]][name].value
            scale = 100 if where[0] == "AMM" else 1
            assert float(match["value"]) == pytest.approx(theirs * scale)
            errors = where[0] == "MDDR"  # in points, and less is better
            gain = theirs - ours if errors else ours - theirs
            gains = [100 * gain / theirs, 100 * gain / ours, gain if errors else 100 * gain]
            assert all(abs(each - float(match["gain"])) > 0.1 for each in gains), where
            assert match["metric"].lower() == name
        assert Counter(where[:2] for where, _ in found) == {
            ("MDDR", "Table 1"): 3,
            ("AMM", "Table III"): 3,
            ("SMFL", "Table 2"): 1,
            ("SMFL", "Table 4"): 1,
        }

    def test_the_same_figures_of_two_models(self):
        full = {(each[0], *row) for each in SAME for row in each[2:]}
        expected = {}
        for (one, row), (two, other) in itertools.permutations(tables().items(), 2):
            if one[0] != two[0] or one[2:4] != two[2:4] or set(row) != set(other):
                continue
            if {(each[0], each[1], each[4]) for each in (one, two)} <= full:
                continue
            if all(row[name].value == other[name].value for name in row):
                expected |= {(one, name): (two[4], two[1]) for name in row}
        found = noted("two models")
        assert {where: match.group("row", "source") for where, match in found.items()} == expected
        assert {where[4] for where, _ in found} == {"TAMFN", "w/o k=3"}


def test_confusion_matrices():
    """Every row of JAMFN's tables is one confusion matrix of 123 and 89 recordings.

    No other division of the 212 test recordings (section 4.1) fits all rows. So the weighted
    figures are consistent, also where F1 is below precision and recall. Some are rounded and some
    truncated.
    """
    for where, row in tables().items():
        if where[0] != "JAMFN":
            continue
        correct = round(row["recall"].value * 212)
        assert row["recall"].value == pytest.approx(correct / 212, abs=1e-4)
        hits = np.arange(correct - 89, 124)  # of the 123; the others are of the 89
        hits = hits[hits <= correct]
        parts = []
        for true, total, other_true, other in (
            (hits, 123, correct - hits, 89),
            (correct - hits, 89, hits, 123),
        ):
            predicted = true + other - other_true
            weights = total / 212
            parts.append((weights * true / predicted, weights * 2 * true / (total + predicted)))
        precision, f1 = (sum(part) for part in zip(*parts, strict=True))
        distance = np.maximum(abs(precision - row["precision"].value), abs(f1 - row["f1"].value))
        assert np.sum(distance < 1.05e-4) == 1, where
