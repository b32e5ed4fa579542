"""A run's folder: where each file lies, written so that a kill leaves nothing half-written."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
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
    """The files of one `jaxdep run`."""

    path: Path

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
    def checkpoints(self) -> Path:
        """Orbax's folder."""
        return self.path / "checkpoints"

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return self.meta.is_file() and self.predictions.is_file()

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


def write_json(path: Path, data: Any) -> None:
    """Writes JSON in one move."""
    write_text(path, json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n")


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
