"""Runs and sweeps that are killed at any moment give the same bytes once they are resumed.

A command passes through phases, which the files that it has written tell apart. Every kill is meant
for a random moment of one phase, and is tried again, earlier, if it came after that phase.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import SMALL

from jaxdep.artifacts import lock, run_dir, writer
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.errors import UserError
from jaxdep.runner import sweep, sweep_best

EPOCHS = 8
ATTEMPTS = 4


@dataclass(frozen=True)
class Kind:
    """Something to kill.

    Attributes:
      words: first words of the command.
      phases: for each phase in order, whether it has begun, judged by the output folder.
      files: files that must have the same bytes.
      settings: settings beside those of all kinds.
    """

    words: Sequence[str]
    phases: dict[str, Callable[[Path], bool]]
    files: Sequence[str]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def command(self, folder: Path) -> list[str]:
        """The command with corpora and output in a folder."""
        settings = {**SMALL, "training.epochs": EPOCHS, **self.settings}
        given = ["--set", *(f"{key}={value}" for key, value in settings.items())]
        given += ["--data-dir", str(folder / "data"), "--out", str(folder / "out")]
        return [sys.executable, "-m", "jaxdep", *self.words, *given]

    def phase(self, out: Path) -> str:
        """The phase that a command is in, or was killed in."""
        return next(name for name in reversed(self.phases) if self.phases[name](out))


def steps(folder: Path) -> list[str]:
    """Complete checkpoints; the names of those that are being written have a suffix."""
    return [name for name in names(folder) if name.isdigit()]


def names(folder: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return os.listdir(folder)
    return []


def some_part_has_checkpoint(folder: Path) -> bool:
    return any(steps(folder / part) for part in names(folder))


RESULTS = ("results.json", "predictions.csv", "validation.csv", "metrics.jsonl")

RUN = Kind(
    ("run", "jamfn-demo", "--seeds", "2"),
    {
        "starting": lambda out: True,  # imports, preparation of the corpus, compilation
        "first epoch": lambda out: (out / "config.json").exists(),
        "training": lambda out: bool(steps(out / "checkpoints")),
        "testing": lambda out: (out / "checkpoints" / str(EPOCHS)).exists(),
        "evaluating": lambda out: (out / "meta.json").exists(),
        "reporting": lambda out: (out / "results.json").exists(),
        "ending": lambda out: (out / "report.html").exists(),
    },
    RESULTS,
)

# An epoch has 350 steps; after every 200, a checkpoint is written to a folder beside the others.
STREAMED = Kind(
    ("run", "jamfn-demo", "--seeds", "2", "--stream"),
    {
        "starting": lambda out: True,
        "first 200 steps": lambda out: (out / "config.json").exists(),
        "inside the first epoch": lambda out: bool(steps(out / "checkpoints-within")),
        "training": lambda out: bool(steps(out / "checkpoints")),
        "testing": lambda out: (out / "checkpoints" / "3").exists(),
        "evaluating": lambda out: (out / "meta.json").exists(),
    },
    RESULTS,
    {
        "training.epochs": 3,
        "training.batch_size": 1,
        "training.modality_dropout": 0.4,
        "corpus.synthetic.items": 500,
    },
)

# One run after the other, each with checkpoints of its own, which are joined in the end.
PARTS = Kind(
    ("run", "jamfn-demo", "--seeds", "2", "--devices", "1", "--runs-per-device", "1"),
    {
        "starting": lambda out: True,
        "first epoch": lambda out: (out / "config.json").exists(),
        "training": lambda out: some_part_has_checkpoint(out / "parts"),
        "joining": lambda out: (out / "parts" / "1-2" / str(EPOCHS)).exists(),
        "testing": lambda out: (out / "checkpoints" / str(EPOCHS)).exists(),
        "evaluating": lambda out: (out / "meta.json").exists(),
    },
    RESULTS,
)

SWEEP_PHASES = {
    "starting": lambda out: True,
    "first epoch": lambda out: (out / "config.json").exists(),
    "training": lambda out: some_part_has_checkpoint(out / "checkpoints"),
    "testing": lambda out: (out / "best").exists(),
    "reporting": lambda out: (out / "best" / "meta.json").exists(),
}
SWEEP_FILES = ("ranking.csv", *(f"best/{name}" for name in RESULTS))
RATES = "optimizer.learning_rate=1e-3,2e-3,1e-2,2e-2"
KINDS = {
    "run": RUN,
    "streamed": STREAMED,
    "parts": PARTS,
    # Both compile the same program, of four runs.
    "sweep": Kind(
        ("sweep", "jamfn-demo", "--seeds", "2", "--grid", "optimizer.learning_rate=1e-3,1e-2"),
        SWEEP_PHASES,
        SWEEP_FILES,
    ),
    "halving": Kind(
        ("sweep", "jamfn-demo", "--grid", RATES, "--halving"), SWEEP_PHASES, SWEEP_FILES
    ),
}


@dataclass(frozen=True)
class Kill:
    """One kill, or two.

    Attributes:
      kind: one of `KINDS`.
      phase: phase in which the command is killed.
      fraction: part of that phase's duration after which it is killed.
      saving: whether to wait, after that, for a checkpoint that is being written.
      again: as `fraction`, for a kill of the resumed command, counted from when it writes its first
        file, in durations of the phase that ends with the first checkpoint; negative for none.
    """

    kind: str
    phase: str
    fraction: float
    saving: bool = False
    again: float = -1

    def __str__(self) -> str:
        words = [self.kind, self.phase, f"{self.fraction:.2f}"]
        words += ["saving"] * self.saving + [f"again-{self.again:.2f}"] * (self.again >= 0)
        return "-".join(words)


def kills(kind: str, counts: dict[str, int], seed: int) -> list[Kill]:
    """Draws moments that are spread over each phase.

    Every third kill while a command trains hits a checkpoint that is being written, and every other
    one of those that leave something to resume, and enough to do, is followed by a second one.
    """
    rng = np.random.default_rng(seed)
    drawn = []
    for phase, count in counts.items():
        for number in range(count):
            fraction, again = (number + rng.random()) / count, rng.random()
            saving = phase == "training" and number % 3 == 1
            twice = phase in ("first epoch", "training") and number % 2 == 0
            drawn.append(Kill(kind, phase, fraction, saving, again if twice else -1))
    return drawn


RUN_KILLS = {"starting": 5, "first epoch": 3, "training": 9, "testing": 2}
RUN_KILLS |= {"evaluating": 2, "reporting": 2, "ending": 1}
ALL = [
    *kills("run", RUN_KILLS, seed=0),
    *kills("streamed", {"inside the first epoch": 2, "training": 1}, seed=3),
    *kills("parts", {"training": 3, "joining": 2}, seed=4),
    *kills("sweep", {"starting": 1, "training": 2, "reporting": 1}, seed=1),
    *kills("halving", {"first epoch": 1, "training": 2, "testing": 1}, seed=2),
]


def test_as_many_kills_as_promised():
    assert sum(kill.kind == "run" for kill in ALL) == 24
    assert sum(kill.kind == "streamed" for kill in ALL) == 3
    assert sum(kill.kind == "parts" for kill in ALL) == 5
    assert sum(kill.kind in ("sweep", "halving") for kill in ALL) == 8
    assert sum(kill.again >= 0 for kill in ALL) >= 8
    assert sum(kill.saving for kill in ALL) >= 3


class Process:
    """A command in a process group of its own."""

    def __init__(self, command: Sequence[str], log: Path, *, fill_cache: bool = False):
        # Killed while it writes a compiled program, a process would leave half of one in the cache
        # that it shares with other tests.
        seconds = "0" if fill_cache else "1e9"
        environment = os.environ | {
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": seconds,
            "GLIBC_TUNABLES": "glibc.malloc.hugetlb=0",  # the command need not restart itself
        }
        self._log = log
        with log.open("w") as file:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, condition: Callable[[], bool], seconds: float = 1500) -> bool:
        """Waits for a condition, or the end of the process; returns whether it is still running."""
        end = time.monotonic() + seconds
        while self.running and not condition():
            assert time.monotonic() < end, self._log.read_text()
            time.sleep(0.002)
        return self.running

    def kill(self) -> bool:
        """Kills the whole group; returns whether it was the kill that ended the process."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait() == -signal.SIGKILL

    def finish(self) -> None:
        """Waits for the end of the process, which must succeed."""
        assert self._process.wait() == 0, self._log.read_text()


@dataclass(frozen=True)
class Whole:
    """A command that was not killed: its folder, and the seconds that each phase took."""

    folder: Path
    seconds: dict[str, float]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Runs a command of each kind when it is first needed, and once more to measure its phases.

    The first run compiles; all others, killed ones included, find the programs in the cache.
    """
    done = {}

    def of(name: str) -> Whole:
        if name not in done:
            timed(KINDS[name], tmp_path_factory.mktemp(name))
            done[name] = timed(KINDS[name], tmp_path_factory.mktemp(name))
        return done[name]

    return of


def timed(kind: Kind, folder: Path) -> Whole:
    """Runs a command and measures its phases."""
    process = Process(kind.command(folder), folder / "log", fill_cache=True)
    begun = [time.monotonic()]
    for name in [*kind.phases][1:]:
        process.wait_until(lambda name=name: kind.phases[name](folder / "out"))
        begun.append(time.monotonic())
    process.finish()
    begun.append(time.monotonic())
    return Whole(folder, dict(zip(kind.phases, np.diff(begun).tolist(), strict=True)))


def killed(kill: Kill, folder: Path, seconds: dict[str, float]) -> list[str]:
    """Kills a command in the phase that is meant; returns in which phase each attempt killed it."""
    kind, out = KINDS[kill.kind], folder / "out"
    landed = []
    for attempt in range(ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        process = Process(kind.command(folder), folder / "log")
        process.wait_until(lambda: kind.phases[kill.phase](out))
        time.sleep(kill.fraction / 2**attempt * seconds[kill.phase])
        if kill.saving:
            process.wait_until(lambda: half_written(out))
        by_kill = process.kill()
        landed.append(kind.phase(out) if by_kill else "ended")
        if landed[-1] == kill.phase and (half_written(out) or not kill.saving):
            return landed
    pytest.fail(f"meant for {kill.phase}, all kills came too late: {landed}")


def half_written(out: Path) -> bool:
    """Whether a checkpoint is incomplete."""
    folders = [out / "checkpoints", out / "parts"]
    folders += [folder / part for folder in folders for part in names(folder)]
    return any("-tmp" in name for folder in folders for name in names(folder))


def killed_again(kill: Kill, folder: Path, seconds: dict[str, float]) -> None:
    """Resumes a command and kills it after it has begun to write."""
    written = lambda: (folder / "out" / "environment.json").stat().st_mtime_ns
    before = written()
    process = Process([*KINDS[kill.kind].command(folder), "--resume"], folder / "log")
    process.wait_until(lambda: written() != before)
    time.sleep(kill.again * [*seconds.values()][1])
    assert process.kill(), "had ended before it was killed a second time"


@pytest.mark.slow
@pytest.mark.parametrize("kill", ALL, ids=str)
def test_a_killed_command_resumes_to_the_same_bytes(kill, whole, tmp_path):
    kind, reference = KINDS[kill.kind], whole(kill.kind)
    folder, out = tmp_path / "killed", tmp_path / "killed" / "out"
    print("killed in:", *killed(kill, folder, reference.seconds), sep="\n  ")  # shown by -rP
    if kill.again >= 0:
        killed_again(kill, folder, reference.seconds)

    command = kind.command(folder)
    if (out / "config.json").exists():
        command.append("--resume")
    else:  # nothing was lost: the same command begins anew
        with pytest.raises(UserError, match="nothing to resume; omit --resume"):
            run_dir.open_run_dir("jamfn-demo", out, resume=True)
    Process(command, folder / "log").finish()

    for name in kind.files:
        assert (out / name).read_bytes() == (reference.folder / "out" / name).read_bytes(), name
    assert contents(out) == contents(reference.folder / "out")
    assert corpora(folder / "data") == corpora(reference.folder / "data")
    lock.acquire(out)
    lock.release(out)


def contents(out: Path) -> set[str]:
    """All files and folders, but none inside a checkpoint, which Orbax gives random names."""
    inside = lambda path: any(part.isdigit() for part in path.parent.parts)
    relative = (path.relative_to(out) for path in out.rglob("*"))
    return {str(path) for path in relative if not inside(path)}


def corpora(data: Path) -> set[tuple[str, ...]]:
    """Hashes of the recordings of all prepared corpora, and the names of their files."""
    return {
        (json.loads(path.read_text())["contents"], *sorted(os.listdir(path.parent)))
        for path in data.glob("[!.]*/corpus.json")
    }


class TestBeforeTheSettingsAreComplete:
    """Moments too short to be hit by chance: a killed run can be resumed, or begun anew."""

    @pytest.mark.parametrize("failing", ["environment.json", "config.json"])
    def test_the_same_command_begins_anew(self, tmp_path, monkeypatch, failing):
        def die(path, *args):
            path.with_name(path.name + ".part").touch()
            raise KeyboardInterrupt

        write = writer.write_json
        choose = lambda path, data: (die if path.name == failing else write)(path, data)
        monkeypatch.setattr(writer, "write_json", choose)
        folder = RunDir.at(tmp_path / "r")
        with pytest.raises(KeyboardInterrupt):
            writer.begin(folder, {}, {})
        lock.release(folder.path)
        assert run_dir.open_run_dir("x", folder.path, resume=False) == folder

    def test_a_run_with_settings_can_be_resumed(self, tmp_path, monkeypatch):
        written = []
        monkeypatch.setattr(writer, "write_json", lambda path, data: written.append(path.name))
        writer.begin(RunDir.at(tmp_path / "r"), {}, {})
        lock.release(tmp_path / "r")
        assert written[-1] == "config.json"

    def test_files_of_others_are_not_overwritten(self, tmp_path):
        (tmp_path / "environment.json").touch()
        with pytest.raises(UserError, match="is not empty"):
            run_dir.open_run_dir("x", tmp_path, resume=False)


class TestSweeps:
    @pytest.fixture
    def swept(self, toy_demo, tmp_path):
        """Sweeps three configurations in a folder."""

        def run(out, **options):
            axes = {"optimizer.learning_rate": (1e-4, 1e-3, 1e-2)}
            options |= {"overrides": {"training.epochs": 2}, "devices": 1, "log": lambda line: None}
            return sweep.sweep(toy_demo, axes, out=out, data_dir=tmp_path / "data", **options)

        return run

    @pytest.mark.slow
    def test_runs_keep_their_states_if_others_train_beside_them(self, swept, tmp_path, monkeypatch):
        """The third run trains alone before the kill, and each of the three after it."""

        def die(*args):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(sweep_best, "test", die)
            with pytest.raises(KeyboardInterrupt):
                swept(tmp_path / "s", runs_per_device=2)
        resumed = swept(tmp_path / "s", runs_per_device=1, resume=True)
        expected = {row.number: row.scores for row in swept(tmp_path / "whole").ranking}
        for row in resumed.ranking:
            assert row.scores == pytest.approx(expected[row.number], abs=1e-6)
        lines = (resumed.best.folder / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line)["epoch"] for line in lines] == [1, 2]

    def test_checkpoints_left_by_a_kill_in_the_end_are_removed(self, swept, tmp_path):
        swept(tmp_path / "s")
        left = tmp_path / "s" / "checkpoints" / "2-0-0-3"
        left.mkdir(parents=True)
        swept(tmp_path / "s", resume=True)
        assert not left.parent.exists()
