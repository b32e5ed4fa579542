"""Chooses how many runs fit on a device from a compiled program's memory requirements."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import jax

from jaxdep.experiment import Experiment
from jaxdep.train import hosts, step
from jaxdep.train.devices import layout
from jaxdep.train.layout import Backend
from jaxdep.train.runs import Trainer

_SHARE = 0.8
"""Usable fraction of the free memory; the rest covers fragmentation and predictions."""


def available_bytes(device: Any, sharing_devices: int) -> int:
    """Bytes of memory that programs may use on one device.

    Args:
      device: device to query.
      sharing_devices: number of devices that share the machine's memory, if they have no
        memory of their own.
    """
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats and "bytes_limit" in stats:
        return int(_SHARE * stats["bytes_limit"])
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(_SHARE * free / sharing_devices)


def required_bytes(program: Any, waiting: int = 0) -> int | None:
    """Bytes that a compiled program needs on each device; None if unknown.

    Args:
      program: compiled program, whose donated argument is the state of its runs.
      waiting: number of equal states that stay on the device without being computed.
    """
    analysis = program.memory_analysis()
    if analysis is None:
        return None
    arguments = (
        analysis.argument_size_in_bytes
        + analysis.output_size_in_bytes
        - analysis.alias_size_in_bytes
    )
    states = waiting * analysis.alias_size_in_bytes
    return int(arguments + analysis.temp_size_in_bytes + states)


def trainer(
    experiment: Experiment,
    splits: Mapping[str, step.Data],
    runs: step.Run,
    *,
    runs_per_device: int = 0,
    devices: int = 0,
    backend: Backend = "jit",
    deterministic: bool = False,
) -> Trainer:
    """Creates a trainer for as many of the runs as fit on the devices at once.

    Args:
      experiment: experiment to train.
      splits: `train` and `validation` splits on the host.
      runs: all runs that will be trained.
      runs_per_device: maximum number of runs per device; 0 derives it from the compiler's memory
        analysis.
      devices: number of devices to use; 0 uses all.
      backend: `jit` or `pmap`.
      deterministic: as in `devices.layout`.
    """
    total = len(runs.seed)
    settings: dict[str, Any] = {
        "devices": devices,
        "backend": backend,
        "deterministic": deterministic,
    }
    settings["batch_size"] = experiment.training.shared_batch
    rows = layout(total, **settings).rows
    size = min(total, runs_per_device * rows) if runs_per_device else total
    while True:
        candidate = Trainer(experiment, splits, layout(size, **settings))
        each = candidate.layout.padded // candidate.layout.rows
        waiting = each - 1 if deterministic else 0  # its programs compute one run at a time
        required = required_bytes(candidate.compile(runs), waiting)
        if runs_per_device or each == 1 or required is None:
            return candidate
        limit = available_bytes(candidate.layout.devices[0], len(jax.local_devices()))
        limit = hosts.minimum(limit)
        if required <= limit:
            return candidate
        size = max(1, min(each - 1, int(each * limit / required))) * candidate.layout.rows
