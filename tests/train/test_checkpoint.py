"""Checkpoints that were damaged are noticed and older ones used."""

import os
from typing import Any

import chex
import numpy as np
import pytest

from jaxdep.train import checkpoint


def state(epoch):
    rng = np.random.default_rng(epoch)
    weights = rng.normal(size=(3, 200, 40)).astype(np.float32)
    return {"params": {"jaf.0": {"fc1": weights}, "jaf": {"0.fc1": weights + 1}}, "epoch": epoch}


def arrays(epoch):
    return {**state(epoch), "epoch": np.asarray(epoch, np.int32)}


@pytest.fixture
def folder(tmp_path):
    with checkpoint.manager(tmp_path, keep=3) as checkpoints:
        for epoch in (1, 2, 3):
            checkpoint.save(checkpoints, epoch, arrays(epoch))
    return tmp_path


def restored(folder) -> Any:
    with checkpoint.manager(folder) as checkpoints:
        return checkpoint.restore(checkpoints, arrays(0))


def largest(folder):
    return max((f for f in folder.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)


def test_newest_exactly(folder):
    epoch, found = restored(folder)
    assert epoch == 3
    chex.assert_trees_all_equal(found, arrays(3))


def test_none_where_there_is_none(tmp_path):
    assert restored(tmp_path) is None


# Orbax leaves its event loop to the garbage collector when reading fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_truncated_step_is_passed_over(folder):
    with largest(folder / "3").open("r+b") as file:
        file.truncate(100)
    with pytest.warns(UserWarning, match="checkpoint 3"):
        epoch, found = restored(folder)
    assert epoch == 2
    chex.assert_trees_all_equal(found, arrays(2))


def test_overwritten_bytes_are_noticed(folder):
    path = largest(folder / "3")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="checkpoint 3"):
        epoch, _ = restored(folder)
    assert epoch == 2


def test_empty_step_folder_is_passed_over(folder):
    (folder / "50").mkdir()
    with pytest.warns(UserWarning, match="checkpoint 50"):
        epoch, _ = restored(folder)
    assert epoch == 3


def test_a_pipe_in_place_of_a_file_is_not_waited_for(folder):
    path = largest(folder / "3")
    path.unlink()
    os.mkfifo(path)
    with pytest.warns(UserWarning, match="checkpoint 3 .*is not a file"):
        epoch, _ = restored(folder)
    assert epoch == 2
