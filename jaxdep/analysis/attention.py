"""Where a model looks: joint attention over time of a few recordings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from jaxdep.analysis.style import BLUE, ORANGE, axes

_STREAMS = (("A_A", "voice", BLUE), ("A_V", "face", ORANGE), ("alpha_text", "text", BLUE))


def attention(stored: Mapping[str, np.ndarray], classes: list[str]) -> tuple[Figure, str] | None:
    """Draws the weights over time, a row for each recording and a column for each scale.

    Args:
      stored: the content of `attention.npz`: `ids`, `targets`, `predictions`, `length`, and maps
        [n, L] whose names end in a paper's symbol, `jaf.0/A_A`.
      classes: names of the main task's classes.

    Returns:
      The figure and its caption; None where no known map is stored.
    """
    symbols = [symbol for symbol, _, _ in _STREAMS]
    maps = {name: array for name, array in stored.items() if name.split("/")[-1] in symbols}
    if not maps:
        return None
    scales = sorted({name.rpartition("/")[0] for name in maps})
    ids = stored["ids"]
    figure, grid = axes(len(ids), columns=len(scales), width=9, height=0.6 + 1.3 * len(ids))
    for number, axis in enumerate(grid):
        row, column = divmod(number, len(scales))
        length = int(stored["length"][row])
        for symbol, label, color in _STREAMS:
            name = "/".join(filter(None, (scales[column], symbol)))
            if name in maps:
                axis.plot(maps[name][row, :length], color=color, linewidth=1, label=label)
        axis.set_ylim(bottom=0)
        if row == 0:
            axis.set_title(scales[column] or "attention")
        if column == 0:
            said, true = (classes[int(stored[key][row])] for key in ("predictions", "targets"))
            axis.set_ylabel(f"{ids[row]}\ntrue: {true}\nsaid: {said}", fontsize=7)
        if row == len(ids) - 1:
            axis.set_xlabel("frame")
    grid[0].legend(frameon=False)
    return figure, (
        "Weight of each frame in the decision of one run, for a few recordings; the weights of a"
        " stream sum to one. Flat lines are averages; peaks are moments that the model picked."
    )
