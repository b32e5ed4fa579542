"""Locks of run directories, which end with the process that holds them."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from jaxdep.errors import UserError

NAME = ".lock"
"""Name of the locked file, which stays in the directory when the lock has ended."""

_held: dict[Path, FileLock] = {}


def acquire(folder: Path) -> None:
    """Locks an existing directory for this process.

    Raises:
      UserError: another process holds the lock.
    """
    if folder.resolve() in _held:
        return
    lock = FileLock(folder / NAME, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(
            f"{folder} is in use by another process; wait until it has ended, or set another --out"
        ) from None
    _held[folder.resolve()] = lock


def release(folder: Path) -> None:
    """Releases the lock of a directory."""
    _held.pop(folder.resolve()).release()
