"""Where runs live: a runs axis, and the batch axis of each run, spread over devices.

By `jit` with shardings, or by `pmap`; over the devices of one process or of many.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxdep.errors import UserError
from jaxdep.train import hosts

Backend = Literal["jit", "pmap"]
_RUN, _BATCH = "run", "batch"


def start() -> None:
    """Readies JAX for this machine; call it before anything touches a device."""
    use_every_core()
    keep_programs()


def keep_programs() -> None:
    """Keeps compiled programs in the user's cache, unless the user has chosen another place."""
    if jax.config.jax_compilation_cache_dir is None:
        folder = Path.home() / ".cache" / "jaxdep" / "programs"
        jax.config.update("jax_compilation_cache_dir", str(folder))


def use_every_core() -> None:
    """Makes each CPU core a device, so that runs on a CPU train side by side.

    Does nothing once JAX has started, or where the user has chosen a number of devices.
    """
    chosen = "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
    if not chosen and jax.config.jax_num_cpu_devices < 1:
        try:
            jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))
        except RuntimeError:
            return  # JAX has started: the devices are what they are


@dataclass(frozen=True)
class Layout:
    """How the runs axis is laid over devices.

    Attributes:
      devices: the devices used.
      runs: how many runs there really are; the axis is padded to a multiple of the devices.
      backend: `jit` (shardings) or `pmap`.
      vectorized: the runs of one device in one vectorised program (`vmap`), or one after another
        inside the program. On a CPU batched small matrix products lose, on a GPU they win.
      shards: devices that share the batches of each run; 1: a run lives on one device. Only `jit`.
    """

    devices: tuple[Any, ...]
    runs: int
    backend: Backend
    vectorized: bool
    shards: int = 1

    @property
    def padded(self) -> int:
        """Length of the runs axis, padding included."""
        return -(-self.runs // self.rows) * self.rows

    @property
    def rows(self) -> int:
        """Parts that the runs axis is cut into."""
        return len(self.devices) // self.shards

    def place_runs(self, tree: Any, fill: int | None = None) -> Any:
        """Puts arrays of at most `runs` runs on the devices.

        Args:
          fill: what pads the runs axis; None: copies of the first run.
        """

        def pad(x: np.ndarray) -> np.ndarray:
            extra = self.padded - len(x)
            filler = np.repeat(x[:1], extra, axis=0) if fill is None else np.full(extra, fill)
            return np.concatenate([x, filler.astype(x.dtype)]) if extra else x

        return self._put(jax.tree.map(lambda x: self._split(pad(np.asarray(x))), tree), P(_RUN))

    def blank_runs(self, one: Any) -> Any:
        """Shapes of what `place_runs` makes, from those of a single run: to compile ahead."""
        sharding = NamedSharding(self._mesh, P(_RUN))
        head = (self.padded,)
        if self.backend == "pmap":
            head = (len(self.devices), self.padded // len(self.devices))
        blank = lambda x: jax.ShapeDtypeStruct((*head, *x.shape), x.dtype, sharding=sharding)
        return jax.tree.map(blank, one)

    def place_shared(self, tree: Any) -> Any:
        """Puts a copy of arrays that all runs read on every device."""
        if self.backend == "jit":
            return self._put(tree, P())
        n = len(self.devices)
        copies = jax.tree.map(lambda x: np.broadcast_to(np.asarray(x), (n, *np.shape(x))), tree)
        return self._put(copies, P(_RUN))

    def fetch(self, tree: Any) -> Any:
        """Brings arrays [runs, ...] back to the host, without the padding."""
        join = lambda x: x if self.backend == "jit" else x.reshape(-1, *x.shape[2:])
        return jax.tree.map(lambda x: join(hosts.gather(x))[: self.runs], tree)

    def compile(self, function: Callable[..., Any], *, donate: tuple[int, ...] = ()) -> Any:
        """Turns a function of one run into one of all runs.

        Args:
          function: `function(run, state, *shared)` of single runs; what is not a run is shared.
            Its first two arguments have the runs axis, and so has all that it returns.
          donate: which of those two may be overwritten.

        Returns:
          A compiled function of arrays that `place_runs` and `place_shared` have placed. Runs
          never communicate.
        """

        def local(run: Any, state: Any, *shared: Any) -> Any:
            one = lambda both: function(*both, *shared)
            return (
                jax.vmap(one)((run, state)) if self.vectorized else jax.lax.map(one, (run, state))
            )

        if self.backend == "pmap":
            return jax.pmap(local, axis_name=_RUN, devices=self.devices, donate_argnums=donate)

        def spread(run: Any, state: Any, *shared: Any) -> Any:
            specs = (P(_RUN), P(_RUN), *(P() for _ in shared))
            # The batch axis is left to the compiler: see `spread_batch`.
            inner = jax.shard_map(
                local,
                mesh=self._mesh,
                in_specs=specs,
                out_specs=P(_RUN),
                axis_names={_RUN},
                check_vma=False,
            )
            return inner(run, state, *shared)

        options = _thrifty() if self.devices[0].platform == "cpu" else {}
        return jax.jit(spread, donate_argnums=donate, compiler_options=options)

    @property
    def _mesh(self) -> Mesh:
        grid = np.asarray(self.devices).reshape(self.rows, self.shards)
        return Mesh(grid, (_RUN, _BATCH), axis_types=(AxisType.Auto, AxisType.Auto))

    def _put(self, tree: Any, spec: P) -> Any:
        return hosts.place(tree, NamedSharding(self._mesh, spec))

    def _split(self, array: np.ndarray) -> np.ndarray:
        if self.backend == "jit":
            return array
        return array.reshape(len(self.devices), -1, *array.shape[1:])


@functools.cache
def _thrifty() -> dict[str, Any]:
    """Makes a CPU's compiler order work for little memory: a third less, and no slower.

    Its default order is for programs whose parts run side by side; here devices do that.
    """
    options = {"xla_cpu_scheduler_type": "CPU_SCHEDULER_TYPE_MEMORY_OPTIMIZED"}
    try:
        jax.jit(lambda: 0, compiler_options=options)()
    except jax.errors.JaxRuntimeError:
        return {}  # this XLA does not know it
    return options


def spread_batch(batch: Any) -> Any:
    """Spreads the examples of a batch over the devices that share its run.

    Inside a program that `Layout.compile` made. The compiler then cuts all that depends on the
    batch in the same way and adds the gradients up: what is computed is that of one device.
    """
    if jax.sharding.get_abstract_mesh().shape.get(_BATCH, 1) == 1:
        return batch
    spread = lambda x: jax.lax.with_sharding_constraint(x, P(_BATCH))
    return jax.tree.map(spread, batch)


def layout(
    runs: int,
    *,
    devices: int = 0,
    backend: Backend = "jit",
    vectorized: bool | None = None,
    batch_size: int = 1,
    shard_batch: bool | None = None,
) -> Layout:
    """Chooses devices for a number of runs.

    Args:
      devices: how many to use; 0: all there are.
      vectorized: None: on accelerators yes, on CPUs no.
      batch_size: examples of an update, as far as they may be spread over devices.
      shard_batch: whether devices that no run has for itself share batches, as many as divide
        `batch_size`; None: on CPUs, where a device is a core.

    Raises:
      UserError: there are fewer devices, or no such backend.
    """
    available = jax.devices()
    if devices > len(available):
        raise UserError(
            f"--devices {devices}: JAX sees {len(available)} ({available[0].platform});"
            " on a CPU, XLA_FLAGS=--xla_force_host_platform_device_count=N makes more"
        )
    if backend not in ("jit", "pmap"):
        raise UserError(f"--backend {backend}: there are jit and pmap")
    on_cpu = available[0].platform == "cpu"
    count = devices or len(available)
    rows = min(count, runs)
    shards = 1
    if backend == "jit" and (on_cpu if shard_batch is None else shard_batch):
        shards = max(n for n in range(1, count // rows + 1) if batch_size % n == 0)
    if vectorized is None:
        vectorized = not on_cpu
    chosen = tuple(available[: rows * shards])
    if jax.process_count() > 1:
        _check_processes(chosen, backend)
    return Layout(chosen, runs, backend, vectorized, shards)


def _check_processes(chosen: tuple[Any, ...], backend: Backend) -> None:
    if backend == "pmap":
        raise UserError("--backend pmap is for one process: with several, use jit")
    idle = set(range(jax.process_count())) - {device.process_index for device in chosen}
    if idle:
        raise UserError(
            f"{jax.process_count()} processes, and nothing for {len(idle)} of them to do:"
            " give more runs, or start fewer processes"
        )


def describe() -> list[str]:
    """The devices that JAX sees, for `environment.json`."""
    return [f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices()]
