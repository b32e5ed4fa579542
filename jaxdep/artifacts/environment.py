"""Describes the software and hardware that a result may depend on, for `environment.json`."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

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


def describe(devices: list[str]) -> dict[str, Any]:
    """Versions, machine, commit and command line of this process.

    Args:
      devices: descriptions of the devices used for training.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {package: _version(package) for package in _PACKAGES},
        "devices": devices,
        "cores": len(os.sched_getaffinity(0)),
        "commit": _commit(),
        "command": " ".join(["jaxdep", *sys.argv[1:]]),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Git commit of the source checkout, followed by `+` if there are uncommitted changes."""
    root = Path(__file__).parents[2]
    if not (root / "pyproject.toml").is_file():
        return None  # installed from a wheel: a surrounding repository is not jaxdep's
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        dirty = subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if dirty.stdout else "")
