"""Fills a device with runs: how many fit at once, and how fast they train together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jaxdep.benchmarks import sides, timing
from jaxdep.benchmarks.worker import OURS
from jaxdep.models.spec import Case
from jaxdep.train import memory, runs


def measure(case: Case, steps: int, most: int, repeats: int) -> Iterator[dict[str, Any]]:
    """Times an epoch of one run on one device, and of as many as fit.

    How many fit follows from the compiler's analysis and the memory of the device, as in
    `jaxdep sweep`.

    Args:
      case: model and input sizes.
      steps: updates per epoch.
      most: largest number of runs to try.
      repeats: number of timed repetitions.

    Yields:
      Number of runs, seconds of an epoch of all and of each, and the bytes that the program needs.
    """
    experiment = sides.experiment_of(case)
    splits = {
        "train": sides.split_of(case, steps * case.batch),
        "validation": sides.split_of(case, case.batch),
    }
    for wanted in (1, most):
        all_runs = runs.stack(experiment, range(wanted))
        plan = memory.plan_in_memory(experiment, splits, all_runs, devices=1)
        trainer = plan.trainer
        together = runs.stack(experiment, range(trainer.layout.runs))
        seconds = timing.medians({OURS: sides.epochs(trainer, together)}, repeats)[OURS]
        count = trainer.layout.runs
        yield {
            "seeds": count,
            "steps": steps,
            "ours_s": seconds,
            "per_run_s": seconds / count,
            **({} if plan.required is None else {"bytes_per_device": plan.required}),
        }
