"""Draws the figures of a reproduction: intervals beside the paper's figures, and loss curves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jaxdep.analysis import formatting
from jaxdep.analysis.reproduction import Line
from jaxdep.analysis.reproduction_notes import mixed
from jaxdep.analysis.style import BLUE, GREY, ORANGE, axes, legible

_COLUMNS = 3
"""Number of loss curves side by side."""

INTERVALS = (
    "Mean over runs, with the 95% interval over runs (orange) and over test items (grey)."
    " Diamond: the paper's figure, which stands for a single number of unknown seeds."
)
LOSSES = "Training (blue) and validation loss (orange) of each run; dots mark the selected epochs."


def intervals(lines: Sequence[Line]) -> Figure | None:
    """Intervals of each row, one panel for each metric, corpus and task; None without results.

    If only some corpora are SYNTHETIC, their panels are marked.
    """
    panel = lambda line: (line.corpus, line.task, line.metric)
    shown = sorted((line for line in lines if line.metric), key=panel)
    panels = [list(group) for _, group in groupby(shown, key=panel)]
    panels = [group for group in panels if any(line.mean is not None for line in group)]
    if not panels:
        return None
    rows, marks = max(map(len, panels)), mixed(lines)
    figure, found = axes(len(panels), width=7, height=len(panels) * (0.7 + 0.22 * rows))
    for axis, group in zip(found, panels, strict=True):
        for row, line in enumerate(group):
            _span(axis, line.interval_items, row + 0.15, GREY)
            _span(axis, line.interval_runs, row - 0.15, ORANGE)
            if line.mean is not None:
                axis.plot(line.mean, row, "o", color=BLUE, markersize=4)
            if line.paper is not None:
                axis.plot(
                    line.paper, row, "D", color="white", markeredgecolor="black", markersize=4
                )
        first = group[0]
        axis.set_yticks(range(len(group)), [legible(line.row) for line in group])
        axis.set_ylim(len(group) - 0.4, -0.6)
        name = first.corpus if first.task == "depression" else f"{first.corpus}, {first.task}"
        label = f"{name}: {formatting.metric_name(first.metric)}"
        axis.set_xlabel(legible(formatting.marked(label, first.corpus in marks)))
        axis.grid(axis="x", color="#e6e6e6", linewidth=0.6)
        axis.set_axisbelow(True)
    return figure


def losses(
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    best: Mapping[str, Any],
    marks: Collection[str] = (),
) -> Figure:
    """Loss curves of every experiment.

    Args:
      histories: lines of `metrics.jsonl` by name of the experiment.
      best: for each experiment, the best epoch of each run.
      marks: experiments that are marked as SYNTHETIC.
    """
    rows = -(-len(histories) // _COLUMNS)
    figure, found = axes(rows, columns=_COLUMNS, width=7.6, height=1.9 * rows)
    for axis in found[len(histories) :]:
        axis.set_visible(False)
    for axis, (name, lines) in zip(found, histories.items(), strict=False):
        for run, epoch in best[name].items():
            history = [line for line in lines if line["run"] == run]
            epochs = [line["epoch"] for line in history]
            for part, color in (("train", BLUE), ("validation", ORANGE)):
                values = np.array([line[part]["loss"] for line in history], float)
                axis.plot(epochs, values, color=color, alpha=0.6, linewidth=0.9)
                if part == "validation" and epoch in epochs:
                    axis.plot(epoch, values[epochs.index(epoch)], "o", color=color, markersize=3)
        axis.set_title(legible(formatting.marked(name, name in marks)), fontsize=7)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _span(axis: Axes, pair: Any, height: float, color: str) -> None:
    if pair:
        axis.plot(pair, [height, height], color=color, linewidth=2.5, solid_capstyle="butt")
