"""Severity of depression from the BDI-II total score: categories and their bounds."""

from __future__ import annotations

from typing import Any

NAMES = ("minimal", "mild", "moderate", "severe")
"""0-13, 14-19, 20-28, 29-63 (Beck, Steer & Brown, BDI-II manual, 1996)."""

EDGES = (13.5, 19.5, 28.5)
"""A real-valued score has the category of the nearest integer; halves are rounded up."""

RANGE = (0.0, 63.0)

DEPRESSED_FROM = 14
"""Lowest total (mild depression) that counts as depressed in binary tasks."""


def category(scores: Any) -> Any:
    """Returns the index into `NAMES` of each score; accepts NumPy and JAX arrays of any shape."""
    above = [(scores >= edge).astype("int32") for edge in EDGES]
    return above[0] + above[1] + above[2]
