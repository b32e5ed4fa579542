"""The measurements by name: each takes a subject at a size and yields its points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax

from jaxdep.benchmarks import alone, flops, sides, stored, subjects, timing
from jaxdep.benchmarks.alone import OURS
from jaxdep.benchmarks.subjects import Subject
from jaxdep.errors import UserError
from jaxdep.parity.cases import Case

_STEPS = 2  # in a measured epoch
_SEEDS = 8
_DEVICES = 8  # that are forced, for the cost of many


@dataclass(frozen=True)
class Setting:
    """What a measurement is asked for.

    Attributes:
      model: and `size`: of `subjects.SUBJECTS`.
      repeats: counted turns; a figure is the median over them.
      seeds: that train together, where a measurement trains several.
    """

    model: str
    size: str
    subject: Subject
    case: Case
    repeats: int
    seeds: int = _SEEDS


Point = dict[str, Any]
Measure = Callable[[Setting], Iterator[Point]]


def run(name: str, model: str, size: str, repeats: int, seeds: int = _SEEDS) -> dict[str, Any]:
    """Takes one measurement: the headline is its first point, all are in `points`.

    Returns:
      Plain data: seconds of each side, ratios (theirs / ours: above 1 ours is faster), achieved
      FLOP/s, this machine's FLOP/s of a large matrix product, peak memory, the machine.

    Raises:
      UserError: there is no such measurement, model or size.
    """
    if name not in MEASURES:
        raise UserError(f"bench {name}: there are {', '.join(MEASURES)}")
    if repeats < 1 or seeds < 1:
        raise UserError("--repeats and --seeds take numbers from 1")
    subject, case = subjects.find(model, size)
    points = list(MEASURES[name](Setting(model, size, subject, case, repeats, seeds)))
    about = {"bench": name, "model": model, "size": size, "repeats": repeats}
    whole = {"gemm_flops_per_s": timing.gemm_peak(), "machine": timing.machine()}
    if "peak_bytes" not in points[0]:
        whole["peak_bytes"] = peaks(model, size, [OURS, *subject.twins])
    more = {"points": points} if len(points) > 1 else {}
    return about | points[0] | whole | more


def peaks(model: str, size: str, names: list[str]) -> dict[str, float]:
    """Peak memory of a few updates on each side, each in a process of its own."""
    return {name: alone.measure(model, size, name)["peak_bytes"] for name in names}


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
    command = [sys.executable, "-m", "jaxdep.benchmarks.measures", setting.model, setting.size]
    done = subprocess.run(
        [*command, str(setting.repeats)],
        env=os.environ | {"XLA_FLAGS": flags.strip()},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    yield from json.loads(done.stdout.splitlines()[-1])


def input_(setting: Setting) -> Iterator[Point]:
    """The share of an epoch that goes into input, in memory and from disk; ours alone."""
    yield from stored.shares(setting.subject.experiment, setting.case, setting.repeats)


def compile_(setting: Setting) -> Iterator[Point]:
    """Seconds to the first update in a new process: nothing cached, all cached, PyTorch."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        cold, warm = (_first(setting, OURS, cache) for _ in range(2))
    theirs = {name: _first(setting, name) for name in setting.subject.twins}
    yield {"cached": False} | _compared({OURS: cold, **theirs})
    yield {"cached": True} | _compared({OURS: warm, **theirs})


def memory(setting: Setting) -> Iterator[Point]:
    """Peak memory of two updates, each side in a process of its own."""
    found = {
        name: alone.measure(setting.model, setting.size, name)
        for name in (OURS, *setting.subject.twins)
    }
    for_each = lambda key: {name: values[key] for name, values in found.items()}
    yield {
        "peak_bytes": for_each("peak_bytes"),
        "base_bytes": for_each("base_bytes"),
        **_compared(for_each("next_s")),
    }


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
}
"""Name to measurement."""


def _steps(setting: Setting, case: Case) -> Point:
    calls = {OURS: sides.our_step(case)}
    for name, kind in setting.subject.twins.items():
        calls[name] = sides.their_step(case, kind)
    found = timing.medians(calls, setting.repeats)
    work = {
        name: flops.of_step(case, kind) / found[name]
        for name, kind in setting.subject.twins.items()
    }
    # Ours does the work of the leanest twin: the others' algebra has more of it.
    leanest = min(flops.of_step(case, kind) for kind in setting.subject.twins.values())
    return _compared(found) | {"flops_per_s": {OURS: leanest / found[OURS], **work}}


def _epochs(setting: Setting, count: int) -> Point:
    items = _STEPS * setting.case.batch
    calls = {OURS: sides.our_epoch(setting.case, items, count)}
    for name, kind in setting.subject.twins.items():
        calls[name] = sides.their_epoch(setting.case, kind, items, count)
    return {"steps": _STEPS} | _compared(timing.medians(calls, setting.repeats))


def _compared(found: dict[str, float]) -> Point:
    theirs = {name: seconds for name, seconds in found.items() if name != OURS}
    ratio = {name: seconds / found[OURS] for name, seconds in theirs.items()}
    return {"ours_s": found[OURS], "theirs_s": theirs, "ratio": ratio}


def _first(setting: Setting, side: str, cache: Path | None = None) -> float:
    return alone.measure(setting.model, setting.size, side, cache)["first_s"]


def _devices_alone(model: str, size: str, repeats: int) -> list[Point]:
    """The points of `devices`, in a process that has them."""
    _, case = subjects.find(model, size)
    items = _STEPS * case.batch
    counts = [n for n in (1, 2, 4, 8) if n <= len(jax.devices())]
    calls = {str(n): sides.our_epoch(case, items, _SEEDS, devices=n) for n in counts}
    found = timing.medians(calls, repeats)
    return [{"devices": n, "ours_s": found[str(n)]} for n in counts]


if __name__ == "__main__":
    print(json.dumps(_devices_alone(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
