"""Settings as plain data by dotted path: flattening, differences, short names, and text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from jaxdep.plain import one_line

Differences = Mapping[str, tuple[Any, Any]]
"""Values before and after, by dotted path."""


def flat(data: Any, path: str = "") -> dict[str, Any]:
    """Flattens nested mappings to values by dotted path; lists are values."""
    if not isinstance(data, Mapping):
        return {path: data}
    found: dict[str, Any] = {}
    for key, value in data.items():
        found |= flat(value, f"{path}.{key}" if path else str(key))
    return found


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Values that differ between two flat mappings; None stands for a missing one."""
    paths = dict.fromkeys([*after, *before])
    pairs = {path: (before.get(path), after.get(path)) for path in paths}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def short_names(paths: Collection[str], known: Collection[str]) -> dict[str, str]:
    """The shortest endings of dotted paths that no other path has.

    Args:
      paths: paths to shorten.
      known: all paths that could be meant; `hidden` is short for `model.hidden` if no other one
        ends with it.
    """
    owners: dict[str, set[str]] = {}
    for path in {*paths, *known}:
        for ending in _endings(path):
            owners.setdefault(ending, set()).add(path)
    return {path: next((e for e in _endings(path) if owners[e] == {path}), path) for path in paths}


def assignments(values: Mapping[str, Any], known: Collection[str], longest: int = 32) -> list[str]:
    """Settings as `hidden=16`, with short names and short values, on one line each.

    Args:
      values: values by dotted path.
      known: as in `short_names`.
      longest: maximum number of characters of a value.
    """
    names = short_names(values, known)
    of_name = max(longest, 60)
    return [
        f"{one_line(names[path], of_name)}={_short(value, longest)}"
        for path, value in values.items()
    ]


def _endings(path: str) -> list[str]:
    """Endings of a dotted path, the shortest first."""
    parts = path.split(".")
    return [".".join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]


def _short(value: Any, longest: int) -> str:
    """A value as text; of a long path or name of an encoder, the end tells more than the start."""
    text = str(tuple(value)) if isinstance(value, list) else str(value)
    if "/" in text and len(text) > longest:
        text = "..." + text[3 - longest :]
    return one_line(text, longest)
