"""Orbax checkpoints with a checksum, so that a resumed run continues bit for bit.

Orbax skips unfinished steps, but restores corrupted bytes silently and fails on truncated files.
Every step therefore stores a digest of its arrays, and `restore` falls back to the newest intact
step. Orbax joins names with dots, which our parameter names (`jaf.0`) contain, so a step is stored
as a flat mapping whose keys are paths joined with slashes.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp


@contextmanager
def manager(folder: Path, keep: int = 2) -> Iterator[ocp.CheckpointManager]:
    """Opens the checkpoint manager of a folder; on exit, waits until all writes have finished.

    Args:
      folder: directory of the checkpoints.
      keep: number of most recent checkpoints to keep.

    Raises:
      OSError: on exit, or in the block: the disk is full.
    """
    logging.getLogger("absl").setLevel(logging.CRITICAL)  # Orbax logs what it raises, too
    options = ocp.CheckpointManagerOptions(max_to_keep=keep, cleanup_tmp_directories=True)
    opened = ocp.CheckpointManager(folder.absolute(), options=options, item_names=("state", "meta"))
    try:
        yield opened
        opened.wait_until_finished()
    except ValueError as error:  # the type of all errors of TensorStore
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from None
    finally:
        with suppress(ValueError):  # raised before
            opened.close()


def save(checkpoints: ocp.CheckpointManager, epoch: int, state: Any) -> None:
    """Saves the state of all runs after an epoch, in the background.

    Args:
      checkpoints: open checkpoint manager.
      epoch: step number of the checkpoint.
      state: tree of NumPy arrays, which the caller must not modify afterwards.
    """
    checkpoints.save(
        epoch,
        args=ocp.args.Composite(
            state=ocp.args.StandardSave(_flat(state)),
            meta=ocp.args.JsonSave({"digest": digest(state)}),
        ),
    )


def restore(checkpoints: ocp.CheckpointManager, like: Any) -> tuple[int, Any] | None:
    """Restores the newest intact checkpoint; returns None if there is none.

    Args:
      checkpoints: open checkpoint manager.
      like: tree of arrays, or of shapes and dtypes, with the saved structure.
    """
    blank = {path: np.zeros(x.shape, x.dtype) for path, x in _flat(like).items()}
    for epoch in sorted(checkpoints.all_steps(), reverse=True):
        try:
            _check_files(Path(checkpoints.directory) / str(epoch))
            restored = checkpoints.restore(
                epoch,
                args=ocp.args.Composite(
                    state=ocp.args.StandardRestore(blank),
                    meta=ocp.args.JsonRestore(),
                ),
            )
        except Exception as error:  # damaged files raise many kinds of errors
            warnings.warn(
                f"checkpoint {epoch} cannot be read ({error}); trying an older one", stacklevel=2
            )
            continue
        leaves = [np.asarray(restored["state"][path]) for path in blank]
        state = jax.tree.unflatten(jax.tree.structure(like), leaves)
        if digest(state) == restored["meta"]["digest"]:
            return epoch, state
        warnings.warn(f"checkpoint {epoch} is damaged; trying an older one", stacklevel=2)
    return None


def digest(state: Any) -> str:
    """Hash of all arrays of a tree, including their paths, dtypes and shapes."""
    sha = hashlib.blake2b(digest_size=16)
    for path, leaf in _flat(state).items():
        leaf = np.ascontiguousarray(leaf)
        sha.update(f"{path}{leaf.dtype}{leaf.shape}".encode())
        sha.update(leaf.tobytes())
    return sha.hexdigest()


def _check_files(step: Path) -> None:
    """Raises `ValueError` if a step has something that is no file, such as a pipe."""
    for path in step.rglob("*"):
        if not (path.is_file() or path.is_dir()):
            raise ValueError(f"{path} is not a file")


def _flat(tree: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): x for path, x in leaves}
