"""Status codes of runs, which compiled programs carry, and their text."""

from enum import IntEnum


class Status(IntEnum):
    """Status of one run; only runs that are `RUNNING` are updated."""

    RUNNING = 0
    FINISHED = 1
    STOPPED = 2
    DIVERGED = 3

    @property
    def label(self) -> str:
        """The status in words, as shown in tables."""
        return _LABELS[self]


_LABELS = {
    Status.RUNNING: "running",
    Status.FINISHED: "finished",
    Status.STOPPED: "stopped early",
    Status.DIVERGED: "diverged",
}
