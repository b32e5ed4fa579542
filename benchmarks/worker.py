"""One side of a measurement in a process of its own, as its users run it: told when, it works.

The sides take turns, so that a busy moment of the machine hits all alike, and none of them meets
the memory that another has left behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any, Literal

OURS = "ours"


@dataclass(frozen=True)
class Work:
    """What one side does in a turn.

    Attributes:
      model: and `size`: of `subjects.SUBJECTS`.
      side: `ours`, or the name of a reference.
      turn: one update, or an epoch of `items` recordings with its validation.
      changes: fields of the case that differ, such as its batch.
      items: recordings of an epoch; a multiple of the batch.
      seeds: runs of an epoch.
      how: as the rest of `devices.layout`; ours alone.
    """

    model: str
    size: str
    side: str = OURS
    turn: Literal["step", "epoch"] = "step"
    changes: Mapping[str, int] = field(default_factory=dict)
    items: int = 0
    seeds: int = 1
    how: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What was seen of one side.

    Attributes:
      seconds: of a turn, the median over those that count.
      first: seconds of the first turn, with what it takes to build and compile.
      peak: bytes of the device's memory, on a CPU of the process.
      base: bytes of the process before its first turn.
    """

    seconds: float
    first: float
    peak: float
    base: float


def compare(
    works: Sequence[Work], repeats: int, environment: Mapping[str, str] | None = None
) -> list[Found]:
    """Lets every side work by turns; every other round goes backwards.

    Args:
      repeats: turns that count; one before them warms up.
      environment: added to this process's.
    """
    with ExitStack() as stack:
        turns = [stack.enter_context(_started(work, environment or {})) for work in works]
        seen: list[list[dict[str, float]]] = [[] for _ in works]
        for number in range(repeats + 1):
            order = range(len(works))
            for which in order if number % 2 == 0 else reversed(order):
                seen[which].append(next(turns[which]))
    return [
        Found(
            seconds=median(turn["seconds"] for turn in of_one[1:]),
            first=of_one[0]["seconds"],
            peak=of_one[-1]["peak"],
            base=of_one[0]["base"],
        )
        for of_one in seen
    ]


@contextmanager
def _started(work: Work, environment: Mapping[str, str]) -> Iterator[Iterator[dict[str, float]]]:
    """The turns of a new process: each `next` is one, and what was seen of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jaxdep.benchmarks.worker", json.dumps(asdict(work))],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def turns(told: Any, said: Any) -> Iterator[dict[str, float]]:
        while True:
            print("turn", file=told, flush=True)
            line = said.readline()
            if not line:
                raise RuntimeError(f"{work.side} failed on {work}: see above")
            yield json.loads(line)

    try:
        yield turns(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _work(work: Work) -> None:
    """Works whenever a line comes in, and says what was seen, until no more come."""
    from jaxdep.train import devices

    devices.start()
    base, call = _resident(), None
    for _ in sys.stdin:
        started = time.perf_counter()
        call = call or _call(work)
        call()
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "base": base, "peak": _peak(work)}), flush=True)


def _call(work: Work) -> Any:
    from jaxdep.benchmarks import sides, subjects

    subject, case = subjects.find(work.model, work.size)
    case = replace(case, **work.changes)
    if work.side == OURS and work.turn == "step":
        return sides.our_step(case, **work.how)
    if work.side == OURS:
        return sides.our_epoch(case, work.items, work.seeds, **work.how)
    kind = subject.references[work.side]
    if work.turn == "step":
        return sides.their_step(case, kind)
    return sides.their_epoch(case, kind, work.items, work.seeds)


def _resident() -> int:
    """Bytes of memory that the process has held at most so far."""
    # Not `ru_maxrss`: a process begins with that of the one which started it.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _peak(work: Work) -> int:
    import jax
    import torch

    stats = jax.devices()[0].memory_stats() if work.side == OURS else None
    if stats and "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"]
    if work.side != OURS and torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return _resident()


if __name__ == "__main__":
    _work(Work(**json.loads(sys.argv[1])))
