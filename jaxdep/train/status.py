"""What became of a run: a code that compiled programs carry, and its word."""

from enum import IntEnum


class Status(IntEnum):
    """State of one run; only `RUNNING` runs are updated."""

    RUNNING = 0
    FINISHED = 1
    STOPPED = 2
    DIVERGED = 3

    @property
    def sentence(self) -> str:
        """What the table says."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.RUNNING: "running",
    Status.FINISHED: "finished",
    Status.STOPPED: "stopped early",
    Status.DIVERGED: "diverged",
}
