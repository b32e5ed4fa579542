"""Padding, truncation, and the validation part that is carved from train."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxdep.data import arrays
from jaxdep.errors import UserError


def ragged(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length, 3)).astype(np.float32) for length in (4, 1, 7)]


@pytest.mark.parametrize("length", [0, 2, 5, 9])
def test_pad(length):
    sequences = ragged()
    padded, mask = arrays.pad(sequences, length)
    assert padded.shape == (3, length or 7, 3)
    for row, sequence in enumerate(sequences):
        kept = min(len(sequence), length or 7)
        np.testing.assert_array_equal(padded[row, :kept], sequence[:kept])
        assert not padded[row, kept:].any()
        np.testing.assert_array_equal(mask[row], np.arange(mask.shape[1]) < kept)


def split(items=1000, seed=0):
    rng = np.random.default_rng(seed)
    targets: dict[str, np.ndarray] = {"depression": (rng.random(items) < 0.3).astype(np.int32)}
    targets["score"] = rng.random(items).astype(np.float32)
    ids = np.asarray([f"r{i:03d}" for i in range(items)])
    inputs = {"acoustic": rng.normal(size=(items, 4, 2)).astype(np.float32)}
    known = (ids, {"gender": np.where(np.arange(items) % 3, "female", "male")})
    return arrays.Split("train", ids, inputs, targets, {"depression": ("no", "yes")}, *known)


def test_carve_is_stratified_disjoint_and_repeatable():
    whole = split()
    rest, part = arrays.carve(whole, 0.1, "depression")
    assert len(part) == 100
    assert len(rest) == 900
    assert sorted([*rest.ids, *part.ids]) == list(whole.ids)
    assert not set(rest.ids) & set(part.ids)
    assert abs(part.targets["depression"].mean() - whole.targets["depression"].mean()) < 0.03
    assert part.carved_from == "train"
    assert part.name == "train-validation"
    np.testing.assert_array_equal(arrays.carve(whole, 0.1, "depression")[1].ids, part.ids)
    row = list(whole.ids).index(part.ids[3])
    np.testing.assert_array_equal(part.inputs["acoustic"][3], whole.inputs["acoustic"][row])


def test_carve_keeps_the_same_content_together():
    whole = split()
    whole.inputs["acoustic"][1::2] = whole.inputs["acoustic"][::2]
    rest, part = arrays.carve(whole, 0.1, "depression")
    assert len(part)
    assert not set(rest.contents) & set(part.contents)


def test_equal_keys_are_grouped_also_indirectly():
    contents = np.array(["1", "2", "2", "3", "5", "4", "4"])
    subjects = np.array(["p", "p", "q", "r", "s", "s", "r"])
    found = arrays.groups(contents, subjects)
    # 1 and 2 share p; 3, 4 and 5 share r, and 4 and 5 s.
    assert found.tolist() == ["1", "1", "1", "3", "3", "3", "3"]
    alone = np.array(["c", "a", "b"])
    np.testing.assert_array_equal(arrays.groups(alone, np.array(["x", "z", "y"])), alone)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_carve_divides_neither_a_subject_nor_the_same_content(data):
    items = data.draw(st.integers(6, 40))
    names = st.lists(st.integers(0, data.draw(st.integers(3, 40))), min_size=items, max_size=items)
    of_content, of_subject = (np.array(data.draw(names)) for _ in range(2))
    whole = split(items)
    whole.inputs["acoustic"][:] = whole.inputs["acoustic"][of_content % items]
    whole = replace(whole, subjects=of_subject.astype(str))
    if len(np.unique(arrays.groups(whole.contents, whole.subjects))) < 2:
        with pytest.raises(UserError, match="1 groups that share a subject"):
            arrays.carve(whole, 0.5, "depression")
        return
    rest, part = arrays.carve(whole, 0.5, data.draw(st.sampled_from(["depression", "score"])))
    assert len(rest)
    assert len(part)
    assert sorted([*rest.ids, *part.ids]) == list(whole.ids)
    assert not set(rest.subjects) & set(part.subjects)
    assert not set(rest.contents) & set(part.contents)


def test_carve_does_not_depend_on_who_was_recorded_once():
    """The same parts as without subjects, so that results on such corpora stay what they were."""
    whole = split(300)
    named = replace(whole, subjects=np.random.default_rng(1).permutation(whole.ids))
    for one, other in zip(
        *(arrays.carve(x, 0.2, "depression") for x in (whole, named)), strict=True
    ):
        np.testing.assert_array_equal(one.ids, other.ids)


def test_taken_rows_keep_what_is_known_of_them():
    whole = split(30)
    rows = np.array([4, 4, 0])
    part = whole.take(rows, "part", carved_from="train")
    assert part.subjects.tolist() == ["r004", "r004", "r000"]
    assert part.attributes["gender"].tolist() == ["female", "female", "male"]
    assert (part.name, part.carved_from) == ("part", "train")


def test_digest_follows_ids_subjects_and_targets():
    one, two = split(), split()
    assert one.digest == two.digest
    two.targets["depression"][0] ^= 1
    assert one.digest != two.digest
    assert one.digest != replace(one, subjects=one.subjects[::-1]).digest
    assert one.digest != one.take(np.arange(999), "train").digest
