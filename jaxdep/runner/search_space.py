"""Configurations of a sweep: all points of a grid, or random points, grouped by program."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.overrides import digest_of, is_traceable, override, value_of

Configuration = Mapping[str, Any]
"""Values by dotted path of the setting."""


@dataclass(frozen=True)
class Uniform:
    """A uniform or log-uniform range.

    Attributes:
      low: lower bound.
      high: upper bound.
      log: whether the logarithm of the value is uniform.
    """

    low: float
    high: float
    log: bool

    def draw(self, rng: np.random.Generator) -> float:
        """Draws one value, rounded to three significant digits: more would be spurious."""
        if self.log:
            value = np.exp(rng.uniform(np.log(self.low), np.log(self.high)))
        else:
            value = rng.uniform(self.low, self.high)
        return float(f"{value:.3g}")


Axis = tuple[Any, ...] | Uniform
"""Candidate values of one setting."""


def parse(assignments: Sequence[str]) -> dict[str, Axis]:
    """Parses command-line axes: `["KEY=V1,V2", "KEY=log(LOW,HIGH)", "KEY=uniform(LOW,HIGH)"]`.

    Raises:
      UserError: an axis is malformed or repeated.
    """
    axes: dict[str, Axis] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not (key and equals and text):
            raise UserError(f"--grid expects KEY=V1,V2 or KEY=log(LOW,HIGH); got {assignment!r}")
        if key in axes:
            raise UserError(f"--grid lists {key} twice; give all of its values at once")
        axes[key] = _range(assignment, text) or _values(text)
    return axes


def grid(axes: Mapping[str, Axis]) -> list[Configuration]:
    """All combinations of the values; the last axis varies fastest.

    Raises:
      UserError: an axis is a continuous range.
    """
    for key, axis in axes.items():
        if isinstance(axis, Uniform):
            raise UserError(f"{key} is a continuous range; set --random N to sample from it")
    values = [axis for axis in axes.values() if not isinstance(axis, Uniform)]
    return [dict(zip(axes, point, strict=True)) for point in itertools.product(*values)]


def sample(axes: Mapping[str, Axis], number: int, seed: int) -> list[Configuration]:
    """Draws configurations, each axis independently (Bergstra and Bengio, JMLR 2012).

    Args:
      axes: candidate values of each setting.
      number: number of configurations.
      seed: seed of the random draws.
    """
    rng = np.random.default_rng(seed)
    draw = lambda axis: (
        axis.draw(rng) if isinstance(axis, Uniform) else axis[rng.integers(len(axis))]
    )
    return [{key: draw(axis) for key, axis in axes.items()} for _ in range(number)]


@dataclass(frozen=True)
class Group:
    """Configurations that are trained by one compiled program.

    Attributes:
      experiment: experiment that determines the program, including the settings that shape arrays.
      members: indices of the configurations in the group.
      hyper: traced settings of each member.
    """

    experiment: Experiment
    members: tuple[int, ...]
    hyper: tuple[Mapping[str, float], ...]


def group(experiment: Experiment, configurations: Sequence[Configuration]) -> list[Group]:
    """Groups configurations by the program that they compile to.

    Raises:
      UserError: a setting does not exist, has another type, or cannot be swept.
    """
    groups: dict[str, tuple[Experiment, list[int], list[Mapping[str, float]]]] = {}
    for number, configuration in enumerate(configurations):
        checked = override(experiment, configuration)
        for path in configuration:
            if path.startswith("corpus."):
                raise UserError(f"{path} changes the data and cannot be swept; use separate runs")
        traced = [path for path in configuration if is_traceable(checked, path)]
        shaping = {key: value for key, value in configuration.items() if key not in traced}
        # A setting that is off (None) by default but on here must be on in the program; its value
        # does not matter.
        shaping |= {path: 1.0 for path in traced if not is_traceable(experiment, path)}
        base = override(experiment, shaping)
        entry = groups.setdefault(digest_of(base), (base, [], []))
        entry[1].append(number)
        entry[2].append({path: value_of(checked, path) for path in traced})
    return [Group(shape, tuple(members), tuple(h)) for shape, members, h in groups.values()]


def _range(assignment: str, text: str) -> Uniform | None:
    match = re.fullmatch(r"(log|uniform)\(([^,]+),([^,]+)\)", text.replace(" ", ""))
    if not match:
        return None
    try:
        low, high = float(match[2]), float(match[3])
    except ValueError:
        low = high = 0.0
    if not low < high or (match[1] == "log" and low <= 0):
        raise UserError(f"--grid {assignment}: a range needs LOW < HIGH, and log() needs LOW > 0")
    return Uniform(low, high, match[1] == "log")


def _values(text: str) -> tuple[Any, ...]:
    """Parses `1e-3,1e-4`, `(1,3),(1,3,5)` or `adam,sgd`."""
    try:
        return tuple(ast.literal_eval(f"[{text}]"))
    except (ValueError, SyntaxError):
        return tuple(part.strip() for part in text.split(","))
