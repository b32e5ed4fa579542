"""A split on disk is the split in memory, item by item."""

import numpy as np
import pytest

from jaxdep.data import arrays, preparation, stand_ins, stream
from jaxdep.errors import UserError

LENGTHS = {"acoustic": 30}  # the other keeps its longest


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    raw = stand_ins.synthetic_corpus("dvlog", data_dir=data, items=150, seed=1, mean_length=40)
    return preparation.prepare("dvlog", raw, data_dir=data, log=lambda line: None)


@pytest.fixture(scope="module")
def both(prepared):
    of = lambda module: getattr(module, f"{'load' if module is arrays else 'open'}_split")
    return [of(module)(prepared, "train", LENGTHS) for module in (arrays, stream)]


def assert_same(stored, split):
    np.testing.assert_array_equal(stored.ids, split.ids)
    np.testing.assert_array_equal(stored.subjects, split.subjects)
    np.testing.assert_array_equal(stored.attributes["gender"], split.attributes["gender"])
    np.testing.assert_array_equal(stored.load().subjects, split.subjects)
    assert stored.digest == split.digest
    assert stored.lengths == split.lengths
    assert stored.classes == split.classes
    loaded = stored.load()
    assert loaded.inputs.keys() == split.inputs.keys()
    for name, x in split.inputs.items():
        np.testing.assert_array_equal(loaded.inputs[name], x)
        assert loaded.inputs[name].dtype == x.dtype


def test_same_as_in_memory(both):
    split, stored = both
    assert split.lengths["acoustic"] == 30
    assert split.lengths["visual"] > 40
    assert_same(stored, split)


def test_same_part_is_carved(both):
    for split, stored in zip(*(arrays.carve(x, 0.2, "depression") for x in both), strict=True):
        assert_same(stored, split)
        assert stored.carved_from == split.carved_from


def test_batches_of_any_shape_in_the_order_asked_for(both):
    split, stored = both
    orders = np.random.default_rng(0).integers(0, len(split), (5, 2, 3))
    found = list(stream.batches(stored, orders))
    assert len(found) == 5
    for order, batch in zip(orders, found, strict=True):
        np.testing.assert_array_equal(batch["inputs"]["visual"], split.inputs["visual"][order])
        target = split.targets["depression"][order]
        np.testing.assert_array_equal(batch["targets"]["depression"], target)


def test_reading_may_stop_early(both):
    first = next(stream.batches(both[1], np.zeros((100, 2), int)))
    assert first["inputs"]["acoustic"].shape == (2, 30, 25)


def test_no_such_split(prepared):
    with pytest.raises(UserError, match="no split 'dev': choose one of"):
        stream.open_split(prepared, "dev", {})
