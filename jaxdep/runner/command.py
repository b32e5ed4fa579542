"""A command as submitit calls it in a job: ended when the job is, and started again after that.

submitit pickles what it calls and unpickles it in the job. To load no more than it must, what is
called is nothing but the words of a command, in a module without dependencies: neither settings
nor results pass through pickles.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from typing import Any


class Command:
    """A command that runs in a process of its own.

    The process can be killed at any moment and, called again, continues what it has begun. Slurm
    warns all processes of a job before it ends; only the job itself heeds that.

    Attributes:
      words: the words of the command.
    """

    def __init__(self, words: Sequence[str]):
        self.words = tuple(words)
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> None:
        """Runs the command.

        Raises:
          RuntimeError: it failed, as the job then does.
        """
        self._process = subprocess.Popen(self.words, preexec_fn=_heed_no_warning)
        try:
            code = self._process.wait()
        finally:
            self._process.kill()
            self._process.wait()
        if code:
            raise RuntimeError(f"exit code {code} of {' '.join(self.words)}")

    def checkpoint(self) -> Any:
        """Ends the command, and returns what is called once the job has been queued again.

        submitit calls this in a handler of signals, and ends the job next.
        """
        from submitit.helpers import DelayedSubmission

        if self._process is not None:
            self._process.kill()  # the call that was interrupted waits for it
        return DelayedSubmission(Command(self.words))


def _heed_no_warning() -> None:
    for number in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
