"""Devices of this machine: configuration at start, choice of a layout for runs, description."""

from __future__ import annotations

import os
from typing import Any

import jax
import platformdirs

from jaxdep.errors import UserError
from jaxdep.train.deterministic import DeterministicLayout
from jaxdep.train.layout import Backend, Layout


def start() -> None:
    """Configures JAX for this machine; call it before any JAX computation."""
    use_every_core()
    use_compilation_cache()


def use_compilation_cache() -> None:
    """Enables the persistent compilation cache in the user's cache folder, unless already set."""
    config: Any = jax.config  # defines its settings at run time
    if config.jax_compilation_cache_dir is None:
        folder = platformdirs.user_cache_path("jaxdep") / "programs"
        jax.config.update("jax_compilation_cache_dir", str(folder))


def use_every_core() -> None:
    """Exposes each CPU core as a device, so that runs train in parallel on a CPU.

    Does nothing if JAX is already initialized or if the user has set the number of devices.
    """
    chosen = "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
    config: Any = jax.config  # defines its settings at run time
    if not chosen and config.jax_num_cpu_devices < 1:
        try:
            jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))
        except RuntimeError:
            return  # JAX is already initialized: the number of devices is fixed


def use_cpu_only() -> None:
    """Leaves accelerators to other processes; call it before any JAX computation."""
    jax.config.update("jax_platforms", "cpu")


def layout(
    runs: int,
    *,
    devices: int = 0,
    backend: Backend = "jit",
    vectorized: bool | None = None,
    batch_size: int = 1,
    shard_batch: bool | None = None,
    deterministic: bool = False,
) -> Layout:
    """Chooses the devices for a number of runs.

    Args:
      runs: number of runs.
      devices: number of devices to use; 0 uses all.
      backend: `jit` or `pmap`.
      vectorized: as in `Layout`; None means True on accelerators and False on CPUs.
      batch_size: number of examples per update that may be split among devices.
      shard_batch: whether runs may share their batches among several devices if there are more
        devices than runs; the number of devices per run divides `batch_size`. None means True on
        CPUs, where each core is a device.
      deterministic: whether the bits of a run depend neither on the devices nor on other runs.

    Raises:
      UserError: there are fewer devices than requested, or the backend is unknown or does not suit
        the other arguments.
    """
    available = jax.devices()
    if devices > len(available):
        raise UserError(
            f"--devices {devices}: JAX sees {len(available)} ({available[0].platform});"
            " on a CPU, set XLA_FLAGS=--xla_force_host_platform_device_count=N for more"
        )
    if backend not in ("jit", "pmap"):
        raise UserError(f"--backend {backend}: unknown backend; choose jit or pmap")
    on_cpu = available[0].platform == "cpu"
    count = devices or len(available)
    rows = min(count, runs)
    if deterministic:
        _check_deterministic(backend)
        return DeterministicLayout(tuple(available[:rows]), runs, backend, vectorized=False)
    shards = 1
    if backend == "jit" and (on_cpu if shard_batch is None else shard_batch):
        shards = max(n for n in range(1, count // rows + 1) if batch_size % n == 0)
    if vectorized is None:
        vectorized = not on_cpu
    chosen = tuple(available[: rows * shards])
    if jax.process_count() > 1:
        _check_processes(chosen, backend)
    return Layout(chosen, runs, backend, vectorized, shards)


def _check_deterministic(backend: Backend) -> None:
    if backend == "pmap":
        raise UserError("--deterministic requires --backend jit, as pmap compiles all runs as one")
    if jax.process_count() > 1:
        raise UserError("--deterministic supports a single process only; omit --distributed")


def _check_processes(chosen: tuple[Any, ...], backend: Backend) -> None:
    if backend == "pmap":
        raise UserError("--backend pmap supports a single process only; use --backend jit")
    idle = set(range(jax.process_count())) - {device.process_index for device in chosen}
    if idle:
        raise UserError(
            f"{len(idle)} of {jax.process_count()} processes would be idle;"
            " train more runs or start fewer processes"
        )


def describe() -> list[str]:
    """Describes the visible devices, for `environment.json`."""
    return [f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices()]
