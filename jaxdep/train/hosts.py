"""Several processes as one machine: started together, each trains its share of the runs.

Every process executes the same commands on the same arrays; only the first one speaks and writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding

from jaxdep.errors import UserError


def join(coordinator: str = "", processes: int = 0, process: int = 0) -> None:
    """Joins this process to the others; call it before anything touches a device.

    Under Slurm, Open MPI and Kubernetes JAX finds the others by itself. Processes that cannot
    reach the first one are ended by JAX.

    Args:
      coordinator: `HOST:PORT` of the first process; empty: as the cluster's scheduler says.
      processes: how many there are.
      process: which of them this is.

    Raises:
      UserError: no scheduler is there to say, or the numbers make no sense.
    """
    given: dict[str, Any] = {}
    if coordinator:
        if not 0 <= process < processes:
            raise UserError(f"--process {process} of --processes {processes}: count from 0")
        given = {
            "coordinator_address": coordinator,
            "num_processes": processes,
            "process_id": process,
        }
    try:
        jax.distributed.initialize(**given)
    except ValueError as error:
        raise UserError(
            f"no Slurm, Open MPI or Kubernetes job is seen here ({error});"
            " give --coordinator HOST:PORT --processes N --process I"
        ) from None


def first() -> bool:
    """Whether this process is the one that speaks and writes."""
    return jax.process_index() == 0


def wait(name: str) -> None:
    """Waits until all processes have come here."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


@contextmanager
def first_then_others(name: str) -> Iterator[None]:
    """Lets the first process do what follows, then the others, who find its work done."""
    if not first():
        wait(name)
    yield
    if first():
        wait(name)


def place(tree: Any, sharding: NamedSharding) -> Any:
    """Puts arrays that every process has whole on the devices of all."""
    if sharding.is_fully_addressable:
        return jax.device_put(tree, sharding)

    def put(x: Any) -> jax.Array:
        array = np.asarray(x)
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])

    return jax.tree.map(put, tree)


def gather(array: jax.Array) -> np.ndarray:
    """Brings an array whole to every process."""
    if not isinstance(array, jax.Array) or array.is_fully_addressable:
        return np.asarray(array)
    return np.asarray(multihost_utils.process_allgather(array, tiled=True))


def smallest(value: int) -> int:
    """The smallest of the processes' values, so that all decide alike."""
    if jax.process_count() == 1:
        return value
    return int(np.min(multihost_utils.process_allgather(np.asarray(value))))
