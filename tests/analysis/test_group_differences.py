"""Words that groups attend to: true differences are found, and chance is not."""

import csv

import numpy as np
import pytest

from jaxdep.analysis import group_differences

NAMES = [f"w{n}" for n in range(8)]


def stored(effect=0.0, at=(2,), patients=60, seed=0, runs=2):
    rng = np.random.default_rng(seed)
    targets = np.arange(patients) % 2
    maps = {}
    for name in ("words/visual", "alone/visual", "alone/acoustic"):
        x = rng.normal(1 / 8, 0.01, (patients, 8))
        x[:, list(at)] += effect * 0.01 * targets[:, None]
        maps[name] = np.stack([x + rng.normal(0, 0.001, x.shape) for _ in range(runs)])
    return {"ids": targets.astype(str), "targets": targets, **maps}


def test_planted_words_are_found_and_no_other():
    found = group_differences.compare(stored(effect=2.0, at=(2, 5)), NAMES)
    assert len(found) == 3 * 8
    assert {d.word for d in found if d.significant} == {"w2", "w5"}
    difference = next(d for d in found if d.word == "w2")
    assert difference.interval[0] < difference.size < difference.interval[1]
    assert difference.size == pytest.approx(0.02, abs=0.008)
    assert difference.p <= difference.corrected


def test_chance_is_seen_in_few_tables(monkeypatch):
    """At 5%, of 40 tables of pure noise 2 have a word on average; 7 or more in one of 300."""
    monkeypatch.setattr(group_differences, "PERMUTATIONS", 199)
    tables = [
        group_differences.compare(stored(seed=seed, patients=30), NAMES) for seed in range(40)
    ]
    of = lambda measure: sum(
        any(d.significant for d in table if d.measure == measure) for table in tables
    )
    assert of("alone") <= 6
    assert of("words") <= 6
    single = np.mean([d.p < group_differences.ALPHA for table in tables for d in table])
    assert 0.02 < single < 0.08


def test_people_are_permuted_and_not_their_recordings():
    """Each recorded once or ten times, the same people differ as much."""
    once = stored(effect=1.0, patients=20)
    tenfold = {name: np.repeat(x, 10, axis=int(x.ndim > 1)) for name, x in once.items()}
    people = np.repeat(np.arange(20).astype(str), 10)
    found = group_differences.compare({**tenfold, "subjects": people}, NAMES)
    for of_one, of_ten in zip(group_differences.compare(once, NAMES), found, strict=True):
        assert of_ten.p == pytest.approx(of_one.p, abs=1e-3)
        assert of_ten.corrected == pytest.approx(of_one.corrected, abs=1e-3)
        np.testing.assert_allclose(of_ten.interval, of_one.interval, rtol=1e-9)
        np.testing.assert_allclose(of_ten.means, of_one.means, rtol=1e-12)
    mistaken = group_differences.compare(tenfold, NAMES)
    assert sum(d.significant for d in mistaken) > sum(d.significant for d in found)


def test_names_of_people_with_one_recording_do_not_matter():
    data = stored(effect=1.0, patients=20)
    names = np.random.default_rng(1).permutation(20).astype(str)
    named = group_differences.compare({**data, "subjects": names}, NAMES)
    assert named == group_differences.compare(data, NAMES)


def test_a_person_with_both_labels_is_in_both_groups():
    data = stored(patients=8)
    people = np.array(["a", "a", "b", "b", "a", "c", "d", "d"])  # labels alternate
    found = group_differences.compare({**data, "subjects": people}, NAMES)[0]
    visual = data[f"{found.measure}/{found.branch}"].mean(0)[:, 0]
    assert found.means[1] == pytest.approx(np.mean([visual[[0, 4]].mean(), visual[2], visual[6]]))
    assert found.means[0] == pytest.approx(visual[[1, 3, 5, 7]].mean())


def test_one_group_is_no_comparison():
    same = stored()
    assert group_differences.compare({**same, "targets": np.zeros(60, int)}, NAMES) == []
    assert group_differences.compare({**same, "targets": np.arange(60) % 3}, NAMES) == []


def test_without_names_words_are_numbered():
    found = group_differences.compare(stored(), [])
    assert [d.word for d in found[:8]] == [str(n) for n in range(1, 9)]


def test_table_and_figures(tmp_path):
    found = group_differences.compare(stored(effect=2.0), NAMES)
    group_differences.write(tmp_path / "words.csv", found, ["healthy", "depressed"])
    with (tmp_path / "words.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found)
    first = rows[2]
    assert first["word"] == "w2"
    assert float(first["attention_depressed"]) > float(first["attention_healthy"])
    assert float(first["p_corrected"]) < 0.05
    for measure, columns in (("alone", 2), ("words", 1)):
        drawn = group_differences.figure(found, measure, ["healthy", "depressed"])
        assert drawn is not None
        figure, caption = drawn
        assert len(figure.axes) == columns
        assert "w2" in caption
    assert group_differences.figure([], "words", ["a", "b"]) is None
