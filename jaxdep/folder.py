"""A run's folder: where each file lies, written so that a kill leaves nothing half-written."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from jaxdep.errors import UserError

_PACKAGES = [
    "jaxdep",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "orbax-checkpoint",
    "numpy",
    "scipy",
    "scikit-learn",
    "tensorflow-datasets",
]


@dataclass(frozen=True)
class RunFolder:
    """The files of one `jaxdep run`.

    Attributes:
      path: where this process writes.
      shared: the run's folder; of several processes only the first one writes there, but
        checkpoints, which they write together.
    """

    path: Path
    shared: Path

    @staticmethod
    def at(path: Path) -> RunFolder:
        """The folder as a single process has it."""
        return RunFolder(path, path)

    def inside(self, name: str) -> RunFolder:
        """A run's folder within this one."""
        return RunFolder(self.path / name, self.shared / name)

    @property
    def config(self) -> Path:
        """The experiment as it was run."""
        return self.path / "config.json"

    @property
    def environment(self) -> Path:
        """Versions, devices, commit, command; where the prepared corpus lies."""
        return self.path / "environment.json"

    @property
    def meta(self) -> Path:
        """Corpus, splits and what became of each run."""
        return self.path / "meta.json"

    @property
    def metrics(self) -> Path:
        """A line for each run and epoch."""
        return self.path / "metrics.jsonl"

    @property
    def predictions(self) -> Path:
        """A line for each run and recording of the evaluated split."""
        return self.path / "predictions.csv"

    @property
    def attention(self) -> Path:
        """Attention maps of a few recordings."""
        return self.path / "attention.npz"

    @property
    def words(self) -> Path:
        """What runs read of each word of the evaluated split."""
        return self.path / "words.npz"

    @property
    def checkpoints(self) -> Path:
        """Orbax's folder."""
        return self.shared / "checkpoints"

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        there = RunFolder.at(self.shared)
        return there.meta.is_file() and there.predictions.is_file()

    def read(self, file: Path) -> Any:
        """Reads one of the JSON files.

        Raises:
          UserError: this is not the folder of a run.
        """
        try:
            return json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self.path} is not the folder of a run: {file.name} cannot be read ({error});"
                " name a folder that `jaxdep run` made"
            ) from None


def open_folder(name: str, out: str | Path | None, resume: bool) -> RunFolder:
    """Chooses a run's folder and makes sure that nothing in it is overwritten.

    Args:
      name: of the experiment; a new folder below `runs/` is named after it.
      out: the folder that the user names; None: none.

    Raises:
      UserError: the folder holds something else.
    """
    if out is not None:
        path = Path(out)
    else:
        number = 1
        while (path := Path("runs") / f"{name}-{number:03d}").exists():
            number += 1
        path = Path("runs") / f"{name}-{number - 1:03d}" if resume else path
    folder = RunFolder.at(path)
    if not resume:
        if folder.path.exists() and any(folder.path.iterdir()):
            raise UserError(f"{folder.path} is not empty: give --resume or another --out")
    elif not folder.config.is_file():
        raise UserError(f"{folder.path}: nothing to resume there; leave out --resume")
    return folder


def check_same(folder: RunFolder, config: Mapping[str, Any]) -> None:
    """Makes sure that the run in a folder is the one that is asked for.

    Args:
      config: what `config.json` of that run would hold, its `identity` included.

    Raises:
      UserError: it is another one; every setting that differs is named.
    """
    there, here = _flat(folder.read(folder.config)), _flat(json.loads(json.dumps(config)))
    keys = [*here, *(key for key in there if key not in here)]
    apart = [key for key in keys if there.get(key) != here.get(key)]
    if not apart:
        return
    short = lambda value: str(value)[:40]
    lines = [
        f"  {key}: {short(there.get(key))} there, {short(here.get(key))} here" for key in apart
    ]
    raise UserError(
        f"{folder.path} holds another run; what differs:\n" + "\n".join(lines) + "\nRepeat its"
        f" command ({folder.read(folder.environment)['command']}) with --resume, or give another"
        " --out"
    )


def _flat(data: Any, path: str = "") -> dict[str, Any]:
    """Plain data by dotted path, without titles."""
    if not isinstance(data, dict):
        return {path: data}
    found: dict[str, Any] = {}
    for key, value in data.items():
        where = f"{path}.{key}" if path else key
        if where not in ("title", "paper"):
            found |= _flat(value, where)
    return found


@dataclass(frozen=True)
class History:
    """`metrics.jsonl`: a line for each run and epoch, in order, whatever was interrupted."""

    path: Path

    def add(self, epoch: int, lines: list[dict[str, Any]]) -> None:
        """Adds the lines of an epoch, in place of any from that epoch on."""
        # A resumed run may repeat epochs: those after the checkpoint that it continues from.
        kept = self.path.read_text().splitlines() if self.path.is_file() else []
        kept = [line for line in kept if json.loads(line)["epoch"] < epoch]
        write_text(self.path, "\n".join([*kept, *map(json.dumps, lines)]) + "\n")


def write_json(path: Path, data: Any) -> None:
    """Writes JSON in one move."""
    write_text(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a file in one move: a reader sees the old one or the new one."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text)
    os.replace(temporary, path)


def environment(devices: list[str]) -> dict[str, Any]:
    """What a result may depend on besides its configuration."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": versions,
        "devices": devices,
        "cores": len(os.sched_getaffinity(0)),
        "commit": _commit(),
        "command": " ".join(["jaxdep", *sys.argv[1:]]),
    }


def _commit() -> str | None:
    """The git commit of a checkout, with `+` where files have changed since."""
    root = Path(__file__).parents[1]
    if not (root / "pyproject.toml").is_file():
        return None  # installed from a wheel: whatever repository is around it is not ours
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        dirty = subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if dirty.stdout else "")
