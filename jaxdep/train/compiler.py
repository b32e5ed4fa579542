"""Options of XLA's compiler, of which each version of XLA knows others."""

import functools
from collections.abc import Mapping

import jax

LOW_MEMORY = {"xla_cpu_scheduler_type": "CPU_SCHEDULER_TYPE_MEMORY_OPTIMIZED"}
"""Minimizes the memory of programs on CPU: a third less, at the same speed.

The default scheduler optimizes for concurrency inside a program; here devices run concurrently.
"""

QUICK = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
"""Programs compile in a third of the time, and run slower."""

DETERMINISTIC = {
    **LOW_MEMORY,
    "xla_cpu_multi_thread_eigen": False,
    "xla_gpu_deterministic_ops": True,
}
"""Programs whose bits depend neither on the number of threads nor on the GPU's timings."""


def supported(options: Mapping[str, int | bool | str]) -> dict[str, int | bool | str]:
    """Those of the given options that this version of XLA knows: it refuses others."""
    return {name: value for name, value in options.items() if _supports(name, value)}


@functools.cache
def _supports(name: str, value: int | bool | str) -> bool:
    try:
        jax.jit(lambda: 0, compiler_options={name: value})()
    except jax.errors.JaxRuntimeError:
        return False
    return True
