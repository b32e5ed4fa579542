"""Options shared by `run`, `sweep` and the command line: data, settings, devices, output, tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge

from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.settings.checking import check
from jaxdep.train.layout import Backend

if TYPE_CHECKING:
    from jaxdep.train.runs import Report

Log = Callable[[str], None]
"""Callback for messages to the user."""

Display = Callable[[Experiment, int], "AbstractContextManager[Report]"]
"""Creates the progress display for an experiment and a number of runs."""


@dataclass(frozen=True)
class RunOptions:
    """Data, settings, devices and output of a run.

    Attributes:
      corpus: Description of a corpus of one's own (corpus.yaml), to train on instead of the
        experiment's; `jaxdep init` writes an example.
      task: Task of this corpus to train on; by default the first that the model can predict.
      manual_dir: Folder with the raw files of the corpus; without it, a synthetic stand-in is used.
        With test_on, the folder of each corpus by name.
      train_on: Corpus that the experiment trains on, to say so.
      test_on: Another corpus, whose test split is used for the final results.
      leave_out_shared: Leave people who are in that test split out of training.
      overrides: Settings to override: `{"optimizer.learning_rate": 3e-4}` or `["KEY=VALUE"]`.
      out: Output folder; by default a new folder under runs/.
      resume: Resume an interrupted run, bit for bit.
      devices: Number of devices to use; 0 for all.
      backend: How to distribute runs over devices.
      deterministic: Make the bits of a run independent of devices and of other runs; slower.
      data_dir: Folder for prepared corpora; by default in the user's cache.
      skip_bad: Skip invalid recordings instead of rejecting the corpus.
      signal: Strength of the signal planted in the synthetic stand-in; 0 for none.
    """

    corpus: str | Path | None = None
    task: str = ""
    manual_dir: str | Path | Mapping[str, str | Path] | None = None
    train_on: str = ""
    test_on: str = ""
    leave_out_shared: bool = False
    overrides: Mapping[str, Any] | Sequence[str] = ()
    out: str | Path | None = None
    resume: bool = False
    devices: Annotated[int, Ge(0)] = 0
    backend: Backend = "jit"
    deterministic: bool = False
    data_dir: str | Path | None = None
    skip_bad: bool = False
    signal: float = 1.0

    def __post_init__(self) -> None:
        """Checks the options."""
        check(self)
        if self.corpus is not None and self.manual_dir:
            raise UserError("--corpus says where the raw files are: omit --manual-dir")
        if self.task and self.corpus is None:
            raise UserError("--task chooses a task of --corpus: give both")

    @property
    def layout(self) -> dict[str, Any]:
        """The settings of devices, as arguments of `jaxdep.train.devices.layout`."""
        names = ("devices", "backend", "deterministic")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Launch:
    """Training of a sweep as tasks, one for each compiled program.

    Attributes:
      launcher: Train each program of the sweep as a task: slurm for an array of jobs, local for one
        after another on this machine. Requires jaxdep[launch].
      slurm_partition: Partition of the jobs; by default the cluster's.
      slurm_account: Account of the jobs; by default the user's.
      slurm_time: Minutes that a job may take; after that, it is queued again and continues.
      slurm_gpus: GPUs of a job.
      slurm_cpus: CPU cores of a job; 0 for the cluster's default.
      slurm_memory: Memory of a job in GB; 0 for the cluster's default.
      slurm_parallel: Number of jobs that run at once; 0 for all.
    """

    launcher: Literal["none", "local", "slurm"] = "none"
    slurm_partition: str = ""
    slurm_account: str = ""
    slurm_time: Annotated[int, Ge(1)] = 60
    slurm_gpus: Annotated[int, Ge(0)] = 1
    slurm_cpus: Annotated[int, Ge(0)] = 0
    slurm_memory: Annotated[int, Ge(0)] = 0
    slurm_parallel: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        """Checks the options."""
        check(self)
        for field in fields(self):
            given = getattr(self, field.name) != field.default
            if given and field.name.startswith("slurm_") and self.launcher != "slurm":
                option = field.name.replace("_", "-")
                raise UserError(f"--{option} describes jobs of Slurm: give --launcher slurm too")

    def __bool__(self) -> bool:
        """Whether there are tasks."""
        return self.launcher != "none"
