"""A split larger than TFDS's memory is stored as any other, without TensorFlow."""

import sys

import numpy as np
from tensorflow_datasets.core import shuffle

from jaxdep.data import arrays, preparation, stand_ins


def test_a_large_split_is_stored_as_a_small_one(tmp_path, monkeypatch):
    stand_ins.synthesize("dvlog", tmp_path / "raw", items=20, mean_length=40)
    store = lambda name: preparation.prepare(
        "dvlog", tmp_path / "raw", data_dir=tmp_path / name, log=lambda line: None
    )
    small = arrays.load_split(store("small"), "train", {})
    lazy = shuffle.tf
    monkeypatch.setattr(shuffle, "MAX_MEM_BUFFER_SIZE", 0)
    large = arrays.load_split(store("large"), "train", {})
    assert shuffle.tf is lazy
    assert "tensorflow" not in sys.modules
    np.testing.assert_array_equal(large.ids, small.ids)
    for name, x in small.inputs.items():
        np.testing.assert_array_equal(large.inputs[name], x)
    assert not list(tmp_path.rglob("*.tmp"))
