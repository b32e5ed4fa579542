"""Runs the command line: how every command begins, and how it ends."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

import jaxdep
from jaxdep.cli import hugepages
from jaxdep.cli.commands import app
from jaxdep.errors import UserError
from jaxdep.plain import visible

_AGAIN = "give the same command with --resume to continue a run or a sweep"


class Terminated(BaseException):
    """The process was asked to end by SIGTERM."""


def main() -> None:
    """Runs a command; exits with 0 on success, 1 if a run failed, 2 on invalid input.

    Interrupted by Ctrl-C or SIGTERM, it exits with 130 or 143.
    """
    hugepages.use()
    signal.signal(signal.SIGTERM, _terminate)
    end_with(lambda: app.cli(prog="jaxdep", description=jaxdep.__doc__))


def end_with(command: Callable[[], int | None]) -> NoReturn:
    """Calls a command and ends the process with its exit code, or with one message."""
    sys.unraisablehook = _report_unraisable
    try:
        sys.exit(command() or 0)
    except UserError as error:
        print_error(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        _abandon(f"interrupted; {_AGAIN}", 128 + signal.SIGINT)
    except Terminated:
        _abandon(f"interrupted; {_AGAIN}", 128 + signal.SIGTERM)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _abandon(f"no space left on the disk ({error}): make space, then {_AGAIN}", 2)


def print_error(message: str) -> None:
    """Prints a message about the user's input, or about how the process ends."""
    stderr = Console(stderr=True, soft_wrap=True)
    stderr.print(Text(f"jaxdep: {visible(message)}", style="red"))


def _terminate(number: int, frame: Any) -> None:
    raise Terminated


def _abandon(message: str, code: int) -> NoReturn:
    """Prints one message and ends the process, even if checkpoints are being written."""
    print_error(message)
    sys.stdout.flush()
    os._exit(code)  # the threads that write would complain of a shutdown


def _report_unraisable(unraisable: Any) -> None:
    """As Python does, but for what TensorStore's threads report once they cannot write."""
    if "Event loop is closed" not in str(unraisable.exc_value):
        sys.__unraisablehook__(unraisable)
