"""Restarts the command with huge pages, which saves a third of a training step's time on a CPU.

A compiled program allocates and frees gigabytes through the C library at every step. With 4 KiB
pages, the kernel spends more time on this than a core spends on the arithmetic of a layer. glibc
reads the setting for huge pages only from the environment at process start.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SETTING = "glibc.malloc.hugetlb"
_MODE = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def use() -> None:
    """Replaces this process by one with huge pages, if the kernel lets programs opt in.

    Does nothing if the user has configured huge pages, or if the kernel always or never uses them.
    """
    if wanted(os.environ):
        tunables = [os.environ.get("GLIBC_TUNABLES", ""), f"{_SETTING}=1"]
        os.environ["GLIBC_TUNABLES"] = ":".join(filter(None, tunables))
        os.execv(sys.executable, sys.orig_argv)


def wanted(environment: os._Environ[str] | dict[str, str]) -> bool:
    """Whether a process with this environment would benefit from a restart."""
    try:
        mode = _MODE.read_text()
    except OSError:
        return False
    return "[madvise]" in mode and _SETTING not in environment.get("GLIBC_TUNABLES", "")
