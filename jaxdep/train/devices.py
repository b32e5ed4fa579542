"""Where runs live: a runs axis spread over devices, by `jit` with shardings or by `pmap`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxdep.errors import UserError

Backend = Literal["jit", "pmap"]
_AXIS = "run"


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
      devices: the devices used; no more than there are runs.
      runs: how many runs there really are; the axis is padded to a multiple of the devices.
      backend: `jit` (shardings) or `pmap`.
      vectorized: the runs of one device in one vectorised program (`vmap`), or one after another
        inside the program. On a CPU batched small matrix products lose, on a GPU they win.
    """

    devices: tuple[Any, ...]
    runs: int
    backend: Backend
    vectorized: bool

    @property
    def padded(self) -> int:
        """Length of the runs axis, padding included."""
        return -(-self.runs // len(self.devices)) * len(self.devices)

    def place_runs(self, tree: Any, fill: int | None = None) -> Any:
        """Puts arrays [runs, ...] on the devices.

        Args:
          fill: what pads the runs axis; None: copies of the first run.
        """
        extra = self.padded - self.runs
        filler = lambda x: np.repeat(x[:1], extra, axis=0) if fill is None else np.full(extra, fill)
        pad = lambda x: np.concatenate([x, filler(x).astype(x.dtype)]) if extra else x
        return self._put(jax.tree.map(lambda x: self._split(pad(np.asarray(x))), tree), P(_AXIS))

    def place_shared(self, tree: Any) -> Any:
        """Puts a copy of arrays that all runs read on every device."""
        if self.backend == "jit":
            return self._put(tree, P())
        n = len(self.devices)
        copies = jax.tree.map(lambda x: np.broadcast_to(np.asarray(x), (n, *np.shape(x))), tree)
        return self._put(copies, P(_AXIS))

    def fetch(self, tree: Any) -> Any:
        """Brings arrays [runs, ...] back to the host, without the padding."""
        join = lambda x: x if self.backend == "jit" else x.reshape(-1, *x.shape[2:])
        return jax.tree.map(lambda x: join(np.asarray(x))[: self.runs], tree)

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
            return jax.pmap(local, axis_name=_AXIS, devices=self.devices, donate_argnums=donate)

        def spread(run: Any, state: Any, *shared: Any) -> Any:
            specs = (P(_AXIS), P(_AXIS), *(P() for _ in shared))
            inner = jax.shard_map(
                local, mesh=self._mesh, in_specs=specs, out_specs=P(_AXIS), check_vma=False
            )
            return inner(run, state, *shared)

        return jax.jit(spread, donate_argnums=donate)

    @property
    def _mesh(self) -> Mesh:
        return Mesh(np.asarray(self.devices), (_AXIS,), axis_types=(AxisType.Auto,))

    def _put(self, tree: Any, spec: P) -> Any:
        return jax.device_put(tree, NamedSharding(self._mesh, spec))

    def _split(self, array: np.ndarray) -> np.ndarray:
        if self.backend == "jit":
            return array
        return array.reshape(len(self.devices), -1, *array.shape[1:])


def layout(
    runs: int, *, devices: int = 0, backend: Backend = "jit", vectorized: bool | None = None
) -> Layout:
    """Chooses devices for a number of runs.

    Args:
      devices: how many to use; 0: all there are.
      vectorized: None: on accelerators yes, on CPUs no.

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
    chosen = tuple(available[: min(devices or len(available), runs)])
    if vectorized is None:
        vectorized = chosen[0].platform != "cpu"
    return Layout(chosen, runs, backend, vectorized)


def describe() -> list[str]:
    """The devices that JAX sees, for `environment.json`."""
    return [f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices()]
