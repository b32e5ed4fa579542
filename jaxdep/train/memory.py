"""Plans how many runs train at once, from a compiled program's own memory analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax

from jaxdep.experiment import Experiment
from jaxdep.plain import gib
from jaxdep.train import host_memory, hosts, step
from jaxdep.train.devices import layout
from jaxdep.train.layout import Backend, Layout
from jaxdep.train.runs import Trainer

_SHARE = 0.8
"""Usable fraction of the free memory; the rest covers fragmentation and predictions."""

_HOST_COPIES = 2
"""Copies of the state on the host while a checkpoint is written: the fetched one and Orbax's."""


@dataclass(frozen=True)
class Plan:
    """How many runs train at once, and what they take.

    Attributes:
      trainer: trainer for as many runs as fit.
      required: bytes that a device needs for them; None if the compiler does not say.
      available: bytes that a device may take.
    """

    trainer: Trainer
    required: int | None
    available: int

    @property
    def fits(self) -> bool:
        """Whether there is enough memory, as far as is known."""
        return self.required is None or self.required <= self.available

    def describe(self, runs: int) -> str:
        """One line about the plan for a number of runs."""
        at_once, devices = min(runs, self.trainer.layout.runs), len(self.trainer.layout.devices)
        parts = [f"{runs} run{'s' * (runs > 1)}"]
        if at_once < runs:
            parts.append(f"{at_once} at a time")
        if self.required is not None:
            each = " on each of them" if devices > 1 else ""
            parts.append(
                f"{devices} device{'s' * (devices > 1)}, about {gib(self.required)} of"
                f" {gib(self.available)}{each}"
            )
        line = f"memory: {', '.join(parts)}"
        if self.fits:
            return line
        return (
            f"warning: {line}: this may be too much; reduce training.batch_size, or the length of"
            " recordings by corpus.lengths"
        )


def device_peak(device: Any) -> int:
    """Most bytes that a device has held at once so far; 0 if it shares the host's memory."""
    stats = device.memory_stats() if device.platform != "cpu" else None
    return int((stats or {}).get("peak_bytes_in_use", 0))


def available_bytes(chosen: Layout) -> int:
    """Bytes of memory that programs may take on each device of a layout."""
    device = chosen.devices[0]
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats and "bytes_limit" in stats:
        return int(_SHARE * stats["bytes_limit"])
    sharing = [each for each in chosen.devices if each.process_index == jax.process_index()]
    return int(_SHARE * host_memory.available() / max(1, len(sharing)))


def required_bytes(analysis: Any, *, waiting: int = 0, on_host: bool = False) -> int | None:
    """Bytes that a compiled program needs on each device; None if unknown.

    Args:
      analysis: memory analysis of a program whose donated argument is the state of its runs.
      waiting: number of equal states that stay on the device without being computed.
      on_host: whether the device shares the memory of the host.
    """
    if analysis is None:
        return None
    arguments = (
        analysis.argument_size_in_bytes
        + analysis.output_size_in_bytes
        - analysis.alias_size_in_bytes
    )
    states = analysis.alias_size_in_bytes * (waiting + (_HOST_COPIES if on_host else 0))
    return int(arguments + analysis.temp_size_in_bytes + states)


def plan(
    create: Callable[[Layout], Trainer],
    runs: step.Run,
    *,
    batch_size: int,
    at_once: int = 0,
    runs_per_device: int = 0,
    devices: int = 0,
    backend: Backend = "jit",
    deterministic: bool = False,
) -> Plan:
    """Plans to train as many of the runs at once as fit on the devices.

    Args:
      create: creates a trainer for a layout.
      runs: all runs that will be trained.
      batch_size: number of examples of a batch that may be split among devices.
      at_once: number of runs to train at once; 0 derives it from the compiler's memory analysis.
      runs_per_device: the same, for each device.
      devices: number of devices to use; 0 uses all.
      backend: `jit` or `pmap`.
      deterministic: as in `devices.layout`.
    """
    total = len(runs.seed)
    settings: dict[str, Any] = {
        "devices": devices,
        "backend": backend,
        "deterministic": deterministic,
        "batch_size": batch_size,
    }
    rows = layout(total, **settings).rows
    size = at_once or (min(total, runs_per_device * rows) if runs_per_device else total)
    while True:
        chosen = layout(size, **settings)
        available = hosts.minimum(available_bytes(chosen))  # before the data are placed
        trainer = create(chosen)
        on_host = chosen.devices[0].platform == "cpu"
        # Deterministic programs compute one run at a time.
        waiting = _each(chosen) - 1 if deterministic else 0
        required = required_bytes(trainer.memory_analysis(runs), waiting=waiting, on_host=on_host)
        found = Plan(trainer, required, available)
        if at_once or runs_per_device or found.fits or required is None:
            return found
        smaller = _smaller(chosen, available / required, on_host)
        if smaller is None:
            return found
        size, settings["devices"] = smaller
        del trainer, found  # with its copy of the data


def plan_in_memory(
    experiment: Experiment, splits: Mapping[str, step.Data], runs: step.Run, **settings: Any
) -> Plan:
    """As `plan`, for `train` and `validation` splits on the host.

    Args:
      experiment: experiment to train.
      splits: splits on the host.
      runs: all runs that will be trained.
      **settings: further arguments of `plan`.
    """
    create = lambda chosen: Trainer(experiment, splits, chosen)
    return plan(create, runs, batch_size=experiment.training.shared_batch, **settings)


def _each(chosen: Layout) -> int:
    """Number of runs on each device, or on the devices that share one."""
    return chosen.padded // chosen.rows


def _smaller(chosen: Layout, ratio: float, on_host: bool) -> tuple[int, int] | None:
    """The next numbers of runs and devices to try; None if there is nothing smaller.

    Args:
      chosen: layout that takes too much.
      ratio: what there is, divided by what it takes.
      on_host: whether devices share memory, so that fewer of them have more each.
    """
    each, devices = _each(chosen), len(chosen.devices)
    if each > 1:
        return max(1, min(each - 1, int(each * ratio))) * chosen.rows, devices
    if on_host and chosen.rows > 1:  # the devices then share the batches of fewer runs
        return max(1, min(chosen.rows - 1, int(chosen.rows * ratio))), devices
    if on_host and devices > 1:
        return 1, devices // 2
    return None
