"""What every prepared corpus must satisfy, as TFDS's own test case has it, without TensorFlow."""

import hashlib
import sys
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data import preparation


def preparer(corpus, raw, data_dir):
    """Returns a function that prepares raw files, and returns the result and all messages."""
    messages = []

    def run(**options):
        given = {"data_dir": data_dir, "log": messages.append, **options}
        return preparation.prepare(corpus, raw, **given), messages

    return run


def ids(folder):
    """Ids of all recordings of a prepared corpus."""
    builder: Any = tfds.builder_from_directory(str(folder))
    splits = map(builder.as_data_source, builder.info.splits)
    return {record["id"].decode() for split in splits for record in split}


def check(folder, counts):
    """Asserts counts, types and shapes, unique ids, and no content in two splits.

    Args:
      folder: what `preparation.prepare` returned.
      counts: split to number of recordings.
    """
    builder: Any = tfds.builder_from_directory(str(folder))
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == counts
    ids, contents = {}, {}
    for split, number in counts.items():
        records = list(builder.as_data_source(split=split))
        assert len(records) == number
        for record in records:
            assert record.keys() == builder.info.features.keys()
            assert ids.setdefault(record["id"], split) == split
            content = hashlib.md5()
            for name, feature in builder.info.features.items():
                if isinstance(feature, tfds.features.Tensor) and feature.shape:
                    array = record[name]
                    assert array.dtype == feature.np_dtype
                    wanted: Any = feature.shape
                    assert len(array.shape) == len(wanted)
                    assert all(w in (None, n) for w, n in zip(wanted, array.shape, strict=True))
                    assert np.isfinite(array).all()
                    content.update(array.tobytes())
            assert contents.setdefault(content.digest(), split) == split
    assert len(ids) == sum(counts.values())
    assert "tensorflow" not in sys.modules
