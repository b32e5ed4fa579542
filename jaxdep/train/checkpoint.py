"""Orbax checkpoints with a checksum of our own: a resumed run continues bit for bit.

Orbax finds unfinished steps, but restores overwritten bytes silently and stumbles over truncated
files; so every step carries a digest of its arrays, and restoring falls back to the newest that
is sound. Orbax joins names by dots, which ours (`jaf.0`) contain: a step is a flat mapping from
paths joined by slashes.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp


@contextmanager
def manager(folder: Path, keep: int = 2) -> Iterator[ocp.CheckpointManager]:
    """Opens the checkpoints of a run's folder; on leaving, waits until all are written."""
    logging.getLogger("absl").setLevel(logging.ERROR)  # a user's terminal is not Orbax's diary
    options = ocp.CheckpointManagerOptions(max_to_keep=keep, cleanup_tmp_directories=True)
    opened = ocp.CheckpointManager(folder.absolute(), options=options, item_names=("state", "meta"))
    try:
        yield opened
        opened.wait_until_finished()
    finally:
        opened.close()


def save(checkpoints: ocp.CheckpointManager, epoch: int, state: Any) -> None:
    """Writes the state of all runs after an epoch, in the background.

    Args:
      state: a tree of NumPy arrays, which the caller does not change afterwards.
    """
    checkpoints.save(
        epoch,
        args=ocp.args.Composite(
            state=ocp.args.StandardSave(_flat(state)),
            meta=ocp.args.JsonSave({"digest": digest(state)}),
        ),
    )


def restore(checkpoints: ocp.CheckpointManager, like: Any) -> tuple[int, Any] | None:
    """The newest sound checkpoint, or None where there is none.

    Args:
      like: a tree of arrays, or their shapes and types, as they were saved.
    """
    blank = {path: np.zeros(x.shape, x.dtype) for path, x in _flat(like).items()}
    for epoch in sorted(checkpoints.all_steps(), reverse=True):
        try:
            restored = checkpoints.restore(
                epoch,
                args=ocp.args.Composite(
                    state=ocp.args.StandardRestore(blank),
                    meta=ocp.args.JsonRestore(),
                ),
            )
        except Exception as error:  # whatever a damaged file makes Orbax raise
            warnings.warn(
                f"checkpoint {epoch} cannot be read ({error}); trying older", stacklevel=2
            )
            continue
        leaves = [np.asarray(restored["state"][path]) for path in blank]
        state = jax.tree.unflatten(jax.tree.structure(like), leaves)
        if digest(state) == restored["meta"]["digest"]:
            return epoch, state
        warnings.warn(f"checkpoint {epoch} is damaged; trying an older one", stacklevel=2)
    return None


def digest(state: Any) -> str:
    """Hash of every array of a tree, with its place, type and shape."""
    sha = hashlib.blake2b(digest_size=16)
    for path, leaf in _flat(state).items():
        leaf = np.ascontiguousarray(leaf)
        sha.update(f"{path}{leaf.dtype}{leaf.shape}".encode())
        sha.update(leaf.tobytes())
    return sha.hexdigest()


def _flat(tree: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): x for path, x in leaves}
