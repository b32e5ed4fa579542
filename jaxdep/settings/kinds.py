"""Types of settings: ranges of numbers, names and splits, to annotate the fields of dataclasses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Interval, Le, Lt

from jaxdep.types import Number


@dataclass(frozen=True)
class Pattern:
    """Constraint of a string.

    Attributes:
      regex: regular expression that matches the whole string.
      text: description, following "a string of".
    """

    regex: str
    text: str

    def matches(self, value: str) -> bool:
        """Whether a string satisfies the constraint."""
        return re.fullmatch(self.regex, value) is not None


@dataclass(frozen=True)
class OneOf:
    """Constraint to a choice of strings, where a `Literal` cannot be used.

    Attributes:
      choices: permitted values.
    """

    choices: tuple[str, ...]


@dataclass(frozen=True)
class Odd:
    """Constraint to odd integers."""


Count = Annotated[int, Interval(ge=1, le=10**6)]
"""Number of things of which there is at least one, such as epochs."""

CountOrNone = Annotated[int, Interval(ge=0, le=10**6)]
"""Number of things of which there may be none."""

Width = Annotated[int, Interval(ge=1, le=2**16)]
"""Number of features, channels or heads; arrays of this size are allocated."""

Seed = Annotated[int, Interval(ge=0, lt=2**32)]

FramesPerSecond = Annotated[float, Gt(0), Le(10**5)]

Layers = Annotated[int, Interval(ge=1, le=100)]
"""Number of layers or stacks."""

BatchSize = Annotated[int, Interval(ge=1, le=2**16)]

Classes = Annotated[int, Interval(ge=2, le=1000)]

Kernel = Annotated[int, Interval(ge=1, le=1023), Odd()]
"""Kernel size of a convolution that keeps the length."""

Rate = Annotated[Number, Ge(0), Lt(1)]
"""Probability of dropping a value."""

Probability = Annotated[Number, Ge(0), Le(1)]

NonNegative = Annotated[float, Ge(0)]

Positive = Annotated[float, Gt(0)]

Decay = Annotated[float, Ge(0), Lt(1)]
"""Decay rate of a moving average."""

Folds = Annotated[int, Interval(ge=0, le=1000)]
"""Number of folds of a cross-validation, or index of one; 0 folds for no cross-validation."""

Half = Annotated[float, Gt(0), Le(0.5)]
"""Part of a whole, at most half of it."""

Name = Annotated[str, Pattern(r"\w[\w.-]*", "letters, digits, '_', '-' and '.'")]
"""Name of a file or folder."""

SplitName = Annotated[str, Pattern(r"\w+", "letters, digits and '_'")]

OptionalSplit = Annotated[str, Pattern(r"\w*", "letters, digits and '_', which may be empty")]
