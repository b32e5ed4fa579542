"""The synthetic MGID: what it plants can be found, by order only, as well as it says."""

import csv
import json
from itertools import permutations

import numpy as np
import pytest

from jaxdep.data import text
from jaxdep.datasets.mgid import raw, synthetic
from jaxdep.errors import Faults, UserError


def rows(folder):
    faults = Faults()
    found = raw.read(folder, faults)
    assert not faults
    return found


def posterior(row, truth):
    """P(d, e | text) by reading the events out of the text, with the rates that were written."""
    words = row.text.lower().replace(".", "").split()
    parameters = truth["parameters"]
    joint = 0.5 * np.array(parameters["emotion_given_depression"])
    for index, (a, b) in enumerate(synthetic.PAIRS):
        if a in words:
            speaks_for = index % 2 if words.index(a) < words.index(b) else 1 - index % 2
            rate = parameters["pair_rate"]
            joint = joint * np.where(np.arange(2) == speaks_for, rate, 1 - rate)[:, None]
    for triple in synthetic.TRIPLES:
        if triple[0] in words:
            order = tuple(sorted(triple, key=words.index))
            shown = list(permutations(triple)).index(order)
            rate = parameters["triple_rate"]
            joint = joint * np.where(np.arange(6) == shown, rate, (1 - rate) / 5)[None, :]
    return joint


def test_sizes_balance_and_files(tmp_path):
    synthetic.write(tmp_path, items=200, seed=3)
    found = rows(tmp_path)
    sizes = {s: [r.depression for r in found if r.split == s] for s in raw.SPLITS}
    assert {split: len(labels) for split, labels in sizes.items()} == {
        "train": 140,
        "dev": 20,
        "test": 40,
    }
    assert all(labels.count("depressed") * 2 == len(labels) for labels in sizes.values())
    content = (tmp_path / "dev/dev.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfDepression Label,")
    assert content.count(b"\r\n") == 21
    cells = list(csv.reader(content.decode("utf-8-sig").splitlines()))[1:]
    assert {c[1] for c in cells} <= {"depressed", *(e.capitalize() for e in raw.EMOTIONS)}
    assert any(c[3] == "" for c in cells)
    assert any(c[2].endswith(raw.SUFFIX) for c in cells)
    assert len({r.text for r in found}) == 200


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        synthetic.write(tmp_path / name, items=50, seed=seed)
    files = [
        {f.relative_to(d): f.read_bytes() for f in d.rglob("*") if f.is_file()}
        for d in (tmp_path / "a", tmp_path / "b", tmp_path / "c")
    ]
    assert files[0] == files[1]
    assert files[0] != files[2]


@pytest.mark.parametrize(
    ("signal", "pairs", "triples"), [(1.0, 3, 2), (0.6, 2, 2), (1.0, 4, 0), (1.0, 0, 1)]
)
def test_the_best_guess_is_right_as_often_as_written(tmp_path, signal, pairs, triples):
    truth = synthetic.write(
        tmp_path, items=4000, seed=1, signal=signal, pairs=pairs, triples=triples
    )
    assert json.loads((tmp_path / "synthetic.json").read_text()) == truth
    found = rows(tmp_path)
    guesses = [posterior(row, truth) for row in found]
    right = {
        "depression": [
            raw.DEPRESSION[g.sum(axis=1).argmax()] == r.depression
            for g, r in zip(guesses, found, strict=True)
        ],
        "emotion": [
            raw.EMOTIONS[g.sum(axis=0).argmax()] == r.emotion
            for g, r in zip(guesses, found, strict=True)
        ],
    }
    for task, hits in right.items():
        bayes = truth["tasks"][task]["bayes_accuracy"]
        error = np.sqrt(bayes * (1 - bayes) / 4000)
        assert abs(np.mean(hits) - bayes) < 3 * error + 1e-3, task  # three standard errors


def test_bayes_of_one_pair_and_of_one_triple_by_hand():
    one = synthetic.bayes(pairs=1, triples=0)
    assert one["depression"]["bayes_accuracy"] == pytest.approx(0.85)
    assert one["emotion"]["chance"] == pytest.approx(0.35)  # "depressed": 0.5 x 0.7
    # P(e): neutral .25, four of .1, depressed .35; P(shown | e): .75 if right, .05 if not.
    # A triple that shows class o is best answered by the e that has the most of P(e) P(o | e):
    # neutral .1875, each of the four .075, depressed .2625.
    triple = synthetic.bayes(pairs=0, triples=1)
    assert triple["emotion"]["bayes_accuracy"] == pytest.approx(0.1875 + 4 * 0.075 + 0.2625)


def test_a_mean_over_word_vectors_is_at_chance(tmp_path):
    from sklearn.linear_model import LogisticRegression

    synthetic.write(tmp_path, items=3000, seed=2)
    found = rows(tmp_path)
    means = np.stack(
        [s.mean(axis=0) for s in text.encoder("hashing").encode([r.text for r in found])]
    )
    train = np.array([r.split == "train" for r in found])
    for task, chance in (("depression", 0.5), ("emotion", 0.35)):
        labels = np.array([getattr(r, task) for r in found])
        model = LogisticRegression(C=1.0, max_iter=1000).fit(means[train], labels[train])
        assert model.score(means[~train], labels[~train]) < chance + 0.06


def test_no_signal_is_chance():
    tasks = synthetic.bayes(signal=0.0)
    assert tasks["depression"]["bayes_accuracy"] == tasks["depression"]["chance"] == 0.5
    assert tasks["emotion"]["bayes_accuracy"] == tasks["emotion"]["chance"] == 0.35


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"items": 9}, "9 items are too few"),
        ({"signal": 1.5}, "signal is 1.5"),
        ({"pairs": 7}, "cannot contain 7 pairs"),
        ({"pairs": 0, "triples": 0}, "at least one of either"),
        ({"fillers": (5, 2)}, "a minimum and a maximum"),
    ],
)
def test_impossible_requests_write_nothing(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        synthetic.write(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
