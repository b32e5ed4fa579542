"""Defines the benchmarks: each takes a model at a size and yields its measurements."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import jax

from jaxdep.benchmarks import (
    capacity,
    correctness,
    cudnn,
    flops,
    measured,
    spread,
    stored,
    timing,
    worker,
)
from jaxdep.benchmarks.measured import Target
from jaxdep.benchmarks.precisions import PRECISIONS
from jaxdep.benchmarks.worker import OURS, Found, Work
from jaxdep.errors import UserError
from jaxdep.models.spec import Case

_STEPS = 2  # updates per measured epoch
_SEEDS = 8
_DEVICES = (1, 2, 4, 8)  # forced CPU devices


@dataclass(frozen=True)
class Setting:
    """Settings of a benchmark.

    Attributes:
      work: model, size and unit of work, by default one update.
      target: model at its size.
      repeats: number of timed repetitions; results are medians.
      seeds: number of runs that train together, if the benchmark trains several.
    """

    work: Work
    target: Target
    repeats: int
    seeds: int = _SEEDS


Point = dict[str, Any]
Measure = Callable[[Setting], Iterator[Point]]


def run(name: str, model: str, size: str, repeats: int, seeds: int = _SEEDS) -> dict[str, Any]:
    """Runs one benchmark.

    The headline is the first measurement; all measurements are in `points` if there are several.

    Args:
      name: name of the benchmark.
      model: name of the model.
      size: size of the model.
      repeats: number of timed repetitions.
      seeds: number of runs that train together, if the benchmark trains several.

    Returns:
      Plain data: seconds of each side, ratios (PyTorch / ours, so above 1 ours is faster), peak
      memory, achieved FLOP/s, FLOP/s of a large matrix product on this machine, and the machine.

    Raises:
      UserError: the benchmark, model or size does not exist.
    """
    if name not in MEASURES:
        raise UserError(f"bench {name}: unknown benchmark; choose from {', '.join(MEASURES)}")
    if repeats < 1 or seeds < 1:
        raise UserError("--repeats and --seeds must be at least 1")
    target = measured.find(model, size)
    with jax.default_matmul_precision("highest"):  # of what is measured in this process
        points = list(MEASURES[name](Setting(Work(model, size), target, repeats, seeds)))
    identity = {"bench": name, "model": model, "size": size, "repeats": repeats}
    common = {"gemm_flops_per_s": timing.gemm_peak(), "machine": timing.machine()}
    more = {"points": points} if len(points) > 1 else {}
    return identity | points[0] | common | more


def train_step(setting: Setting) -> Iterator[Point]:
    """One update of one run, with its batch spread over the cores."""
    yield _steps(setting, setting.target.case)


def length(setting: Setting) -> Iterator[Point]:
    """One update at a quarter to four times the sequence length, at an eighth of the batch size."""
    small = replace(setting.target.case, batch=max(setting.target.case.batch // 8, 1))
    for factor in (1, 0.25, 0.5, 2, 4):
        case = replace(small, length=max(int(small.length * factor), 1))
        yield {"length": case.length, "batch": case.batch} | _steps(setting, case)


def batch(setting: Setting) -> Iterator[Point]:
    """One update at a quarter, half, one and two times the batch size."""
    for factor in (1, 0.25, 0.5, 2):
        case = replace(setting.target.case, batch=max(int(setting.target.case.batch * factor), 1))
        yield {"batch": case.batch} | _steps(setting, case)


def epoch(setting: Setting) -> Iterator[Point]:
    """One epoch of one run including validation, with data in memory."""
    yield _epochs(setting, 1)


def seeds(setting: Setting) -> Iterator[Point]:
    """One epoch of several seeds in parallel, against PyTorch training them sequentially."""
    yield {"seeds": setting.seeds} | _epochs(setting, setting.seeds)


def seed_counts(setting: Setting) -> Iterator[Point]:
    """As `seeds`, for 1, 2, 4 and so on up to the number of seeds."""
    count = 1
    while count <= setting.seeds:
        yield {"seeds": count} | _epochs(setting, count)
        count *= 2


def recordings(setting: Setting) -> Iterator[Point]:
    """One epoch of one run with one, two, four and eight batches of recordings."""
    for steps in (1, 2, 4, 8):
        yield {"recordings": steps * setting.target.case.batch} | _epochs(setting, 1, steps)


def devices(setting: Setting) -> Iterator[Point]:
    """One epoch of 8 seeds on 1, 2, 4 and 8 forced CPU devices; ours only.

    More devices than cores bring no speedup: this measures their overhead.
    """
    whole = _epoch_of(setting, _SEEDS)
    works = [replace(whole, how={"devices": count}) for count in _DEVICES]
    found = worker.compare(works, setting.repeats, _forced())
    for count, side in zip(_DEVICES, found, strict=True):
        yield {"devices": count, "ours_s": side.seconds, "peak_bytes": {OURS: side.peak}}


def spread_(setting: Setting) -> Iterator[Point]:
    """One run per forced CPU device: memory of a device, and equality of results; ours only."""
    yield from spread.measure(setting.work, _DEVICES, _forced())


def _forced() -> dict[str, str]:
    """Environment of a process with several CPU devices."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count="
    return {"XLA_FLAGS": f"{flags}{max(_DEVICES)}".strip(), "JAX_PLATFORMS": "cpu"}


def precision(setting: Setting) -> Iterator[Point]:
    """One update in float32, TensorFloat-32 and bfloat16; both sides in the same."""
    for name in PRECISIONS:
        found = _compare(setting, replace(setting.work, precision=name))
        yield {"precision": name} | _point(found) | _speeds(setting, setting.target.case, found)


def capacity_(setting: Setting) -> Iterator[Point]:
    """One run on a device, and as many as fit, up to the number of seeds; ours only."""
    yield from capacity.measure(setting.target.case, _STEPS, setting.seeds, setting.repeats)


def correctness_(setting: Setting) -> Iterator[Point]:
    """Differences from PyTorch and from a CPU, in float32 and bfloat16, alone and vectorized."""
    yield from correctness.measure(setting.target.case)


def input_(setting: Setting) -> Iterator[Point]:
    """Fraction of an epoch spent on input, from memory and from disk; ours only."""
    yield from stored.shares(setting.target.experiment, setting.target.case, setting.repeats)


def compile_(setting: Setting) -> Iterator[Point]:
    """Seconds to the first update in a new process: cold cache, warm cache, and PyTorch."""
    sides = (OURS, *setting.target.references)
    works = [replace(setting.work, side=side) for side in sides]
    firsts: dict[bool, list[list[float]]] = {False: [], True: []}
    for _ in range(setting.repeats):
        with tempfile.TemporaryDirectory() as cache:
            keep = {
                "JAX_COMPILATION_CACHE_DIR": cache,
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            }
            for turns in firsts.values():
                turns.append([one.first for one in worker.compare(works, 1, keep)])
    for cached, turns in firsts.items():
        middle = [median(side) for side in zip(*turns, strict=True)]
        yield {"cached": cached} | _ratios(dict(zip(sides, middle, strict=True)))


def memory(setting: Setting) -> Iterator[Point]:
    """Peak memory of a few updates, and the memory of each process before them."""
    found = _compare(setting, setting.work)
    yield _point(found) | {"base_bytes": {name: side.base for name, side in found.items()}}


def cudnn_(setting: Setting) -> Iterator[Point]:
    """Our LSTM against cuDNN's by shape, forward and backward, on a GPU."""
    for shape, seconds in cudnn.compare(setting.target.case, setting.repeats):
        yield shape | _ratios(seconds) | {"faster": min(seconds, key=lambda side: seconds[side])}


MEASURES: dict[str, Measure] = {
    "train-step": train_step,
    "epoch": epoch,
    "seeds": seeds,
    "seed-counts": seed_counts,
    "length": length,
    "batch": batch,
    "recordings": recordings,
    "devices": devices,
    "spread": spread_,
    "input": input_,
    "compile": compile_,
    "memory": memory,
    "precision": precision,
    "capacity": capacity_,
    "correctness": correctness_,
    "cudnn": cudnn_,
}
"""Benchmarks by name."""


def _steps(setting: Setting, case: Case) -> Point:
    changes = {"batch": case.batch, "length": case.length}
    found = _compare(setting, replace(setting.work, changes=changes))
    return _point(found) | _speeds(setting, case, found)


def _epochs(setting: Setting, count: int, steps: int = _STEPS) -> Point:
    found = _compare(setting, _epoch_of(setting, count, steps))
    # Validation is one forward pass, a third of the cost of an update.
    work = count * (steps + 1 / 3)
    return {"steps": steps} | _point(found) | _speeds(setting, setting.target.case, found, work)


def _speeds(setting: Setting, case: Case, found: dict[str, Found], steps: float = 1) -> Point:
    """FLOP/s of each side, given the work of `steps` updates."""
    work = {name: flops.of_step(case, path) for name, path in setting.target.references.items()}
    # Ours uses the algebra of the cheapest reference; the others do more work.
    work[OURS] = min(work.values())
    return {
        "flops_per_s": {name: steps * work[name] / side.seconds for name, side in found.items()}
    }


def _epoch_of(setting: Setting, count: int, steps: int = _STEPS) -> Work:
    items = steps * setting.target.case.batch
    return replace(setting.work, turn="epoch", items=items, seeds=count)


def _compare(setting: Setting, work: Work) -> dict[str, Found]:
    sides = (OURS, *setting.target.references)
    found = worker.compare([replace(work, side=side) for side in sides], setting.repeats)
    return dict(zip(sides, found, strict=True))


def _point(found: dict[str, Found]) -> Point:
    peaks = {"peak_bytes": {name: side.peak for name, side in found.items()}}
    return _ratios({name: side.seconds for name, side in found.items()}) | peaks


def _ratios(found: dict[str, float]) -> Point:
    theirs = {name: seconds for name, seconds in found.items() if name != OURS}
    ratio = {name: seconds / found[OURS] for name, seconds in theirs.items()}
    return {"ours_s": found[OURS], "theirs_s": theirs, "ratio": ratio}
