"""Severity of depression by the BDI-II total: categories and their edges."""

from __future__ import annotations

from typing import Any

NAMES = ("minimal", "mild", "moderate", "severe")
"""0-13, 14-19, 20-28, 29-63 (Beck, Steer & Brown, BDI-II manual, 1996)."""

EDGES = (13.5, 19.5, 28.5)
"""A real-valued score belongs to the category of its nearest integer, halves upward."""

RANGE = (0.0, 63.0)


DEPRESSED_FROM = 14
"""Totals from here on, mild and worse, are taken for depression where a task is binary."""


def category(scores: Any) -> Any:
    """Index into `NAMES` of each score, of a NumPy or JAX array of any shape."""
    above = [(scores >= edge).astype("int32") for edge in EDGES]
    return above[0] + above[1] + above[2]
