"""Multi-process training: processes that start together each train a share of the runs.

All processes run the same program on the same data; only the first one prints and writes files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxdep.errors import UserError

_ALIGNMENT = 64
"""Number of bytes that divides the addresses of arrays that XLA reads where they lie."""


def join(coordinator: str = "", processes: int = 0, process: int = 0) -> None:
    """Connects this process to the others; call it before any JAX computation.

    Under Slurm, Open MPI and Kubernetes, JAX detects the other processes. JAX terminates processes
    that cannot reach the first one.

    Args:
      coordinator: `HOST:PORT` of the first process; empty to ask the cluster's scheduler.
      processes: total number of processes.
      process: index of this process.

    Raises:
      UserError: no scheduler is detected, or the process index is out of range.
    """
    settings: dict[str, Any] = {}
    if coordinator:
        if not 0 <= process < processes:
            raise UserError(
                f"--process {process} is out of range for --processes {processes};"
                " processes are numbered from 0"
            )
        settings = {
            "coordinator_address": coordinator,
            "num_processes": processes,
            "process_id": process,
        }
    try:
        jax.distributed.initialize(**settings)
    except ValueError as error:
        raise UserError(
            f"no Slurm, Open MPI or Kubernetes job detected ({error});"
            " set --coordinator HOST:PORT --processes N --process I"
        ) from None


def is_first() -> bool:
    """Whether this is the first process, which prints and writes files."""
    return jax.process_index() == 0


def wait(name: str) -> None:
    """Blocks until all processes have reached this point.

    Args:
      name: label of this barrier.
    """
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


@contextmanager
def first_then_others(name: str) -> Iterator[None]:
    """Runs the body in the first process, then in the others, which find its results on disk."""
    if not is_first():
        wait(name)
    yield
    if is_first():
        wait(name)


def place(tree: Any, sharding: NamedSharding) -> Any:
    """Places arrays that every process holds in full on the devices of all processes."""
    if sharding.is_fully_addressable:
        return jax.device_put(tree, sharding)

    def put(x: Any) -> jax.Array:
        array = np.asarray(x)
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])

    return jax.tree.map(put, tree)


def replicate(tree: Any, mesh: Mesh) -> Any:
    """Places arrays that every process holds in full on each device of all processes."""
    sharding = NamedSharding(mesh, PartitionSpec())
    if not sharding.is_fully_addressable:
        return place(tree, sharding)
    join = lambda *x: jax.make_array_from_single_device_arrays(x[0].shape, sharding, list(x))
    return jax.tree.map(join, *copies(tree, list(mesh.devices.flat)))


def copies(tree: Any, devices: Sequence[Any]) -> list[Any]:
    """Places arrays on every device; the devices of a CPU read them where they lie, once."""
    if devices[0].platform == "cpu":
        tree = jax.tree.map(_aligned, tree)
    return [jax.device_put(tree, device) for device in devices]


def _aligned(x: Any) -> np.ndarray:
    """An array at an address from which XLA reads without a copy of its own."""
    x = np.asarray(x)
    if x.flags.c_contiguous and x.ctypes.data % _ALIGNMENT == 0:
        return x
    room = np.empty(x.nbytes + _ALIGNMENT, np.uint8)
    start = -room.ctypes.data % _ALIGNMENT
    copy = room[start : start + x.nbytes].view(x.dtype).reshape(x.shape)
    copy[...] = x
    return copy


def gather(array: jax.Array) -> np.ndarray:
    """Gathers a sharded array in full on every process."""
    if not isinstance(array, jax.Array) or array.is_fully_addressable:
        return np.asarray(array)
    return np.asarray(multihost_utils.process_allgather(array, tiled=True))


def minimum(value: int) -> int:
    """The minimum of a value over all processes, so that all make the same decision.

    Several processes get it to the precision of float32: JAX has no integers for 2 GiB and more.
    """
    if jax.process_count() == 1:
        return value
    return int(np.min(multihost_utils.process_allgather(np.asarray(value, np.float32))))
