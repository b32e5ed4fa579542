"""One side in a process of its own: its peak memory, and its time to the first update."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

OURS = "ours"
_UPDATES = 2  # the second one runs as all that follow do


def measure(model: str, size: str, side: str, cache: Path | None = None) -> dict[str, float]:
    """Measures one side of a subject.

    Args:
      side: `ours`, or the name of a twin.
      cache: of compiled programs; None: nothing is kept.

    Returns:
      `peak_bytes` of the device's memory, on a CPU of the process; `base_bytes`, of that before
      the first update; `first_s` and `next_s`, the seconds of the first and of the second update,
      the first with what it takes to compile it.
    """
    environment = os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "true" if cache else "false"}
    if cache:
        environment["JAX_COMPILATION_CACHE_DIR"] = str(cache)
    command = [sys.executable, "-m", "jaxdep.benchmarks.alone", model, size, side]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _main(model: str, size: str, side: str) -> None:
    from jaxdep.benchmarks import sides, subjects
    from jaxdep.train import devices

    devices.start()
    subject, case = subjects.find(model, size)
    base = _resident()
    started = time.perf_counter()
    ours = side == OURS
    call = sides.our_step(case) if ours else sides.their_step(case, subject.twins[side])
    seconds = []
    for _ in range(_UPDATES):
        call()
        seconds.append(time.perf_counter() - started)
        started = time.perf_counter()
    found = {"base_bytes": base, "peak_bytes": _peak(side)}
    print(json.dumps(found | {"first_s": seconds[0], "next_s": seconds[-1]}))


def _resident() -> int:
    """Bytes of memory that the process has held at most so far."""
    # Not `ru_maxrss`: a process begins with that of the one which started it.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _peak(side: str) -> Any:
    import jax
    import torch

    stats = jax.devices()[0].memory_stats() if side == OURS else None
    if stats and "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"]
    if side != OURS and torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return _resident()


if __name__ == "__main__":
    _main(*sys.argv[1:])
