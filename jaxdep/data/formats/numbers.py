"""Parses numbers in files, in which Python's own literals are too generous."""

from __future__ import annotations

import re

import numpy as np

LARGEST = np.float64(1e15)
"""Largest magnitude of a feature: float32 holds the sum of the squares of 10^8 of them."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def integer(text: str) -> int:
    """Parses an integer of ASCII digits, without `1_2` or digits of other scripts.

    Raises:
      ValueError: the text is not such an integer.
    """
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not an integer")
    return int(text)


def number(text: str, low: float, high: float) -> float:
    """Parses a decimal number within bounds, without `nan`, `inf` or `1_2`.

    Raises:
      ValueError: the text is not such a number.
    """
    if not _NUMBER.fullmatch(text) or not low <= float(text) <= high:
        raise ValueError(f"{text[:40]!r} is not a number from {low:g} to {high:g}")
    return float(text)
