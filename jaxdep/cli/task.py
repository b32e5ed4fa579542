"""`python -m jaxdep.cli.task SWEEP NUMBER [TESTED]`: the process of one task of a sweep.

`jaxdep sweep --launcher` starts it; see `jaxdep.runner.sweep_tasks`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from jaxdep.cli import hugepages, output
from jaxdep.cli.main import end_with


def train() -> None:
    """Trains the task that the command line names."""
    from jaxdep.runner import sweep_tasks

    folder, number, *tested = sys.argv[1:]
    chosen = int(tested[0]) if tested else None
    log, report = output.say, output.progress
    sweep_tasks.train(Path(folder), int(number), chosen, log=log, report=report)


if __name__ == "__main__":
    hugepages.use()
    end_with(train)
