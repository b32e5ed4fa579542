"""A layout under which the bits of a run depend on that run alone.

The compiler writes another program for every number of runs and of devices, and other programs
round differently. Here every run is computed by the same program of one run, on one device and, on
a CPU, in one thread; the runs of a device are computed one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import SingleDeviceSharding

from jaxdep.train import compiler, host_memory, hosts
from jaxdep.train.layout import Layout


@dataclass(frozen=True)
class _Parts:
    """A leaf of a placed tree: an array for each run or, if runs share it, for each device.

    Unlike a list, it is a leaf to JAX, so that a placed tree keeps its structure.
    """

    arrays: tuple[Any, ...]


class DeterministicLayout(Layout):
    """A `Layout` of separate programs: run `r` is computed on device `r % len(devices)`."""

    @property
    def options(self) -> dict[str, Any]:
        """Options for XLA's compiler."""
        return compiler.supported(compiler.DETERMINISTIC)

    def place_runs(self, tree: Any, fill: int | None = None) -> Any:
        """As in `Layout`; no run is ever added, so that `fill` is not used."""
        tree = jax.tree.map(np.asarray, tree)
        number = len(jax.tree.leaves(tree)[0])
        of_run = lambda run: jax.tree.map(lambda x: x[run], tree)
        return _join(jax.device_put(of_run(run), self._device(run)) for run in range(number))

    def place_shared(self, tree: Any) -> Any:
        """As in `Layout`."""
        return _join(hosts.copies(tree, self.devices))

    def fetch(self, tree: Any) -> Any:
        """As in `Layout`."""
        return jax.tree.map(lambda parts: np.stack(jax.device_get(parts.arrays)), tree)

    def compile(self, function: Callable[..., Any], *, in_place: bool = False) -> Any:
        """As in `Layout`."""
        program = self._jit(function, in_place)
        return _Programs([program] * len(self.devices))

    def compile_ahead(
        self,
        function: Callable[..., Any],
        run: Any,
        state: Any,
        *shared: Any,
        in_place: bool = False,
    ) -> Any:
        """As in `Layout`; the devices' programs are compiled at the same time."""
        program = self._jit(function, in_place)

        def lower(number: int) -> Any:
            place = SingleDeviceSharding(self.devices[number])
            blank = lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place)
            arguments = jax.tree.map(blank, (run, state))
            return program.lower(*arguments, *(_part(tree, number) for tree in shared))

        lowered = [lower(number) for number in range(len(self.devices))]
        with ThreadPoolExecutor() as pool:
            programs = list(pool.map(lambda each: each.compile(), lowered))
        host_memory.release()
        return _Programs(programs)

    def _jit(self, function: Callable[..., Any], in_place: bool) -> Any:
        donate = (1,) if in_place else ()
        return jax.jit(function, donate_argnums=donate, compiler_options=self.options)

    def _device(self, run: int) -> Any:
        return self.devices[run % len(self.devices)]


@dataclass(frozen=True)
class _Programs:
    """The same program for each device, as a function of all runs."""

    by_device: Sequence[Any]

    def __call__(self, run: Any, state: Any, *shared: Any) -> Any:
        """Computes all runs; devices work at the same time."""
        devices = len(self.by_device)
        return _join(
            self.by_device[number % devices](
                *(_part(tree, number) for tree in (run, state)),
                *(_part(tree, number % devices) for tree in shared),
            )
            for number in range(len(jax.tree.leaves(run)[0].arrays))
        )

    def memory_analysis(self) -> Any:
        """The compiler's analysis of one run's program."""
        return self.by_device[0].memory_analysis()


def _join(trees: Iterable[Any]) -> Any:
    """Joins equal trees to one tree of `_Parts`."""
    return jax.tree.map(lambda *arrays: _Parts(arrays), *trees)


def _part(tree: Any, number: int) -> Any:
    """One of the joined trees."""
    return jax.tree.map(lambda parts: parts.arrays[number], tree)
