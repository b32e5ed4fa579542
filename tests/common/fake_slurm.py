"""Slurm on this machine, as far as submitit needs it: jobs are processes, which start at once.

`install` writes the commands sbatch, srun, scontrol and sacct; all of them run this file.
"""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

COMMANDS = ("sbatch", "srun", "scontrol", "sacct")


def install(folder: Path) -> Path:
    """Writes the commands into a folder, for the PATH; it also holds what is known of the jobs."""
    folder.mkdir()
    for name in COMMANDS:
        text = f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" {name} "$@"\n'
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def scripts(folder: Path) -> list[Path]:
    """The submitted scripts."""
    return sorted(folder.glob("*.script"))


def preempt(folder: Path, job: str) -> None:
    """Warns all processes of a job that it ends, as Slurm does."""
    [worker] = [int(path.read_text()) for path in folder.glob(f"{job}.worker")]
    children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    for number in (signal.SIGTERM, signal.SIGUSR2):
        for process in (*map(int, children), worker):
            with suppress(ProcessLookupError):
                os.kill(process, number)
        time.sleep(0.1)


def _sbatch(folder: Path, script: str) -> None:
    number = 1 + len(scripts(folder))
    text = Path(script).read_text()
    (folder / f"{number}.script").write_text(text)
    array = re.search(r"#SBATCH --array=0-(\d+)%", text)
    indices = [str(index) for index in range(int(array[1]) + 1)] if array else [""]
    for index in indices:
        command = [sys.executable, __file__, str(folder), "job", str(number), index]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        subprocess.Popen(command, start_new_session=True, **pipes)
    print(f"Submitted batch job {number}")


def _job(folder: Path, number: str, index: str) -> None:
    """Runs a job until it is not queued again."""
    name = f"{number}_{index}" if index else number
    place = {"SLURM_JOB_ID": number, "SLURM_NTASKS": "1", "SLURM_PROCID": "0", "FAKE_JOB": name}
    if index:
        place |= {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": index}
    again = folder / f"{name}.requeue"
    (folder / f"{name}.running").touch()
    while True:
        command = ["bash", str(folder / f"{number}.script")]
        code = subprocess.run(command, env=os.environ | place).returncode
        if not again.exists():
            break
        again.rename(folder / f"{name}.requeued")
    (folder / f"{name}.code").write_text(str(code))


def _srun(folder: Path, *words: str) -> None:
    """Becomes the command of a job, with its output in files."""
    name, given = os.environ["FAKE_JOB"], list(words)
    array, _, index = name.partition("_")
    while given[0].startswith("--"):
        option = given.pop(0)
        if option in ("--output", "--error"):
            path = given.pop(0).replace("%A", array).replace("%a", index).replace("%j", name)
            file = os.open(path.replace("%t", "0"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.dup2(file, 1 if option == "--output" else 2)
    (folder / f"{name}.worker").write_text(str(os.getpid()))
    os.execvp(given[0], given)


def _scontrol(folder: Path, action: str, job: str) -> None:
    assert action == "requeue"
    (folder / f"{job}.requeue").touch()


def _sacct(folder: Path, *words: str) -> None:
    print("JobID|State|NodeList")
    for path in sorted(folder.glob("*.running")):
        code = path.with_suffix(".code")
        ended = code.read_text() if code.exists() else None
        state = {None: "RUNNING", "0": "COMPLETED"}.get(ended, "FAILED")
        print(f"{path.stem}|{state}|here")


if __name__ == "__main__":
    state, command, *arguments = sys.argv[1:]
    globals()[f"_{command}"](Path(state), *arguments)
