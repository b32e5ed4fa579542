"""Padding, truncation, and the validation part that is carved from train."""

import numpy as np
import pytest

from jaxdep.data import arrays


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
    targets = {"depression": (rng.random(items) < 0.3).astype(np.int32)}
    ids = np.asarray([f"r{i:03d}" for i in range(items)])
    inputs = {"acoustic": rng.normal(size=(items, 4, 2)).astype(np.float32)}
    return arrays.Split("train", ids, inputs, targets, {"depression": ("no", "yes")})


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


def test_digest_follows_ids_and_targets():
    one, two = split(), split()
    assert one.digest == two.digest
    two.targets["depression"][0] ^= 1
    assert one.digest != two.digest
    assert one.digest != one.take(np.arange(999), "train").digest
