"""Common style of all figures: a color-blind-safe palette, and no global matplotlib state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#8c8c8c"  # Okabe and Ito

_SETTINGS: dict[Any, Any] = {
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "legend.fontsize": 8,
}


def axes(rows: int, *, columns: int = 1, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Creates a figure with `rows` x `columns` axes; sizes are in inches."""
    with rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, columns, squeeze=False)
    found = list(np.ravel(grid))
    for axis in found:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    return figure, found


def save(figure: Figure, path: Path, title: str) -> None:
    """Saves a figure as PNG."""
    if title:
        figure.suptitle(title, fontsize=9, color=ORANGE)
    figure.savefig(path, dpi=130)
