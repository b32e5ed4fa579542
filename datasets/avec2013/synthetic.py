"""Writes a synthetic AVEC2013: like AVEC2014, with one recording per session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jaxdep.datasets.avec2014 import synthetic as avec2014


def write(
    directory: str | Path,
    items: int = 150,
    seed: int = 0,
    signal: float = 1.0,
    mean_seconds: float = 1500.0,
) -> dict[str, Any]:
    """Like `avec2014.synthetic.write`, with recordings of about 25 minutes by default."""
    settings: dict[str, Any] = {"seed": seed, "signal": signal, "mean_seconds": mean_seconds}
    return avec2014.write(directory, items, tasks=(), corpus="avec2013", **settings)
