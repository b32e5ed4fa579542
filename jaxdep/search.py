"""Which configurations a sweep tries: every point of a grid, or points drawn at random."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxdep.errors import UserError
from jaxdep.experiment import Experiment, is_traceable, override, value_of

Configuration = Mapping[str, Any]
"""Values by dotted field."""


@dataclass(frozen=True)
class Uniform:
    """A range to draw from, in its logarithm or as it is."""

    low: float
    high: float
    log: bool

    def draw(self, rng: np.random.Generator) -> float:
        """One value, to three digits: more say nothing."""
        if self.log:
            value = np.exp(rng.uniform(np.log(self.low), np.log(self.high)))
        else:
            value = rng.uniform(self.low, self.high)
        return float(f"{value:.3g}")


Axis = tuple[Any, ...] | Uniform
"""The values that a field may take."""


def parse(assignments: Sequence[str]) -> dict[str, Axis]:
    """Reads `["KEY=V1,V2", "KEY=log(LOW,HIGH)", "KEY=uniform(LOW,HIGH)"]` of the command line.

    Raises:
      UserError: one is none of these.
    """
    axes: dict[str, Axis] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not (key and equals and text):
            raise UserError(f"--grid takes KEY=V1,V2 or KEY=log(LOW,HIGH); got {assignment!r}")
        if key in axes:
            raise UserError(f"--grid names {key} twice: give all its values at once")
        axes[key] = _range(assignment, text) or _values(text)
    return axes


def grid(axes: Mapping[str, Axis]) -> list[Configuration]:
    """Every combination of the values, the last field varying fastest.

    Raises:
      UserError: a range has no grid.
    """
    for key, axis in axes.items():
        if isinstance(axis, Uniform):
            raise UserError(f"{key} is a range: give --random N to draw from it")
    values = [axis for axis in axes.values() if not isinstance(axis, Uniform)]
    return [dict(zip(axes, point, strict=True)) for point in itertools.product(*values)]


def sample(axes: Mapping[str, Axis], number: int, seed: int) -> list[Configuration]:
    """`number` configurations, each field drawn on its own (Bergstra and Bengio, JMLR 2012)."""
    rng = np.random.default_rng(seed)
    draw = lambda axis: (
        axis.draw(rng) if isinstance(axis, Uniform) else axis[rng.integers(len(axis))]
    )
    return [{key: draw(axis) for key, axis in axes.items()} for _ in range(number)]


@dataclass(frozen=True)
class Group:
    """Configurations that one compiled program trains.

    Attributes:
      experiment: with what shapes the program put in place.
      members: numbers of its configurations.
      hyper: of each member the values that the program reads as data.
    """

    experiment: Experiment
    members: tuple[int, ...]
    hyper: tuple[Mapping[str, float], ...]


def group(experiment: Experiment, configurations: Sequence[Configuration]) -> list[Group]:
    """Splits configurations by what their programs look like.

    Raises:
      UserError: a field does not exist, has another type, or cannot be swept.
    """
    found: dict[str, tuple[Experiment, list[int], list[Mapping[str, float]]]] = {}
    for number, configuration in enumerate(configurations):
        checked = override(experiment, configuration)
        for path in configuration:
            if path.startswith("corpus."):
                raise UserError(f"{path} changes the data: sweep it by runs of their own")
        traced = [path for path in configuration if is_traceable(checked, path)]
        shaping = {key: value for key, value in configuration.items() if key not in traced}
        # What is off in the experiment and on here is on in the program, at any value.
        shaping |= {path: 1.0 for path in traced if not is_traceable(experiment, path)}
        of_shape = override(experiment, shaping)
        entry = found.setdefault(of_shape.digest, (of_shape, [], []))
        entry[1].append(number)
        entry[2].append({path: value_of(checked, path) for path in traced})
    return [Group(shape, tuple(members), tuple(h)) for shape, members, h in found.values()]


def _range(assignment: str, text: str) -> Uniform | None:
    match = re.fullmatch(r"(log|uniform)\(([^,]+),([^,]+)\)", text.replace(" ", ""))
    if not match:
        return None
    try:
        low, high = float(match[2]), float(match[3])
    except ValueError:
        low = high = 0.0
    if not low < high or (match[1] == "log" and low <= 0):
        raise UserError(f"--grid {assignment}: a range needs LOW < HIGH, and LOW > 0 in log()")
    return Uniform(low, high, match[1] == "log")


def _values(text: str) -> tuple[Any, ...]:
    """`1e-3,1e-4`, `(1,3),(1,3,5)` or `adam,sgd`."""
    try:
        return tuple(ast.literal_eval(f"[{text}]"))
    except (ValueError, SyntaxError):
        return tuple(part.strip() for part in text.split(","))
