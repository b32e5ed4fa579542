"""Describes the software and hardware that a result may depend on, for `environment.json`."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
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
        "commit": commit(),
        "command": " ".join(["jaxdep", *sys.argv[1:]]),
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a run may depend on and differs between two descriptions, one line each.

    Args:
      before: description of the process that began a run.
      now: description of this process.
    """
    names = {"python": "Python", "platform": "platform", "devices": "devices"}
    pairs = [(label, before.get(key), now.get(key)) for key, label in names.items()]
    old, new = before.get("packages", {}), now.get("packages", {})
    pairs += [(name, old.get(name), new.get(name)) for name in new]
    return [f"{label}: {first}, now {second}" for label, first, second in pairs if first != second]


def commit() -> str | None:
    """Git commit of the source checkout, followed by `+` if there are uncommitted changes."""
    root = Path(__file__).parents[2]
    if not (root / "pyproject.toml").is_file():
        return None  # installed from a wheel: a surrounding repository is not jaxdep's
    # Killed while it refreshes the index, git would leave a lock in the user's repository.
    git = ["git", "--no-optional-locks", "-C", str(root)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        dirty = subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if dirty.stdout else "")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
