"""Sweeps as tasks: what is refused, how tasks are formed, and that they survive being killed."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import fake_slurm
import pytest
from small import SMALL

from jaxdep.artifacts.run_dir import RunDir
from jaxdep.cli import commands, options
from jaxdep.errors import UserError
from jaxdep.runner import launching, sweep, sweep_tasks
from jaxdep.runner.launching import Job
from jaxdep.runner.options import Launch

LOCAL, SLURM = Launch(launcher="local"), Launch(launcher="slurm", slurm_gpus=0)
BEST = ("config.json", "results.json", "predictions.csv", "validation.csv", "metrics.jsonl")
EQUAL = ("ranking.csv", *(f"best/{name}" for name in BEST))


def quiet(line):
    pass


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """The folder of a Slurm on this machine."""
    folder = fake_slurm.install(tmp_path / "slurm")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(launching, "_POLL_SECONDS", 0.1)
    monkeypatch.setattr(launching, "_LAG_SECONDS", 0.1)
    return folder


class TestRefused:
    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"slurm_partition": "gpu"}, "--slurm-partition describes jobs of Slurm"),
            ({"launcher": "local", "slurm_gpus": 2}, "--slurm-gpus describes jobs of Slurm"),
            ({"launcher": "slurm", "slurm_time": 0}, "slurm_time=0: expected an integer"),
            ({"launcher": "pbs"}, "launcher=pbs: expected none, local or slurm"),
        ],
    )
    def test_options_that_mean_nothing(self, given, message):
        with pytest.raises(UserError, match=message):
            Launch(**given)

    def sweep(self, tmp_path, launch, **options):
        axes = {"model.hidden": (3, 4)}
        with pytest.raises(UserError) as caught:
            sweep.sweep("jamfn-demo", axes, launch=launch, out=tmp_path / "s", **options)
        assert not (tmp_path / "s").exists()
        return str(caught.value)

    def test_halving(self, tmp_path):
        assert "omit --halving or --launcher" in self.sweep(tmp_path, LOCAL, halving=True)

    def test_no_submitit(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "submitit", None)
        assert "pip install 'jaxdep[launch]'" in self.sweep(tmp_path, LOCAL)

    def test_no_slurm(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "there is no sbatch here" in self.sweep(tmp_path, SLURM)

    def test_several_processes(self):
        given = options.Options(), options.Processes(distributed=True), LOCAL
        with pytest.raises(UserError, match="omit --distributed"):
            commands.sweep("jamfn-demo", *given, grid=(("model.hidden=3,4",),))

    def test_resumed_in_another_way(self, tmp_path):
        launched, plain = RunDir.at(tmp_path / "a"), RunDir.at(tmp_path / "b")
        (launched.path / sweep_tasks.FOLDER).mkdir(parents=True)
        plain.checkpoints.mkdir(parents=True)
        with pytest.raises(UserError, match="was begun with --launcher"):
            sweep_tasks.check_same_way(launched, Launch())
        with pytest.raises(UserError, match="was begun without --launcher"):
            sweep_tasks.check_same_way(plain, LOCAL)
        sweep_tasks.check_same_way(launched, LOCAL)
        sweep_tasks.check_same_way(plain, Launch())


def touch(path):
    return Job(path.name, ("touch", str(path)), path.is_file)


def two_attempts(path):
    """A command that is complete when it is called a second time."""
    begun = path.with_suffix(".begun")
    text = f'if [ -e "{begun}" ]; then touch "{path}"; else touch "{begun}"; exec sleep 300; fi'
    return Job(path.name, ("sh", "-c", text), path.is_file)


class TestJobs:
    """Commands that take no time, instead of training."""

    @pytest.mark.parametrize("launch", [LOCAL, SLURM])
    def test_only_incomplete_jobs_run(self, tmp_path, slurm, launch):
        (tmp_path / "0").touch()
        before = (tmp_path / "0").stat().st_mtime_ns
        jobs, said = [touch(tmp_path / str(number)) for number in range(3)], []
        launching.complete(tmp_path, jobs, launch, said.append)
        assert all(job.complete() for job in jobs)
        assert (tmp_path / "0").stat().st_mtime_ns == before
        assert said[0] == "1 of 3 tasks are complete"
        assert sorted(said[-2:]) == ["task 1 is complete", "task 2 is complete"]
        assert stat.S_IMODE((tmp_path / "jobs").stat().st_mode) == 0o700

    @pytest.mark.parametrize("launch", [LOCAL, SLURM])
    def test_a_failure_is_one_message_and_the_others_go_on(self, tmp_path, slurm, launch):
        text = "echo 'jaxdep: no such corpus' >&2; exit 2"
        failing = Job("0", ("sh", "-c", text), lambda: False)
        with pytest.raises(UserError) as caught:
            launching.complete(tmp_path, [failing, touch(tmp_path / "1")], launch, quiet)
        assert (tmp_path / "1").exists()
        first, reason, last = str(caught.value).splitlines()
        assert first == "1 of 2 tasks ended before they were complete:"
        assert reason.startswith("  task 0: no such corpus; see ")
        assert Path(reason.partition("; see ")[2]).is_file()
        assert "--resume" in last

    def test_devices_are_those_of_this_process(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
        out = tmp_path / "seen"
        show = Job("0", ("sh", "-c", f'echo "$CUDA_VISIBLE_DEVICES" > "{out}"'), out.is_file)
        launching.complete(tmp_path, [show], LOCAL, quiet)
        assert out.read_text() == "5\n"

    def test_a_preempted_job_is_queued_again(self, tmp_path, slurm):
        job = two_attempts(tmp_path / "0")
        with preempting(slurm, "1", tmp_path / "0.begun"):
            launching.complete(tmp_path, [job], SLURM, quiet)
        assert job.complete()
        assert (slurm / "1.requeued").exists()

    def test_an_interrupted_launch_finds_its_jobs_again(self, tmp_path, slurm):
        def interrupt(line):
            if line == "task 1 is complete":
                raise KeyboardInterrupt

        jobs = [two_attempts(tmp_path / "0"), touch(tmp_path / "1")]
        with pytest.raises(KeyboardInterrupt):
            launching.complete(tmp_path, jobs, SLURM, interrupt)
        with preempting(slurm, "1_0", tmp_path / "0.begun"):
            launching.complete(tmp_path, jobs, SLURM, quiet)
        assert jobs[0].complete()
        assert len(fake_slurm.scripts(slurm)) == 1

    def test_the_script_of_an_array(self, tmp_path, slurm):
        given = {"slurm_partition": "gpu", "slurm_account": "me", "slurm_gpus": 2, "slurm_cpus": 8}
        launch = Launch("slurm", slurm_memory=32, slurm_time=90, slurm_parallel=2, **given)
        launching.complete(tmp_path, [touch(tmp_path / str(n)) for n in range(3)], launch, quiet)
        [script] = fake_slurm.scripts(slurm)
        lines = script.read_text().splitlines()
        wanted = ["array=0-2%2", "partition=gpu", "account=me", "gpus-per-node=2", "time=90"]
        wanted += ["cpus-per-task=8", "mem=32GB", "requeue", "job-name=jaxdep"]
        assert {f"#SBATCH --{each}" for each in wanted} <= set(lines)
        assert not [line for line in lines if "wckey" in line]

    def test_what_sbatch_refuses(self, tmp_path, slurm):
        (slurm / "sbatch").write_text("#!/bin/sh\necho 'invalid partition' >&2\nexit 1\n")
        with pytest.raises(UserError, match="sbatch failed: invalid partition"):
            launching.complete(tmp_path, [touch(tmp_path / "0")], SLURM, quiet)


@contextmanager
def preempting(slurm, name, begun):
    """Preempts a job of Slurm once a file exists."""

    def preempt():
        wait_for(begun.exists)
        fake_slurm.preempt(slurm, name)

    with ThreadPoolExecutor() as pool:
        done = pool.submit(preempt)
        yield
        done.result()


def wait_for(condition, seconds=600):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def swept(toy_demo, tmp_path_factory):
    """A sweep of two programs without and with tasks, and the tasks' commands.

    They train in this process.
    """
    folder, commands = tmp_path_factory.mktemp("tasks"), []
    axes = {"optimizer.learning_rate": (1e-3, 1e-2), "model.hidden": (3, 4)}
    # Weights of classes are counted in the training split.
    overrides = {"training.epochs": 2, "tasks.depression.balanced": True}
    given = {"seeds": 2, "devices": 2, "overrides": overrides, "log": quiet}
    given |= {"data_dir": folder / "data"}

    def complete(jobs_folder, jobs, launch, log):
        for job in jobs:
            commands.append(job.command)
            whole, number, *tested = job.command[3:]
            best = int(tested[0]) if tested else None
            sweep_tasks.train(Path(whole), int(number), best, log=log)
            assert job.complete()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launching, "complete", complete)
        launched = sweep.sweep(toy_demo, axes, launch=LOCAL, out=folder / "b", **given)
    return sweep.sweep(toy_demo, axes, out=folder / "a", **given), launched, commands


class TestTasks:
    def test_results_are_those_of_a_sweep_without_tasks(self, swept):
        plain, launched, _ = swept
        for name in EQUAL:
            assert (launched.folder / name).read_bytes() == (plain.folder / name).read_bytes(), name
        read = lambda found: json.loads((found.best.folder / "meta.json").read_text())
        metas = [read(plain), read(launched)]
        assert [meta.pop("compile")["programs"] for meta in metas] == [2, 1]  # of the task alone
        assert metas[0] == metas[1]
        assert metas[0]["chosen_among"] == 4
        assert launched.programs == plain.programs == 2
        assert launched.ranking == plain.ranking
        assert (launched.folder / "sweep.html").is_file()

    def test_a_task_for_each_program(self, swept):
        _, launched, commands = swept
        tasks = launched.folder / sweep_tasks.FOLDER
        read = lambda n: json.loads((tasks / f"00{n}" / "config.json").read_text())
        hidden = [[each["model.hidden"] for each in read(n)["configurations"]] for n in (0, 1)]
        assert hidden == [[3, 3], [4, 4]]
        best = launched.ranking[0].number
        module = (sys.executable, "-m", "jaxdep.cli.task", str(launched.folder))
        numbers = [("0",), ("1",), (str(best % 2), str(best))]
        assert commands == [(*module, *each) for each in numbers]

    def test_only_the_best_is_tested(self, swept):
        _, launched, _ = swept
        assert [path.parent for path in launched.folder.rglob("predictions.csv")] == [
            launched.best.folder
        ]
        assert not list((launched.folder / sweep_tasks.FOLDER).rglob("checkpoints"))

    def test_a_complete_task_is_not_trained_again(self, swept):
        _, launched, _ = swept
        said = []
        sweep_tasks.train(launched.folder, 0, None, log=said.append)
        assert said == [f"{launched.folder / 'tasks' / '000'} is already complete"]


def command(folder, *more):
    """A sweep of two programs that trains for a while."""
    settings = SMALL | {"training.epochs": 40, "training.patience": 0}
    words = ["sweep", "jamfn-demo", "--seeds", "2", "--devices", "1", "--grid", "model.hidden=3,4"]
    words += ["--set", *(f"{key}={value}" for key, value in settings.items())]
    words += ["--data-dir", folder.parent / "data", "--out", folder, *more]
    return [sys.executable, "-m", "jaxdep", *map(str, words)]


def begin(folder, *more):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command(folder, *more), **pipes)


def end(process, code=0):
    """What a command has printed, once it has ended."""
    printed = "".join(process.communicate(timeout=600))
    assert process.returncode == code, printed
    return printed


def half_way(folder, number):
    """Waits until a task has trained for an epoch, and returns its process."""
    task = folder / "tasks" / f"{number:03d}"
    wait_for(lambda: list(task.glob("checkpoints/*/[0-9]*")))
    words = ["jaxdep.cli.task", str(folder), str(number)]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_text().split("\0")[2:5] == words:
                assert not (task / sweep_tasks.OUTCOME).exists()
                return int(path.parent.name)
    raise AssertionError(f"no process of {words}")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The folder of the sweep that all others must equal, trained in one process."""
    folder = tmp_path_factory.mktemp("launched") / "plain"
    end(begin(folder))
    return folder


def check_equal(folder, plain):
    for name in EQUAL:
        assert (folder / name).read_bytes() == (plain / name).read_bytes(), name


@pytest.mark.slow
def test_a_task_that_is_killed_continues(plain):
    folder = plain.with_name("killed")
    process = begin(folder, "--launcher", "local")
    os.kill(half_way(folder, 0), signal.SIGKILL)
    printed = end(process, code=2)
    assert "1 of 2 tasks ended before they were complete:\n  task 000: " in printed
    assert not (folder / "ranking.csv").exists()
    done = (folder / "tasks" / "001" / "task.json").stat().st_mtime_ns

    again = end(begin(folder, "--launcher", "local", "--resume"))
    assert "1 of 2 tasks are complete" in again
    assert (folder / "tasks" / "001" / "task.json").stat().st_mtime_ns == done
    check_equal(folder, plain)


@pytest.mark.slow
def test_preempted_and_launched_again_on_slurm(plain, slurm):
    folder = plain.with_name("preempted")
    words = ("--launcher", "slurm", "--slurm-gpus", "0")
    process = begin(folder, *words)
    half_way(folder, 0)
    process.send_signal(signal.SIGTERM)
    fake_slurm.preempt(slurm, "1_0")
    assert "--resume" in end(process, code=143)
    end(begin(folder, *words, "--resume"))
    assert [path.stem for path in slurm.glob("*.requeued")] == ["1_0"]
    assert len(fake_slurm.scripts(slurm)) == 2  # the tasks, and the test of the best
    check_equal(folder, plain)
