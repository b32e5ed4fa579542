"""Runs one side of a benchmark in a separate process, one repetition per request.

The sides take turns, so that external load affects all alike, and no side inherits memory that
another has allocated.
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
from statistics import median
from typing import Any, Literal

OURS = "ours"


@dataclass(frozen=True)
class Work:
    """Unit of work of one side.

    Attributes:
      model: name of the model.
      size: size of the model, from its spec.
      side: `ours`, or the name of a reference.
      turn: `step` for one update, or `epoch` for an epoch of `items` recordings with validation.
      changes: fields of the case to override, such as its batch size.
      items: number of recordings per epoch; a multiple of the batch size.
      seeds: number of runs per epoch.
      precision: a name of `precisions.PRECISIONS`, for both sides.
      how: further arguments of `devices.layout`; ours only.
    """

    model: str
    size: str
    side: str = OURS
    turn: Literal["step", "epoch"] = "step"
    changes: Mapping[str, int] = field(default_factory=dict)
    items: int = 0
    seeds: int = 1
    precision: str = "float32"
    how: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """Measurements of one side.

    Attributes:
      seconds: median time of the counted repetitions.
      first: time of the first repetition, including building and compiling.
      peak: peak memory of the device in bytes; on a CPU, that of the process.
      base: memory of the process in bytes before the first repetition.
    """

    seconds: float
    first: float
    peak: float
    base: float


def compare(
    works: Sequence[Work], repeats: int, environment: Mapping[str, str] | None = None
) -> list[Found]:
    """Runs all sides in turn, in reverse order every other round.

    Args:
      works: unit of work of each side.
      repeats: number of counted rounds, after one warm-up round.
      environment: additional environment variables.
    """
    with ExitStack() as stack:
        turns = [stack.enter_context(_started(work, environment or {})) for work in works]
        results: list[list[dict[str, float]]] = [[] for _ in works]
        for number in range(repeats + 1):
            order = range(len(works))
            for which in order if number % 2 == 0 else reversed(order):
                results[which].append(next(turns[which]))
    return [
        Found(
            seconds=median(turn["seconds"] for turn in rounds[1:]),
            first=rounds[0]["seconds"],
            peak=rounds[-1]["peak"],
            base=rounds[0]["base"],
        )
        for rounds in results
    ]


@contextmanager
def _started(work: Work, environment: Mapping[str, str]) -> Iterator[Iterator[dict[str, float]]]:
    """Starts a process and yields an iterator that runs one repetition per `next`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jaxdep.benchmarks.worker", json.dumps(asdict(work))],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def turns(requests: Any, results: Any) -> Iterator[dict[str, float]]:
        while True:
            print("turn", file=requests, flush=True)
            line = results.readline()
            if not line:
                raise RuntimeError(f"{work.side} failed on {work}; see the output above")
            yield json.loads(line)

    try:
        yield turns(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _serve(work: Work) -> None:
    """Performs the work for every line on stdin and prints the measurements, until stdin closes."""
    from jaxdep.train import devices, host_memory

    devices.start()
    base, call = host_memory.peak(), None
    for _ in sys.stdin:
        started = time.perf_counter()
        call = call or _call(work)
        call()
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "base": base, "peak": _peak(work)}), flush=True)


def _call(work: Work) -> Any:
    from jaxdep.benchmarks import measured, precisions, sides

    target = measured.find(work.model, work.size)
    case = replace(target.case, **work.changes)
    precision = precisions.PRECISIONS[work.precision]
    precisions.use(precision)
    if work.side == OURS and work.turn == "step":
        return sides.our_step(case, precision, **work.how)
    if work.side == OURS:
        return sides.our_epoch(case, work.items, work.seeds, precision, **work.how)
    path = target.references[work.side]
    if work.turn == "step":
        return sides.their_step(case, path, precision)
    return sides.their_epoch(case, path, work.items, work.seeds, precision)


def _peak(work: Work) -> int:
    import jax
    import torch

    from jaxdep.train import host_memory, memory

    if work.side == OURS:
        return memory.device_peak(jax.devices()[0]) or host_memory.peak()
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return host_memory.peak()


if __name__ == "__main__":
    _serve(Work(**json.loads(sys.argv[1])))
