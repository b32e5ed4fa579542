"""Assignment of runs to devices: a runs axis, and optionally the batch axis, sharded over devices.

Supports `jit` with shardings and `pmap`, over the devices of one or several processes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxdep.train import compiler, host_memory, hosts

Backend = Literal["jit", "pmap"]
_RUN, _BATCH = "run", "batch"


@dataclass(frozen=True)
class Layout:
    """Assignment of runs to devices.

    Attributes:
      devices: devices in use.
      runs: actual number of runs; the runs axis is padded to a multiple of the number of devices.
      backend: `jit` (shardings) or `pmap`.
      vectorized: whether the runs on a device are vectorized with `vmap`; otherwise they are
        executed one after another inside the program. Batching small matrix products is slower on
        CPUs and faster on GPUs.
      shards: number of devices that share the batches of each run; 1 keeps a run on one device.
        Requires `jit`.
    """

    devices: tuple[Any, ...]
    runs: int
    backend: Backend
    vectorized: bool
    shards: int = 1

    @property
    def padded(self) -> int:
        """Length of the runs axis, including padding."""
        return -(-self.runs // self.rows) * self.rows

    @property
    def rows(self) -> int:
        """Number of parts that the runs axis is split into."""
        return len(self.devices) // self.shards

    @property
    def options(self) -> dict[str, Any]:
        """Options for XLA's compiler."""
        on_cpu = self.devices[0].platform == "cpu"
        return compiler.supported(compiler.LOW_MEMORY if on_cpu else {})

    def place_runs(self, tree: Any, fill: int | None = None) -> Any:
        """Places the arrays of at most `runs` runs on the devices.

        Args:
          tree: arrays whose first axis is the runs axis.
          fill: value that pads the runs axis; None repeats the first run.
        """

        def pad(x: np.ndarray) -> np.ndarray:
            extra = self.padded - len(x)
            filler = np.repeat(x[:1], extra, axis=0) if fill is None else np.full(extra, fill)
            return np.concatenate([x, filler.astype(x.dtype)]) if extra else x

        return self._put(jax.tree.map(lambda x: self._split(pad(np.asarray(x))), tree))

    def place_shared(self, tree: Any) -> Any:
        """Replicates arrays that all runs read on every device."""
        if self.backend == "jit":
            return hosts.replicate(tree, self._mesh)
        n = len(self.devices)
        copies = jax.tree.map(lambda x: np.broadcast_to(np.asarray(x), (n, *np.shape(x))), tree)
        return self._put(copies)

    def fetch(self, tree: Any) -> Any:
        """Copies arrays [runs, ...] back to the host and removes the padding."""
        join = lambda x: x if self.backend == "jit" else x.reshape(-1, *x.shape[2:])
        return jax.tree.map(lambda x: join(hosts.gather(x))[: self.runs], tree)

    def compile(self, function: Callable[..., Any], *, in_place: bool = False) -> Any:
        """Compiles a function of one run into a function of all runs.

        Args:
          function: `function(run, state, *shared)` of a single run. The first two arguments and all
            outputs get a runs axis; the remaining arguments are shared by all runs.
          in_place: whether it returns a pair of the new state and something else. The new state
            then takes the memory of the old one, which can no longer be used.

        Returns:
          A compiled function of arrays placed by `place_runs` and `place_shared`. Runs never
          communicate.
        """

        def local(runs: Any, states: Any, *shared: Any) -> Any:
            one = lambda run, state: function(run, state, *shared)
            if self.vectorized:
                return jax.vmap(one)(runs, states)
            if in_place:
                return _update_each(one, runs, states)
            return jax.lax.map(lambda both: one(*both), (runs, states))

        donate = (1,) if in_place else ()
        if self.backend == "pmap":
            return jax.pmap(local, axis_name=_RUN, devices=self.devices, donate_argnums=donate)

        def spread(run: Any, state: Any, *shared: Any) -> Any:
            specs = (P(_RUN), P(_RUN), *(P() for _ in shared))
            # The compiler partitions the batch axis: see `spread_batch`.
            inner = jax.shard_map(
                local,
                mesh=self._mesh,
                in_specs=specs,
                out_specs=P(_RUN),
                axis_names={_RUN},
                check_vma=False,
            )
            return inner(run, state, *shared)

        return jax.jit(spread, donate_argnums=donate, compiler_options=self.options)

    def compile_ahead(
        self,
        function: Callable[..., Any],
        run: Any,
        state: Any,
        *shared: Any,
        in_place: bool = False,
    ) -> Any:
        """Compiles a function as `compile` does, but at once.

        Args:
          function: as in `compile`.
          run: shapes and dtypes of the function's first argument.
          state: shapes and dtypes of its second argument.
          *shared: the remaining arguments, placed by `place_shared`.
          in_place: as in `compile`.
        """
        blanks = (self._blank_runs(run), self._blank_runs(state))
        program = self.compile(function, in_place=in_place).lower(*blanks, *shared).compile()
        host_memory.release()
        return program

    @property
    def _mesh(self) -> Mesh:
        grid = np.asarray(self.devices).reshape(self.rows, self.shards)
        return Mesh(grid, (_RUN, _BATCH), axis_types=(AxisType.Auto, AxisType.Auto))

    def _blank_runs(self, one: Any) -> Any:
        """Shapes of the result of `place_runs`, from those of a single run."""
        sharding = NamedSharding(self._mesh, P(_RUN))
        head = (self.padded,)
        if self.backend == "pmap":
            head = (len(self.devices), self.padded // len(self.devices))
        blank = lambda x: jax.ShapeDtypeStruct((*head, *x.shape), x.dtype, sharding=sharding)
        return jax.tree.map(blank, one)

    def _put(self, tree: Any) -> Any:
        return hosts.place(tree, NamedSharding(self._mesh, P(_RUN)))

    def _split(self, array: np.ndarray) -> np.ndarray:
        if self.backend == "jit":
            return array
        return array.reshape(len(self.devices), -1, *array.shape[1:])


def _update_each(
    function: Callable[[Any, Any], tuple[Any, Any]], runs: Any, states: Any
) -> tuple[Any, Any]:
    """Updates the states of runs one after another, each in its place.

    `jax.lax.map` would hold the states of all runs twice, before and after.
    """

    def update(states: Any, number_and_run: tuple[Any, Any]) -> tuple[Any, Any]:
        number, run = number_and_run
        state, other = function(run, jax.tree.map(lambda x: x[number], states))
        return jax.tree.map(lambda x, new: x.at[number].set(new), states, state), other

    count = len(jax.tree.leaves(runs)[0])
    return jax.lax.scan(update, states, (jnp.arange(count), runs))


def spread_batch(batch: Any) -> Any:
    """Shards the examples of a batch over the devices that share a run.

    For use inside a program compiled by `Layout.compile`. The compiler then partitions everything
    that depends on the batch in the same way and sums the gradients, so the result equals that of
    one device.
    """
    if jax.sharding.get_abstract_mesh().shape.get(_BATCH, 1) == 1:
        return batch
    spread = lambda x: jax.lax.with_sharding_constraint(x, P(_BATCH))
    return jax.tree.map(spread, batch)
