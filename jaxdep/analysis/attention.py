"""Where a model looks: joint attention over time of a few recordings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from jaxdep.analysis.style import BLUE, GREEN, GREY, ORANGE, axes

_STREAMS = (
    ("A_A", "voice", BLUE),
    ("A_V", "face", ORANGE),
    ("alpha_text", "text", BLUE),
    ("acoustic", "voice", BLUE),
    ("visual", "face", ORANGE),
    ("pose", "head", GREEN),
    ("frames", "frames", GREY),
    ("multimodal", "both", GREEN),
)

_NAMES = {
    "faa": "between modalities",
    "sea": "over time",
    "words": "of each word",
    "alone": "of each word alone",
}


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
    figure, grid = axes(len(ids), columns=len(scales), width=9, height=0.8 + 1.25 * len(ids))
    for number, axis in enumerate(grid):
        row, column = divmod(number, len(scales))
        length = int(stored["length"][row])
        padding = []
        for symbol, label, color in _STREAMS:
            name = "/".join(filter(None, (scales[column], symbol)))
            if name in maps:
                weights = maps[name][row]
                axis.plot(weights[:length], color=color, linewidth=1, label=label)
                padding.append(weights[length:].sum() / max(weights.sum(), 1e-9))
        axis.set_ylim(bottom=0)
        axis.set_xlim(0, max(length - 1, 1))
        axis.tick_params(labelsize=7)
        if max(padding, default=0) > 0.05:
            said = f"{max(padding):.0%} on padding"
            box = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1}
            place = {"transform": axis.transAxes, "ha": "right", "va": "top"}
            axis.set_ylim(top=1.3 * axis.get_ylim()[1])
            axis.text(1, 1, said, fontsize=7, bbox=box, **place)
        above = f"{_scale(scales[column])}\n" if row == 0 and len(scales) > 1 else ""
        told = _recording(stored, row, classes) if column == 0 else ""
        axis.set_title(f"{above}{told}", loc="left", fontsize=8)
        if row == len(ids) - 1:
            axis.set_xlabel("frame")
    figure.supylabel("weight", fontsize=8)
    drawn = [axis.get_legend_handles_labels() for axis in grid[: len(scales)]]
    named = {label: handle for both in drawn for handle, label in zip(*both, strict=True)}
    handles, labels = list(named.values()), list(named)
    figure.legend(
        handles, labels, frameon=False, fontsize=8, loc="outside lower center", ncols=len(labels)
    )
    alike = _agreement(maps, int(stored["length"].min()))
    by_position = (
        f" Between these recordings the weights correlate by {alike:.2f}: they follow the position"
        " in time, not the person."
    )
    return figure, (
        "Weight of each frame in the decision of one run, for a few recordings; the weights of a"
        " stream sum to one (those between modalities in each frame). Flat lines are averages;"
        " peaks are moments that the model picked; on padding: weight beyond the end of the"
        " recording, which a model without masks may give. A weight shows where the model read,"
        " not what made a person be labelled so."
    ) + (by_position if alike > 0.9 else "")


def _agreement(maps: Mapping[str, np.ndarray], length: int) -> float:
    """Mean correlation of two recordings' weights over the frames that all have; 0 of one."""
    if length < 3 or len(next(iter(maps.values()))) < 2:
        return 0.0
    found = []
    for weights in maps.values():
        moves = weights[:, :length] - weights[:, :length].mean(1, keepdims=True)
        size = np.linalg.norm(moves, axis=1)
        if (size > 0).all():
            pairs = np.triu_indices(len(weights), 1)
            found += list(((moves @ moves.T) / np.outer(size, size))[pairs])
    return float(np.mean(found)) if found else 0.0


def _scale(name: str) -> str:
    """`jaf.0` as "scale 1"."""
    if name in _NAMES:
        return _NAMES[name]
    stem, dot, number = name.partition(".")
    return f"scale {int(number) + 1}" if dot and number.isdigit() else stem


def _recording(stored: Mapping[str, np.ndarray], row: int, classes: list[str]) -> str:
    """Whose weights these are, and whether the run was right."""
    said, true = (stored[key][row] for key in ("predictions", "targets"))
    name = lambda value: classes[int(value)] if classes else f"{value:.1f}"
    return f"{stored['ids'][row]}: is {name(true)}, said {name(said)}"
