"""Folds of a corpus: every recording is tested once, and nobody is in two roles."""

from dataclasses import replace

import numpy as np
import pytest

from jaxdep.data import arrays, folds, preparation, stand_ins, stream
from jaxdep.data.opening import open_corpus
from jaxdep.data.settings import Corpus
from jaxdep.errors import UserError

CLASSES = {"depression": ("no", "yes")}
LABELS = {"main": "depression"}
CORPUS = Corpus("dvlog", lengths={"acoustic": 30}, validation="valid", carve=0.2)


def pool(subjects, depressed, scores=None):
    """Recordings a, b, c, ... of these subjects, all with different contents."""
    count = len(subjects)
    inputs = {"acoustic": np.arange(count, dtype=np.float32)[:, None, None]}
    targets: dict[str, np.ndarray] = {"depression": np.array(depressed, np.int32)}
    if scores is not None:
        targets["score"] = np.array(scores, np.float32)
    ids = np.array([f"r{row:03d}" for row in range(count)])
    return arrays.Split("all", ids, inputs, targets, CLASSES, np.array(subjects), {})


def ids_by_fold(split, count, seed=0, task="depression"):
    """Ids of each fold, after checking that the others are the rest."""
    found = []
    for fold in range(count):
        rest, part = folds.cut(split, count, fold, seed, task)
        assert sorted([*rest.ids, *part.ids]) == split.ids.tolist()
        assert not set(rest.subjects) & set(part.subjects)
        assert (part.name, part.carved_from) == (f"fold-{fold}", "all")
        found.append(part.ids.tolist())
    return found


def test_four_subjects_in_two_folds():
    """Two subjects of each class, with two recordings each: a fold has one of either."""
    split = pool(["p", "p", "q", "q", "r", "r", "s", "s"], [0, 0, 0, 0, 1, 1, 1, 1])
    first, second = ids_by_fold(split, 2)
    assert sorted(first + second) == split.ids.tolist()
    p_or_q, r_or_s = {"r000", "r002"} & set(first), {"r004", "r006"} & set(first)
    assert len(p_or_q) == len(r_or_s) == 1
    assert len(first) == len(second) == 4


def test_each_recording_is_tested_once_in_equal_proportions():
    rng = np.random.default_rng(0)
    depressed = rng.random(100) < 0.3
    person = np.repeat(np.arange(100), rng.integers(1, 5, 100))
    split = pool([f"p{each}" for each in person], depressed[person])
    parts = ids_by_fold(split, 5)
    assert sorted(name for part in parts for name in part) == split.ids.tolist()
    overall = split.targets["depression"].mean()
    for part in parts:
        assert len(part) == pytest.approx(len(split) / 5, abs=5)
        share = split.targets["depression"][np.isin(split.ids, part)].mean()
        assert share == pytest.approx(overall, abs=0.03)


def test_a_seed_is_a_cut():
    split = pool([f"p{row}" for row in range(40)], np.arange(40) % 2)
    assert ids_by_fold(split, 4, seed=1) == ids_by_fold(split, 4, seed=1)
    assert ids_by_fold(split, 4, seed=1) != ids_by_fold(split, 4, seed=2)


def test_recordings_with_the_same_content_stay_together():
    split = pool([f"p{row}" for row in range(40)], np.repeat([0, 1], 20))
    split.inputs["acoustic"][1::2] = split.inputs["acoustic"][::2]
    for fold in range(4):
        rest, part = folds.cut(split, 4, fold, 0, "depression")
        assert not set(rest.contents) & set(part.contents)


def test_scores_are_stratified_by_quantiles():
    scores = np.random.default_rng(0).permutation(100)
    split = pool([f"p{row}" for row in range(100)], [0, 1] * 50, scores)
    for part in ids_by_fold(split, 5, task="score"):
        found = split.targets["score"][np.isin(split.ids, part)]
        # Ten quantiles of ten scores each, of which every fold has two.
        np.testing.assert_array_equal(np.bincount((found // 10).astype(int)), [2] * 10)


@pytest.mark.parametrize(
    ("subjects", "depressed", "count", "message"),
    [
        ("ppqq", [0, 0, 1, 1], 3, "folds=3: all has 4 recordings in 2 groups that share a subject"),
        ("pqrstu", [0, 0, 0, 0, 0, 1], 2, "depression=yes occurs in 1 groups"),
        # The recordings of a class are enough, but not its subjects.
        ("pqrsttt", [0, 0, 0, 0, 1, 1, 1], 3, "depression=yes occurs in 1 groups"),
    ],
)
def test_too_few_subjects(subjects, depressed, count, message):
    with pytest.raises(UserError, match=message):
        folds.cut(pool(list(subjects), depressed), count, 0, 0, "depression")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    raw = stand_ins.synthetic_corpus("dvlog", data_dir=data, items=80, seed=1, mean_length=40)
    return preparation.prepare("dvlog", raw, data_dir=data, log=lambda line: None)


def opened(prepared, stream=False, **settings):
    return open_corpus(prepared, replace(CORPUS, **settings), LABELS, stream=stream)


class TestOpening:
    def test_all_splits_are_pooled(self, prepared):
        of = {name: arrays.load_split(prepared, name, {}) for name in arrays.splits_of(prepared)}
        ids = sorted(name for split in of.values() for name in split.ids.tolist())
        target = {
            name: value
            for split in of.values()
            for name, value in zip(split.ids.tolist(), split.targets["depression"], strict=True)
        }
        found = []
        for fold in range(4):
            data = opened(prepared, folds=4, fold=fold)
            roles = [split.ids.tolist() for split in data.splits.values()]
            assert sorted(sum(roles, [])) == ids  # noqa: RUF017
            for split in data.splits.values():
                expected = [target[name] for name in split.ids.tolist()]
                assert split.targets["main"].tolist() == expected
            assert data.splits["test"].carved_from == "train+valid+test"
            assert data.splits["validation"].carved_from == "other-folds"
            assert len(data.splits["validation"]) == pytest.approx(0.2 * 60, abs=2)
            found += roles[2]
        assert sorted(found) == ids

    def test_inputs_are_those_of_the_recordings(self, prepared):
        """Padded to the longest recording of the other folds, or as the settings say."""
        own = arrays.load_split(prepared, "train", {"acoustic": 30, "visual": 200})
        splits = opened(prepared, folds=3, fold=2).splits
        assert splits["test"].lengths == splits["train"].lengths
        assert splits["train"].lengths["acoustic"] == 30
        length = splits["train"].lengths["visual"]
        others = [splits[role].inputs["visual_mask"].sum(1).max() for role in splits]
        assert max(others[:2]) == length
        for split in splits.values():
            shared = [name for name in split.ids.tolist() if name in own.ids]
            assert shared
            for name in shared:
                row, other = (list(each.ids).index(name) for each in (split, own))
                np.testing.assert_array_equal(
                    split.inputs["visual"][row], own.inputs["visual"][other, :length]
                )
                assert split.attributes["gender"][row] == own.attributes["gender"][other]

    def test_streamed_is_in_memory(self, prepared):
        memory, disk = (opened(prepared, stream, folds=3, fold=1) for stream in (False, True))
        assert memory.identity == disk.identity
        for role, split in disk.splits.items():
            assert isinstance(split, stream.Stored)
            loaded = split.load()
            assert split.lengths == memory.splits[role].lengths
            assert loaded.inputs.keys() == memory.splits[role].inputs.keys()
            for name, x in memory.splits[role].inputs.items():
                np.testing.assert_array_equal(loaded.inputs[name], x)
            for name, frames in split.frames.items():
                real = memory.splits[role].inputs[f"{name}_mask"].sum(1)
                np.testing.assert_array_equal(frames, real)

    def test_a_corpus_needs_no_test_split(self, prepared):
        data = opened(prepared, folds=2, test=("held_out",))
        assert data.splits["test"].carved_from == "train+valid"
        with pytest.raises(UserError, match="no split 'dev': choose one of"):
            opened(prepared, folds=2, validation="dev")

    def test_too_many_folds(self, prepared):
        with pytest.raises(UserError, match=r"corpus\.folds=60: depression="):
            opened(prepared, folds=60)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 1}, "nothing would remain to train on"),
        ({"folds": 5, "fold": 5}, "numbered from 0 to 4"),
        ({"fold": 1}, r"set corpus\.folds too"),
        ({"fold_seed": 3}, r"set corpus\.folds too"),
        ({"folds": -1}, "at least 0"),
        ({"folds": 5, "carve": 0.0}, "above 0"),
    ],
)
def test_settings_mean_something_or_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        replace(CORPUS, **settings)
