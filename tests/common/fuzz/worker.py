"""Runs cases in a process of its own, whose time and memory are limited."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from fuzz.subjects import SUBJECTS

SECONDS = 10.0
"""Processor time that a case may take."""

MEMORY = 1000.0
"""Megabytes that a subject's process may grow by."""

_HANGS = 120.0  # seconds on the clock, on a machine that also does other things
_LONGEST_LINE = 2000


@dataclass(frozen=True)
class Outcome:
    """Outcome of a case.

    Attributes:
      subject: name of the subject.
      case: number of the case, which is its seed.
      kind: "accepted", "refused" or "failed".
      text: message of a refusal, or what failed.
      damage: what was damaged.
      seconds: processor time.
      megabytes: growth of the process since its first case.
    """

    subject: str
    case: int
    kind: str
    text: str = ""
    damage: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0


def outcomes(name: str, cases: Iterable[int]) -> Iterator[Outcome]:
    """Runs cases of a subject one after another; a process that fails is replaced."""
    with contextlib.ExitStack() as stack:
        ask: Callable[[int], Outcome] | None = None
        for case in cases:
            ask = ask or stack.enter_context(_process(name))
            outcome = ask(case)
            if outcome.kind == "failed":
                stack.close()
                ask = None
            yield outcome


@contextlib.contextmanager
def _process(name: str) -> Iterator[Callable[[int], Outcome]]:
    """A process for a subject, as a function from the number of a case to its outcome."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(name, theirs), daemon=True)
    process.start()
    theirs.close()

    def ask(case: int) -> Outcome:
        try:
            ours.send(case)
            if ours.poll(_HANGS):
                return ours.recv()
        except (EOFError, OSError):
            process.join(1)
            return Outcome(name, case, "failed", f"the process ended with {process.exitcode}")
        return Outcome(name, case, "failed", f"no answer within {_HANGS:.0f} seconds")

    try:
        ours.recv()  # waits for imports, and for corpora and runs to be made
        yield ask
    finally:
        process.kill()
        process.join()


def _serve(name: str, cases: Connection) -> None:
    """Answers each number of a case by its outcome."""
    subject = SUBJECTS[name]
    with tempfile.TemporaryDirectory() as folder, _silence():
        attempt, before = subject.open(Path(folder)), _peak()
        cases.send("ready")
        while True:
            try:
                case = cases.recv()
            except EOFError:
                return
            cases.send(_outcome(name, case, attempt, before))


def _outcome(name: str, case: int, attempt: Callable, before: float) -> Outcome:
    from jaxdep.errors import BadFileError, UserError  # the starting process stays small

    notes: list[str] = []
    start = time.process_time()
    try:
        attempt(Random(f"{name} {case}"), notes)
        kind, text = "accepted", ""
    except (UserError, BadFileError) as error:
        kind, text = "refused", str(error)
        if problem := _useless(text):
            kind, text = "failed", f"{problem}: {text[:400]!r}"
    except (Exception, SystemExit):
        kind, text = "failed", traceback.format_exc()
    seconds, grown = time.process_time() - start, _peak() - before
    gc.collect()
    if seconds > SECONDS or grown > MEMORY:
        kind, text = "failed", f"{seconds:.1f} s, {grown:.0f} MB; {kind} {text}"
    return Outcome(name, case, kind, text, "; ".join(notes), seconds, grown)


def _useless(message: str) -> str:
    """Why a message does not help; empty if it may."""
    if not message.strip():
        return "no message"
    if any(unicodedata.category(c) == "Cc" and c != "\n" for c in message):
        return "a message with control characters"
    if max(map(len, message.split("\n"))) > _LONGEST_LINE:
        return "a message with a line that is too long"
    return "a message with an object's address" if " object at 0x" in message else ""


def _peak() -> float:
    """Largest resident memory of this process so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Discards what the subjects print."""
    with (
        open(os.devnull, "w") as nothing,
        contextlib.redirect_stdout(nothing),
        contextlib.redirect_stderr(nothing),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield
