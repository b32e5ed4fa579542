"""The measurements by name: each takes a subject at a size and yields its points."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from jaxdep.benchmarks import cudnn, flops, stored, subjects, timing, worker
from jaxdep.benchmarks.subjects import Subject
from jaxdep.benchmarks.worker import OURS, Found, Work
from jaxdep.errors import UserError
from jaxdep.parity.cases import Case

_STEPS = 2  # in a measured epoch
_SEEDS = 8
_DEVICES = 8  # that are forced, for the cost of many


@dataclass(frozen=True)
class Setting:
    """What a measurement is asked for.

    Attributes:
      work: the model, its size, and a turn of one update.
      repeats: counted turns; a figure is the median over them.
      seeds: that train together, where a measurement trains several.
    """

    work: Work
    subject: Subject
    case: Case
    repeats: int
    seeds: int = _SEEDS


Point = dict[str, Any]
Measure = Callable[[Setting], Iterator[Point]]


def run(name: str, model: str, size: str, repeats: int, seeds: int = _SEEDS) -> dict[str, Any]:
    """Takes one measurement: the headline is its first point, all are in `points`.

    Returns:
      Plain data: seconds of each side, ratios (theirs / ours: above 1 ours is faster), peak
      memory, achieved FLOP/s, this machine's FLOP/s of a large matrix product, the machine.

    Raises:
      UserError: there is no such measurement, model or size.
    """
    if name not in MEASURES:
        raise UserError(f"bench {name}: there are {', '.join(MEASURES)}")
    if repeats < 1 or seeds < 1:
        raise UserError("--repeats and --seeds take numbers from 1")
    subject, case = subjects.find(model, size)
    points = list(MEASURES[name](Setting(Work(model, size), subject, case, repeats, seeds)))
    about = {"bench": name, "model": model, "size": size, "repeats": repeats}
    whole = {"gemm_flops_per_s": timing.gemm_peak(), "machine": timing.machine()}
    more = {"points": points} if len(points) > 1 else {}
    return about | points[0] | whole | more


def train_step(setting: Setting) -> Iterator[Point]:
    """One update of one run, its batch spread over the cores."""
    yield _steps(setting, setting.case)


def length(setting: Setting) -> Iterator[Point]:
    """One update at a quarter to four times the length, at an eighth of the batch."""
    small = replace(setting.case, batch=max(setting.case.batch // 8, 1))
    for factor in (1, 0.25, 0.5, 2, 4):
        case = replace(small, length=max(int(small.length * factor), 1))
        yield {"length": case.length, "batch": case.batch} | _steps(setting, case)


def batch(setting: Setting) -> Iterator[Point]:
    """One update at a quarter, half, one and two times the batch."""
    for factor in (1, 0.25, 0.5, 2):
        case = replace(setting.case, batch=max(int(setting.case.batch * factor), 1))
        yield {"batch": case.batch} | _steps(setting, case)


def epoch(setting: Setting) -> Iterator[Point]:
    """An epoch of one run with its validation, batches drawn from a split in memory."""
    yield _epochs(setting, 1)


def seeds(setting: Setting) -> Iterator[Point]:
    """An epoch of several seeds together, against PyTorch training them one after another."""
    yield {"seeds": setting.seeds} | _epochs(setting, setting.seeds)


def devices(setting: Setting) -> Iterator[Point]:
    """An epoch of 8 seeds on 1, 2, 4 and 8 forced CPU devices; ours alone.

    More devices than cores bring no speed: what is seen is what they cost.
    """
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={_DEVICES}"
    counts = (1, 2, 4, 8)
    whole = _epoch_of(setting, _SEEDS)
    works = [replace(whole, how={"devices": count}) for count in counts]
    found = worker.compare(works, setting.repeats, {"XLA_FLAGS": flags.strip()})
    for count, one in zip(counts, found, strict=True):
        yield {"devices": count, "ours_s": one.seconds, "peak_bytes": {OURS: one.peak}}


def input_(setting: Setting) -> Iterator[Point]:
    """The share of an epoch that goes into input, in memory and from disk; ours alone."""
    yield from stored.shares(setting.subject.experiment, setting.case, setting.repeats)


def compile_(setting: Setting) -> Iterator[Point]:
    """Seconds to the first update in a new process: nothing cached, all cached, PyTorch."""
    sides = (OURS, *setting.subject.references)
    with tempfile.TemporaryDirectory() as cache:
        keep = {
            "JAX_COMPILATION_CACHE_DIR": cache,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        for cached in (False, True):
            works = [replace(setting.work, side=side) for side in sides]
            found = worker.compare(works, 1, keep)
            firsts = dict(zip(sides, (one.first for one in found), strict=True))
            yield {"cached": cached} | _ratios(firsts)


def memory(setting: Setting) -> Iterator[Point]:
    """Peak memory of a few updates, and what each process held before them."""
    found = _compare(setting, setting.work)
    yield _point(found) | {"base_bytes": {name: one.base for name, one in found.items()}}


def cudnn_(setting: Setting) -> Iterator[Point]:
    """Our LSTM beside cuDNN's, forward and backward, on a GPU."""
    for batch, seconds in cudnn.compare(setting.case, setting.repeats):
        yield {"batch": batch, "length": setting.case.length} | _ratios(seconds)


MEASURES: dict[str, Measure] = {
    "train-step": train_step,
    "epoch": epoch,
    "seeds": seeds,
    "length": length,
    "batch": batch,
    "devices": devices,
    "input": input_,
    "compile": compile_,
    "memory": memory,
    "cudnn": cudnn_,
}
"""Name to measurement."""


def _steps(setting: Setting, case: Case) -> Point:
    changes = {"batch": case.batch, "length": case.length}
    found = _compare(setting, replace(setting.work, changes=changes))
    return _point(found) | _speeds(setting, case, found)


def _epochs(setting: Setting, count: int) -> Point:
    found = _compare(setting, _epoch_of(setting, count))
    # Validation is one batch forward, a third of what it takes to learn from one.
    steps = count * (_STEPS + 1 / 3)
    return {"steps": _STEPS} | _point(found) | _speeds(setting, setting.case, found, steps)


def _speeds(setting: Setting, case: Case, found: dict[str, Found], steps: float = 1) -> Point:
    """Floating-point operations a second of each side, which did the work of `steps` updates."""
    work = {name: flops.of_step(case, kind) for name, kind in setting.subject.references.items()}
    # Ours does the work of the leanest reference: the others' algebra has more of it.
    work[OURS] = min(work.values())
    return {"flops_per_s": {name: steps * work[name] / one.seconds for name, one in found.items()}}


def _epoch_of(setting: Setting, count: int) -> Work:
    return replace(setting.work, turn="epoch", items=_STEPS * setting.case.batch, seeds=count)


def _compare(setting: Setting, work: Work) -> dict[str, Found]:
    sides = (OURS, *setting.subject.references)
    found = worker.compare([replace(work, side=side) for side in sides], setting.repeats)
    return dict(zip(sides, found, strict=True))


def _point(found: dict[str, Found]) -> Point:
    peaks = {"peak_bytes": {name: one.peak for name, one in found.items()}}
    return _ratios({name: one.seconds for name, one in found.items()}) | peaks


def _ratios(found: dict[str, float]) -> Point:
    theirs = {name: seconds for name, seconds in found.items() if name != OURS}
    ratio = {name: seconds / found[OURS] for name, seconds in theirs.items()}
    return {"ours_s": found[OURS], "theirs_s": theirs, "ratio": ratio}
