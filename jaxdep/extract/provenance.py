"""Describes how features were made: media, settings, models and versions, as JSON beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.artifacts.files import read_json
from jaxdep.extract import models
from jaxdep.extract.packages import PACKAGES
from jaxdep.extract.settings import Settings

VERSION = 1
"""Version of the computation: features made by another one are made again."""


def recipe(settings: Settings) -> dict[str, Any]:
    """All that determines the features of given media, but for versions of packages.

    Args:
      settings: settings of the extraction, as `layouts.resolve` returns them.
    """
    chosen = {key: value for key, value in asdict(settings).items() if key not in models.SETTINGS}
    chosen["streams"] = list(settings.streams)
    return {"version": VERSION, **chosen, **models.identities(settings)}


def describe(
    path: Path,
    digest: str,
    recipe: Mapping[str, Any],
    facts: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Describes the features of one recording.

    Args:
      path: media file.
      digest: its SHA-256.
      recipe: see `recipe`.
      facts: what was found in the file.
      arrays: the features, by name.
    """
    return {
        "tool": "jaxdep extract",
        "recipe": recipe,
        "media": {"name": path.name, "sha256": digest, **facts},
        "arrays": {name: list(array.shape) for name, array in arrays.items()},
        "versions": versions(),
    }


def is_of(file: Path, digest: str, recipe: Mapping[str, Any]) -> bool:
    """Whether a file describes features of these media, made in this way."""
    try:
        found = read_json(file)
        return found["media"]["sha256"] == digest and found["recipe"] == recipe
    except (OSError, ValueError, KeyError, TypeError):
        return False


def versions() -> dict[str, str]:
    """Versions of jaxdep and of the installed packages of the extra."""
    found = {}
    for name in ("jaxdep", "numpy", *PACKAGES.values()):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
