"""Times alternating calls, and describes the machine and its speed at matrix products."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import torch

_GEMM = 2048


def medians(sides: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of each call; calls take turns, so that external load affects all alike.

    The first round is a warm-up and is not counted; every other round runs in reverse order.

    Args:
      sides: calls to time, by name.
      repeats: number of timed rounds.
    """
    for call in sides.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats):
        order = list(sides) if turn % 2 == 0 else list(sides)[::-1]
        for name in order:
            started = time.perf_counter()
            sides[name]()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in times.items()}


def gemm_peak(repeats: int = 7) -> float:
    """Float32 FLOP/s of a large matrix product, in the faster of JAX and PyTorch."""
    a = jnp.ones((_GEMM, _GEMM), jnp.float32)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    b = torch.ones((_GEMM, _GEMM), device=device)
    product = jax.jit(lambda x: jnp.matmul(x, x, precision="highest"))

    def theirs() -> None:
        torch.mm(b, b)
        if device == "cuda":
            torch.cuda.synchronize()

    found = medians({"ours": lambda: product(a).block_until_ready(), "theirs": theirs}, repeats)
    return 2 * _GEMM**3 / min(found.values())


def machine() -> dict[str, Any]:
    """Describes the hardware and software used for the benchmark."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    gpus = [d.device_kind for d in jax.devices() if d.platform != "cpu"]
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30),
        "gpus": gpus,
        "python": platform.python_version(),
        "jax": metadata.version("jax"),
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
