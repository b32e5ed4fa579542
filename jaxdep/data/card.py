"""Writes the card of a prepared corpus, `card.md`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxdep.plain import markdown


def card(metadata: Mapping[str, Any]) -> str:
    """Content of the card: source of the labels, statistics and warnings.

    Args:
      metadata: content of `corpus.json`.
    """
    name = metadata["card"].get("corpus", metadata["name"])
    title = f"# {markdown(name)}" + (" (SYNTHETIC)" if metadata["synthetic"] else "")
    lines = [title, "", markdown(metadata["label_source"]), "", *_bullets(metadata["card"])]
    if metadata["warnings"]:
        warnings = [f"- {markdown(warning)}" for warning in metadata["warnings"]]
        lines += ["", "## Warnings", "", *warnings]
    return "\n".join(lines) + "\n"


def _bullets(numbers: Mapping[Any, Any], depth: int = 0) -> list[str]:
    lines = []
    for key, value in numbers.items():
        bullet = f"{'  ' * depth}- {markdown(str(key))}"
        if isinstance(value, Mapping):
            lines += [bullet, *_bullets(value, depth + 1)]
        else:
            lines.append(f"{bullet}: {markdown(str(value))}")
    return lines
