"""The scaling law: time as a fixed part and a part per unit, fitted to measured results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxdep.benchmarks import measured, rows
from jaxdep.benchmarks.worker import OURS

AXES: Mapping[str, str] = {
    "seeds": "seed-counts",
    "recordings": "recordings",
    "batch": "batch",
    "length": "length",
}
"""Benchmark that varies each quantity."""


@dataclass(frozen=True)
class Fit:
    """Seconds = `fixed` + `each` x units, of one side.

    Attributes:
      side: `ours`, or the name of a reference.
      units: numbers of units that were measured, ascending.
      seconds: measured seconds.
      fixed: seconds that do not depend on the units.
      each: seconds per unit.
      error: largest relative deviation of the fit from a measurement.
    """

    side: str
    units: tuple[float, ...]
    seconds: tuple[float, ...]
    fixed: float
    each: float
    error: float

    def at(self, units: float) -> float:
        """Fitted seconds."""
        return self.fixed + self.each * units


def fits(line: Mapping[str, Any], axis: str) -> list[Fit]:
    """Fits each side of a result, ours first.

    Args:
      line: result with at least two measurements.
      axis: quantity that differs between its measurements, a key of `AXES`.
    """
    points = sorted(rows.points_of(line), key=lambda point: point[axis])
    units = [float(point[axis]) for point in points]
    sides = {OURS: [point["ours_s"] for point in points]}
    for name in points[0].get("theirs_s", {}):
        sides[name] = [point["theirs_s"][name] for point in points]
    return [fit(name, units, seconds) for name, seconds in sides.items()]


def fit(side: str, units: Sequence[float], seconds: Sequence[float]) -> Fit:
    """Fits by least squares of relative deviations, so that short measurements count as well."""
    x, y = np.asarray(units, float), np.asarray(seconds, float)
    columns = np.stack([1 / y, x / y], axis=1)
    (fixed, each), *_ = np.linalg.lstsq(columns, np.ones(len(y)), rcond=None)
    error = float(np.abs((fixed + each * x) / y - 1).max())
    return Fit(side, tuple(units), tuple(seconds), float(fixed), float(each), error)


def varied(
    lines: Iterable[Mapping[str, Any]], axis: str
) -> Iterator[tuple[Mapping[str, Any], list[Fit]]]:
    """The results that vary a quantity, with their fits."""
    for line in lines:
        if line["bench"] == AXES[axis] and len(rows.points_of(line)) > 1:
            yield line, fits(line, axis)


@dataclass(frozen=True)
class Assumptions:
    """What the cost of a sweep is worked out for.

    Attributes:
      runs: number of runs.
      train: recordings of the training split.
      validation: recordings of the validation split.
      epochs: epochs of every run.
      devices: numbers of devices to compare.
    """

    runs: int = 1000
    train: int = 647  # D-Vlog
    validation: int = 102
    epochs: int = 30
    devices: tuple[int, ...] = (1, 8, 64)

    @property
    def work(self) -> float:
        """Recordings of an epoch: one that is only predicted costs a third of an update's."""
        return self.train + self.validation / 3


@dataclass(frozen=True)
class Cost:
    """Cost of a sweep.

    Attributes:
      devices: number of devices.
      each: runs on the device that has most of them.
      seconds: time until the last device is done.
      efficiency: time on one device by the time of all devices together.
    """

    devices: int
    each: int
    seconds: float
    efficiency: float


@dataclass(frozen=True)
class Basis:
    """Measurements that the cost of a sweep rests on.

    Attributes:
      row: name of the row of the epoch.
      together: runs that train together on a device.
      recording: seconds of a training recording in an epoch of one of these runs.
      first: seconds of the first update in a new process, which compiles.
    """

    row: str
    together: int
    recording: float
    first: float

    def run(self, given: Assumptions) -> float:
        """Seconds of a run."""
        return given.epochs * given.work * self.recording


def basis(lines: Iterable[Mapping[str, Any]]) -> Basis | None:
    """Finds what the cost of a sweep of JAMFN at the paper's sizes rests on; None: not measured.

    The epoch is that of the largest measured number of runs together, or of a run alone.
    """
    found = {rows.name_of(line): line for line in lines}
    first = found.get("compile-jamfn-paper")
    names = ("seed-counts-jamfn-paper", "epoch-jamfn-paper")
    epoch = next((found[name] for name in names if name in found), None)
    if first is None or epoch is None:
        return None
    point = max(rows.points_of(epoch), key=lambda point: point.get("seeds", 1))
    together = point.get("seeds", 1)
    # A measured epoch validates on one batch.
    batch = measured.find(epoch["model"], epoch["size"]).case.batch
    work = batch * (point["steps"] + 1 / 3)
    recording = point["ours_s"] / together / work
    return Basis(rows.name_of(epoch), together, recording, first["ours_s"])


def costs(found: Basis, given: Assumptions) -> list[Cost]:
    """Cost of a sweep by the number of devices, whose runs are independent of one another."""
    seconds = {}
    for count in given.devices:
        each = math.ceil(given.runs / count)
        seconds[count] = (each, found.first + each * found.run(given))
    alone = found.first + given.runs * found.run(given)
    return [
        Cost(count, each, time, alone / (count * time)) for count, (each, time) in seconds.items()
    ]
