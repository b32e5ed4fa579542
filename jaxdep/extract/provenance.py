"""Describes how features were made: media, settings, models and versions, as JSON beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.artifacts.files import read_json
from jaxdep.extract.face import predictor_file
from jaxdep.extract.layouts import find
from jaxdep.extract.packages import PACKAGES
from jaxdep.extract.settings import Settings

VERSION = 1
"""Version of the computation: features made by another one are made again."""


def recipe(settings: Settings) -> dict[str, Any]:
    """All that determines the features of a given file, but for versions of packages."""
    chosen: dict[str, Any] = {"version": VERSION, **asdict(settings)}
    if "landmarks" in find(settings.like).streams:
        path = predictor_file(settings.predictor)
        # A file's name says nothing about its content, nor may it tell of this machine.
        chosen["predictor"] = {"name": path.name, "sha256": _digest_once(path)}
    return chosen


def describe(
    path: Path,
    digest: str,
    settings: Settings,
    facts: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Describes the features of one recording.

    Args:
      path: media file.
      digest: its SHA-256.
      settings: settings of the extraction.
      facts: what was found in the file.
      arrays: the features, by name.
    """
    return {
        "tool": "jaxdep extract",
        "recipe": recipe(settings),
        "media": {"name": path.name, "sha256": digest, **facts},
        "arrays": {name: list(array.shape) for name, array in arrays.items()},
        "versions": versions(),
    }


def is_of(file: Path, digest: str, settings: Settings) -> bool:
    """Whether a file describes features of these media, with these settings."""
    try:
        found = read_json(file)
        same = found["media"]["sha256"] == digest
        return same and found["recipe"] == recipe(settings)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def sha256(path: Path) -> str:
    """SHA-256 of a file, which is read in parts."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def versions() -> dict[str, str]:
    """Versions of jaxdep and of the installed packages of the extra."""
    found = {}
    for name in ("jaxdep", "numpy", *PACKAGES.values()):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def _digest_once(path: Path) -> str:
    return sha256(path)
