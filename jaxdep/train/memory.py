"""How many runs fit on a device: what a compiled program needs, and what there is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import jax

from jaxdep.experiment import Experiment
from jaxdep.train import hosts, step
from jaxdep.train.devices import Backend, layout
from jaxdep.train.runs import Trainer

_SHARE = 0.8
"""Of the free memory: the rest is for what the allocator cannot use, and for predictions."""


def available(device: Any, neighbours: int) -> int:
    """Bytes that programs of one device may take.

    Args:
      neighbours: devices that share the machine's memory where the device has none of its own.
    """
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats and "bytes_limit" in stats:
        return int(_SHARE * stats["bytes_limit"])
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(_SHARE * free / neighbours)


def needed(program: Any) -> int | None:
    """Bytes that a compiled program needs on each device; None where it cannot be told."""
    found = program.memory_analysis()
    if found is None:
        return None
    read = found.argument_size_in_bytes + found.output_size_in_bytes - found.alias_size_in_bytes
    return int(read + found.temp_size_in_bytes)


def trainer(
    experiment: Experiment,
    splits: Mapping[str, step.Data],
    runs: step.Run,
    *,
    runs_per_device: int = 0,
    devices: int = 0,
    backend: Backend = "jit",
) -> Trainer:
    """A trainer of as many of the runs at once as fit on the devices, all if they do.

    Args:
      runs_per_device: at most so many; 0: as the compiler's account of the memory allows.
    """
    total = len(runs.seed)
    how: dict[str, Any] = {"devices": devices, "backend": backend}
    how["batch_size"] = experiment.training.shared_batch
    rows = layout(total, **how).rows
    size = min(total, runs_per_device * rows) if runs_per_device else total
    while True:
        made = Trainer(experiment, splits, layout(size, **how))
        each = made.layout.padded // made.layout.rows
        bytes_needed = needed(made.compile(runs))
        if runs_per_device or each == 1 or bytes_needed is None:
            return made
        limit = available(made.layout.devices[0], len(jax.local_devices()))
        limit = hosts.smallest(limit)
        if bytes_needed <= limit:
            return made
        size = max(1, min(each - 1, int(each * limit / bytes_needed))) * made.layout.rows
