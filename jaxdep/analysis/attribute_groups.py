"""Divides test recordings into groups by their attributes, such as gender or age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MOST_VALUES = 8
"""An attribute with more values than these is cut at its median, or not compared if it is text."""


@dataclass(frozen=True)
class Grouping:
    """Groups of the N recordings by an attribute.

    Attributes:
      attribute: name of the attribute.
      names: names of the G groups.
      member: number of the group of each recording, [N]; -1 where the attribute is unknown.
      within: whether a subject has recordings in several groups.
      note: how the groups were made, if not by the values themselves.
    """

    attribute: str
    names: Sequence[str]
    member: np.ndarray
    within: bool
    note: str = ""


def divide(
    attributes: Mapping[str, np.ndarray], subjects: np.ndarray
) -> tuple[list[Grouping], list[str]]:
    """Divides recordings by each attribute.

    Args:
      attributes: values as texts [N] by name; empty where unknown.
      subjects: subject of each recording, [N].

    Returns:
      The groups by each attribute that can be compared, and why others cannot.
    """
    found = [_divide(name, texts, subjects) for name, texts in attributes.items()]
    kept = [each for each in found if isinstance(each, Grouping)]
    return kept, [each for each in found if isinstance(each, str)]


def _divide(attribute: str, texts: np.ndarray, subjects: np.ndarray) -> Grouping | str:
    """The groups by one attribute, or why there are none."""
    pairs = {
        (who, text) for who, text in zip(subjects.tolist(), texts.tolist(), strict=True) if text
    }
    values = sorted({text for _, text in pairs})
    unique = len(pairs) == len(values)
    numbers = _numbers(values)
    if len(values) < 2:
        return f"{attribute}: not compared, fewer than two known values"
    if numbers and (unique or len(values) > MOST_VALUES):
        # Of an even number, the lower one of the middle two: a value that occurs.
        of_subjects = sorted(numbers[text] for _, text in pairs)
        median = of_subjects[(len(of_subjects) - 1) // 2]
        shown = f"{median:.10g}"
        if median < of_subjects[-1]:
            names = (f"up to {shown}", f"above {shown}")
            place = {text: int(number > median) for text, number in numbers.items()}
        else:
            names = (f"below {shown}", f"{shown} and above")
            place = {text: int(number >= median) for text, number in numbers.items()}
        note = f"{attribute}: {len(values)} different numbers, cut at the median, {shown}"
    elif unique:
        return f"{attribute}: not compared, each value is that of one subject"
    elif len(values) > MOST_VALUES:
        return f"{attribute}: not compared, it has {len(values)} values, more than {MOST_VALUES}"
    else:
        names = tuple(sorted(values, key=numbers.__getitem__) if numbers else values)
        place, note = {text: number for number, text in enumerate(names)}, ""
    member = np.array([place[text] if text else -1 for text in texts.tolist()])
    groups_of_subjects = {(who, place[text]) for who, text in pairs}
    within = len(groups_of_subjects) > len({who for who, _ in pairs})
    return Grouping(attribute, names, member, within, note)


def _numbers(values: Sequence[str]) -> dict[str, float]:
    """The numbers that texts stand for, by text; empty if one of them is not a finite number."""
    try:
        numbers = {text: float(text) for text in values}
    except ValueError:
        return {}
    return numbers if np.isfinite(list(numbers.values())).all() else {}
