"""Plots the figures of a sweep: scores by the values of each setting, and successive halving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jaxdep.analysis.ranking import Row
from jaxdep.analysis.style import BLUE, GREY, ORANGE, axes, legible
from jaxdep.plain import one_line

_LARGEST = 1e100
"""Bound of what is plotted as a number; larger values, such as infinity, are names."""

_NAMED = 8
"""Maximum number of different numbers that are placed at equal distances instead of to scale."""

_TALLEST = 12.0
"""Maximum height of the figure of successive halving, in inches."""


def by_setting(rows: Sequence[Row], path: str, monitor: str) -> tuple[Figure, str]:
    """Validation scores of all configurations against their values of one setting.

    Args:
      rows: ranked configurations.
      path: dotted path of the setting.
      monitor: monitored metric.
    """
    figure, (axis,) = axes(1, width=7, height=3.4)
    values = [row.values[path] for row in rows]
    numeric = all(type(value) in (int, float) and abs(value) < _LARGEST for value in values)
    texts = list(dict.fromkeys(map(str, sorted(values) if numeric else sorted(values, key=str))))
    scaled = numeric and len(texts) > _NAMED
    places = values if scaled else [texts.index(str(value)) for value in values]
    for row, place in [*zip(rows, places, strict=True)][::-1]:  # the best one last, on top
        if not np.isfinite(row.mean):
            axis.plot(place, 0.98, "x", color=GREY, transform=axis.get_xaxis_transform())
            continue
        color = _color(row, rows[0])
        if row.interval:
            axis.plot([place, place], row.interval, color=color, linewidth=1.2, alpha=0.7)
        face = "white" if row.dropped else color
        axis.plot(place, row.mean, "o", color=color, markerfacecolor=face, markersize=5)
    if not scaled:
        names = [legible(one_line(text, 24)) for text in texts]
        axis.set_xticks(range(len(names)), names, rotation=30 if len(names) > 4 else 0)
        axis.margins(x=0.1)
    elif _spans_magnitudes(values):
        axis.set_xscale("log")
    axis.set(xlabel=legible(path), ylabel=legible(f"validation {monitor}"))
    better = "higher" if rows[0].higher_is_better else "lower"
    return figure, (
        f"Validation {monitor} ({better} is better) of each configuration against {path}, with the"
        " 95% interval over runs. Orange: the best one; grey and hollow: stopped early, so that the"
        " score is of an earlier epoch; crosses: configurations with a diverged run."
    )


def halving(rows: Sequence[Row]) -> tuple[Figure, str]:
    """Number of epochs that each configuration was trained for, the best one at the top."""
    height = min(1.2 + 0.16 * len(rows), _TALLEST)
    figure, (axis,) = axes(1, width=7, height=height)
    for place, row in enumerate(rows):
        ends = [0, row.dropped or row.epochs]
        color = _color(row, rows[0])
        axis.plot(ends, [place, place], color=color, linewidth=3, solid_capstyle="butt")
    for epoch in rungs(rows):
        axis.axvline(epoch, color=GREY, linestyle=":", linewidth=0.8)
    if len(rows) <= _TALLEST / 0.16:
        axis.set_yticks(range(len(rows)), [str(row.number) for row in rows], fontsize=7)
    else:
        axis.set_yticks([])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set(xlabel="epoch", ylabel="configuration, by rank", xlim=(0, None))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, (
        "Successive halving: epochs of each configuration, which is named by its number in the"
        " ranking. Dotted lines: rungs, after which the worse half was stopped. Orange: the best"
        " configuration; grey: stopped. A shorter line that is not grey ended by early stopping or"
        " diverged."
    )


def rungs(rows: Sequence[Row]) -> list[int]:
    """Epochs after which configurations were stopped, in order."""
    return sorted({row.dropped for row in rows if row.dropped})


def _color(row: Row, best: Row) -> str:
    return ORANGE if row is best else GREY if row.dropped else BLUE


def _spans_magnitudes(values: Sequence[Any]) -> bool:
    return min(values) > 0 and max(values) / min(values) >= 20
