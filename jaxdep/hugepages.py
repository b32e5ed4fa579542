"""Begins the command anew with memory in huge pages: on a CPU a third of a training step's time.

Every step of a program takes its gigabytes from the C library and gives them back; in pages of
4 KiB the kernel spends longer on that than a core on the arithmetic of a layer. Only the
environment of a process that begins can ask glibc for huge ones.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SETTING = "glibc.malloc.hugetlb"
_MODE = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def use() -> None:
    """Replaces this process by one with huge pages, where the kernel leaves that to programs.

    Does nothing where the user has chosen, or where pages are huge anyway or never.
    """
    if wanted(os.environ):
        tunables = [os.environ.get("GLIBC_TUNABLES", ""), f"{_SETTING}=1"]
        os.environ["GLIBC_TUNABLES"] = ":".join(filter(None, tunables))
        os.execv(sys.executable, sys.orig_argv)


def wanted(environment: os._Environ[str] | dict[str, str]) -> bool:
    """Whether a process of this environment would gain."""
    try:
        mode = _MODE.read_text()
    except OSError:
        return False
    return "[madvise]" in mode and _SETTING not in environment.get("GLIBC_TUNABLES", "")
