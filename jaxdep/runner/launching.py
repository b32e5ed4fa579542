"""Launches commands by submitit, on Slurm or on this machine, and waits until they are complete.

Whether a command is complete is seen from the files that it writes, so that an interrupted launch
can be repeated. A job that is preempted, or that has used up its time, is queued again; the command
then starts once more and continues by itself.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from jaxdep.artifacts import schema
from jaxdep.artifacts.files import write_json
from jaxdep.errors import UserError
from jaxdep.runner.command import Command
from jaxdep.runner.options import Launch, Log

_FOLDER = "jobs"
"""Folder of submitit's files: commands, logs and outcomes."""

_RECORD = "jobs.json"
"""File with Slurm's id of each job, by which an interrupted launch finds it again."""

_TIMEOUTS = 100
"""Number of times that a job may use up its time and be queued again."""

_LOCAL_MINUTES = 10 * 365 * 24 * 60
"""Time of a local job, which submitit limits as well."""

_UNLIMITED = 10**9

_POLL_SECONDS = 5.0
_LAG_SECONDS = 30.0
"""Time that a shared file system may take to show what a job on another machine has written."""


class Job(NamedTuple):
    """A command to complete.

    Attributes:
      name: name of the job among those of its folder.
      command: the command, which continues what it has begun before.
      complete: whether the command has done all of its work.
    """

    name: str
    command: Sequence[str]
    complete: Callable[[], bool]


def check(launch: Launch) -> None:
    """Checks that jobs can be launched from here.

    Raises:
      UserError: submitit is not installed, or Slurm's commands are not.
    """
    try:
        import submitit  # noqa: F401
    except ImportError:
        raise UserError(
            f"--launcher {launch.launcher} needs submitit: pip install 'jaxdep[launch]'"
        ) from None
    if launch.launcher == "slurm":
        for name in ("sbatch", "srun"):
            if shutil.which(name) is None:
                raise UserError(
                    f"--launcher slurm: there is no {name} here; use a machine of a Slurm cluster,"
                    " or --launcher local"
                )


def complete(folder: Path, jobs: Sequence[Job], launch: Launch, log: Log) -> None:
    """Launches all jobs that are not complete, and waits for them.

    Args:
      folder: folder for the files of all jobs, which all machines share.
      jobs: jobs to complete.
      launch: where they run.
      log: callback for messages.

    Raises:
      UserError: a job cannot be submitted, or has ended before it was complete.
    """
    missing = [job for job in jobs if not job.complete()]
    if len(jobs) > 1:
        log(f"{len(jobs) - len(missing)} of {len(jobs)} tasks are complete")
    if not missing:
        return
    private = folder / _FOLDER
    private.mkdir(exist_ok=True)
    private.chmod(0o700)  # what is unpickled there must be the user's own
    wait = _on_slurm if launch.launcher == "slurm" else _one_after_another
    failed = []
    for job, log_file in wait(private, missing, launch, log):
        if job.complete():
            log(f"task {job.name} is complete")
        else:
            failed.append(f"  task {job.name}: {_reason(log_file)}; see {log_file}")
    if failed:
        raise UserError(
            f"{len(failed)} of {len(jobs)} tasks ended before they were complete:\n"
            + "\n".join(failed)
            + "\nGive the same command with --resume to continue them"
        )


_Ended = Iterator[tuple[Job, Path]]
"""Jobs that have ended, and the files with what they have printed to stderr."""


def _one_after_another(folder: Path, jobs: Sequence[Job], launch: Launch, log: Log) -> _Ended:
    """Runs jobs on this machine, each on all of its devices."""
    from submitit import LocalExecutor

    executor = LocalExecutor(folder, max_num_timeout=_TIMEOUTS)
    executor.update_parameters(timeout_min=_LOCAL_MINUTES)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")  # submitit hides all from its jobs
    restored = ("-u", "CUDA_VISIBLE_DEVICES")
    if visible is not None:
        restored = (f"CUDA_VISIBLE_DEVICES={visible}",)
    for job in jobs:
        with _stderr_to(folder / "submitit.err"):
            submitted = executor.submit(Command(("env", *restored, *job.command)))
        try:
            while not submitted.done():
                time.sleep(0.1)
        finally:
            submitted.cancel()  # if this process was interrupted; otherwise there is none to cancel
        yield job, submitted.paths.stderr


@contextmanager
def _stderr_to(path: Path) -> Iterator[None]:
    """Lets processes print to a file what submitit's would print when Ctrl-C ends them."""
    before = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def _on_slurm(folder: Path, jobs: Sequence[Job], launch: Launch, log: Log) -> _Ended:
    """Submits an array of jobs, but for those of an interrupted launch that are still queued."""
    submitted = _still_queued(folder, jobs)
    if fresh := [job for job in jobs if job.name not in submitted]:
        submitted |= _submit(folder, fresh, launch)
        write_json(folder / _RECORD, {name: one.job_id for name, one in submitted.items()})
    arrays = sorted({one.job_id.partition("_")[0] for one in submitted.values()})
    log(f"{len(jobs)} tasks on Slurm, as jobs {', '.join(arrays)}; they go on if this command ends")
    waiting, ended = list(jobs), {}
    while waiting:
        for job in list(waiting):
            now = time.monotonic()
            if submitted[job.name].done():
                ended.setdefault(job.name, now)
            if job.complete() or now - ended.get(job.name, now) > _LAG_SECONDS:
                waiting.remove(job)
                yield job, submitted[job.name].paths.stderr
        time.sleep(_POLL_SECONDS if waiting else 0)


def _submit(folder: Path, jobs: Sequence[Job], launch: Launch) -> dict[str, Any]:
    """Submits jobs as one array; returns submitit's `SlurmJob` of each, by name."""
    from submitit import SlurmExecutor
    from submitit.helpers import clean_env

    with clean_env():  # this process may itself be a job
        executor = SlurmExecutor(folder, max_num_timeout=_TIMEOUTS)
        executor.update_parameters(**slurm_parameters(launch))
        try:
            found = executor.submit_array([Command(job.command) for job in jobs])
        except RuntimeError as error:
            raise UserError(f"--launcher slurm: sbatch failed: {str(error).strip()}") from None
    return {job.name: one for job, one in zip(jobs, found, strict=True)}


def slurm_parameters(launch: Launch) -> dict[str, Any]:
    """Parameters of submitit's `SlurmExecutor`."""
    given = {
        "partition": launch.slurm_partition,
        "account": launch.slurm_account,
        "gpus_per_node": launch.slurm_gpus,
        "cpus_per_task": launch.slurm_cpus,
        "mem": f"{launch.slurm_memory}GB" if launch.slurm_memory else "",
        "array_parallelism": launch.slurm_parallel or _UNLIMITED,
        # Since version 22.05, srun does not take this from sbatch.
        "srun_args": [f"--cpus-per-task={launch.slurm_cpus}"] if launch.slurm_cpus else [],
    }
    return {
        "job_name": "jaxdep",
        "time": launch.slurm_time,
        "wckey": None,  # submitit's default is a key that the cluster may not know
        "additional_parameters": {"requeue": True},
        **{name: value for name, value in given.items() if value},
    }


def _still_queued(folder: Path, jobs: Sequence[Job]) -> dict[str, Any]:
    """Jobs of an interrupted launch that Slurm still has, as submitit's `SlurmJob`s, by name."""
    from submitit import SlurmJob

    path = folder / _RECORD
    if not path.is_file():
        return {}
    try:
        ids = schema.read(path)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read ({error}); see by `squeue` that no tasks are left, and remove"
            " the file"
        ) from None
    known = {job.name: SlurmJob(folder, ids[job.name]) for job in jobs if job.name in ids}
    return {
        name: one
        for name, one in known.items()
        if not one.done(force_check=True) and one.state != "UNKNOWN"
    }


def _reason(log_file: Path) -> str:
    """The message that a command ended with, or the last line that it printed."""
    try:
        lines = log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "it has printed nothing"
    own = [line for line in lines if line.startswith("jaxdep: ")]
    return (own or lines or ["it has printed nothing"])[-1].removeprefix("jaxdep: ")
