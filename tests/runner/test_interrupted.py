"""Runs that are interrupted, collide or run out of space end in one message and can be resumed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import pytest
from small import SMALL

from jaxdep.artifacts import lock
from jaxdep.errors import UserError

EPOCHS = {"training.epochs": 1000}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


def command(out, data_dir, *words):
    settings = [f"{key}={value}" for key, value in (SMALL | EPOCHS).items()]
    run = [sys.executable, "-m", "jaxdep", "run", "jamfn-demo", "--set", *settings]
    return [*run, "--data-dir", str(data_dir), "--out", str(out), *words]


@contextmanager
def started(out, data_dir):
    """A run that has completed an epoch; killed on exit, if it has not ended."""
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    # A shell starts background jobs with SIGINT ignored, which their processes would inherit.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command(out, data_dir), **pipes) as process:
        signal.signal(signal.SIGINT, before)
        end = time.monotonic() + 120
        while not list(out.glob("checkpoints/[0-9]*")):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_in_one_line(number, code, data_dir, tmp_path):
    with started(tmp_path / "r", data_dir) as process:
        os.kill(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "--resume" in errors
    assert len(errors.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_second_process_in_the_same_folder_is_refused(data_dir, tmp_path):
    with started(tmp_path / "r", data_dir):
        second = subprocess.run(
            command(tmp_path / "r", data_dir, "--resume"), capture_output=True, text=True
        )
    assert second.returncode == 2
    assert "is in use by another process" in second.stderr
    lock.acquire(tmp_path / "r")  # the lock has ended with its holder
    lock.release(tmp_path / "r")


def test_a_lock_is_held_by_one_process(tmp_path):
    lock.acquire(tmp_path)
    lock.acquire(tmp_path)
    code = "import sys; from pathlib import Path; from jaxdep.artifacts import lock\n"
    code += "lock.acquire(Path(sys.argv[1]))"
    other = [sys.executable, "-c", code, str(tmp_path)]
    refused = subprocess.run(other, capture_output=True, text=True)
    assert refused.returncode == 1
    assert UserError.__name__ in refused.stderr
    lock.release(tmp_path)
    assert subprocess.run(other).returncode == 0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system, which only root has")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast):
    """Writes until there is no space left."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.slow
def test_a_full_disk_ends_in_one_message_and_the_run_resumes(small_disk, data_dir, tmp_path):
    ballast = small_disk / "ballast"
    with started(small_disk / "r", data_dir) as process:
        fill(ballast)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 2, errors
    assert "no space left" in errors
    assert "Traceback" not in errors
    assert "--resume" in errors
    ballast.unlink()
    resumed = subprocess.run(
        command(small_disk / "r", data_dir, "--resume"), capture_output=True, text=True
    )
    assert resumed.returncode == 0, resumed.stderr
