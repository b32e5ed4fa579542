"""Memory of this process: what it may still take, the most it held, and what it can return."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

OWN_GROUPS, ALL_GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")

_FILES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}
"""Files with limit and usage, and the entry of `memory.stat` that the kernel gives back on demand,
by version of control groups."""


def available() -> int:
    """Bytes that this process may still take before the machine swaps or the kernel kills it."""
    return min([psutil.virtual_memory().available, *left_in_groups()])


def left_in_groups(own: Path = OWN_GROUPS, root: Path = ALL_GROUPS) -> Iterator[int]:
    """Bytes left in each control group of this process that has a limit.

    A container, a Slurm job and a systemd unit limit memory so, which the machine's free memory
    does not show.

    Args:
      own: file that lists the groups of this process.
      root: folder in which control groups are mounted.
    """
    for line in own.read_text().splitlines() if own.is_file() else ():
        _, controllers, path = line.split(":", 2)
        # Version 2 has a single hierarchy without names; version 1 has one for each controller.
        if controllers and "memory" not in controllers.split(","):
            continue
        version, top = (1, root / "memory") if controllers else (2, root)
        group = top / path.lstrip("/")
        # Inside a container the path may be that of its host, of which only the top is visible.
        for folder in (group, *group.parents):
            if folder.is_relative_to(top):
                yield from _left(folder, *_FILES[version])


def _left(group: Path, limit: str, usage: str, reclaimable: str) -> Iterator[int]:
    """Bytes left in one group; nothing if it does not exist or has no limit."""
    try:
        text, used = (group / limit).read_text().strip(), int((group / usage).read_text())
        entries = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        if text != "max":
            yield int(text) - used + int(entries.get(reclaimable, 0))
    except (OSError, ValueError):
        return


def peak() -> int:
    """Most bytes that this process has held at once so far; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    # Not `ru_maxrss`, which a process inherits from its parent.
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def release() -> None:
    """Returns freed memory to the system: glibc keeps half a gigabyte after a compilation."""
    with suppress(AttributeError, OSError, TypeError):  # other C libraries return it themselves
        ctypes.CDLL(None).malloc_trim(0)
