"""Trains one run per device on forced CPU devices: memory of a device, and equality of results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jaxdep.benchmarks.worker import Work


def measure(
    work: Work, counts: Sequence[int], environment: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Trains for one epoch in a process of its own, with each number of devices.

    Args:
      work: model and size.
      counts: numbers of devices, and of runs.
      environment: environment variables that force the devices.

    Yields:
      Number of devices and runs, bytes that the program needs on each device, and the largest
      difference of a run's validation loss from that of all runs on one device.
    """
    command = [sys.executable, "-m", "jaxdep.benchmarks.spread", work.model, work.size]
    command += [str(count) for count in counts]
    result = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True
    )
    yield from json.loads(result.stdout.splitlines()[-1])


def _points(model: str, size: str, counts: Sequence[int]) -> Iterator[dict[str, Any]]:
    from jaxdep.benchmarks import measured, sides
    from jaxdep.train import devices, memory, runs

    case = measured.find(model, size).case
    experiment = sides.experiment_of(case)
    splits = {name: sides.split_of(case, case.batch) for name in ("train", "validation")}

    def trained(seeds: int, count: int) -> tuple[np.ndarray, int | None]:
        trainer = runs.Trainer(experiment, splits, devices.layout(seeds, devices=count))
        together = runs.stack(experiment, range(seeds))
        needed = memory.required_bytes(trainer.memory_analysis(together))
        return np.asarray(trainer.train(together, until=1).score), needed

    expected, _ = trained(max(counts), 1)
    for count in counts:
        losses, needed = trained(count, count)
        yield {
            "seeds": count,
            "devices": count,
            "bytes_per_device": needed,
            "difference": float(np.abs(losses - expected[:count]).max()),
        }


if __name__ == "__main__":
    print(json.dumps(list(_points(sys.argv[1], sys.argv[2], [int(x) for x in sys.argv[3:]]))))
