"""Plots attention over time for a few recordings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from jaxdep.analysis.style import BLUE, GREEN, GREY, ORANGE, axes, legible

_PALETTE = {"blue": BLUE, "orange": ORANGE, "green": GREEN, "grey": GREY}


def attention(stored: Mapping[str, np.ndarray], classes: list[str]) -> tuple[Figure, str] | None:
    """Plots attention weights over time, with one row per recording and one column per scale.

    Args:
      stored: content of `attention.npz`: `ids`, `targets` (missing where they are not known),
        `predictions`, `length`; maps [n, L]
        whose names end with a symbol of the paper, such as `jaf.0/A_A`; `streams`, rows of symbol,
        legend label and color; and `panels`, rows of map prefix and title.
      classes: class names of the main task.

    Returns:
      The figure and its caption; None if no known map is stored.

    Raises:
      ValueError: arrays are missing, or do not go together.
    """
    _check(stored, len(classes))
    streams = {symbol: (legible(label), color) for symbol, label, color in stored["streams"]}
    titles = dict(stored["panels"])
    maps = {name: array for name, array in stored.items() if name.split("/")[-1] in streams}
    if not maps:
        return None
    scales = sorted({name.rpartition("/")[0] for name in maps})
    ids = stored["ids"]
    figure, grid = axes(len(ids), columns=len(scales), width=9, height=0.8 + 1.25 * len(ids))
    for number, axis in enumerate(grid):
        row, column = divmod(number, len(scales))
        length = int(stored["length"][row])
        padding = []
        for symbol, (label, color) in streams.items():
            name = "/".join(filter(None, (scales[column], symbol)))
            if name in maps:
                weights = maps[name][row]
                axis.plot(weights[:length], color=_PALETTE[color], linewidth=1, label=label)
                padding.append(weights[length:].sum() / max(weights.sum(), 1e-9))
        axis.set_ylim(bottom=0)
        axis.set_xlim(0, max(length - 1, 1))
        axis.tick_params(labelsize=7)
        if max(padding, default=0) > 0.05:
            text = f"{max(padding):.0%} on padding"
            box = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1}
            place = {"transform": axis.transAxes, "ha": "right", "va": "top"}
            axis.set_ylim(top=1.3 * axis.get_ylim()[1])
            axis.text(1, 1, text, fontsize=7, bbox=box, **place)
        heading = f"{_scale(scales[column], titles)}\n" if row == 0 and len(scales) > 1 else ""
        recording = _recording(stored, row, classes) if column == 0 else ""
        axis.set_title(legible(f"{heading}{recording}"), loc="left", fontsize=8)
        if row == len(ids) - 1:
            axis.set_xlabel("frame")
    figure.supylabel("weight", fontsize=8)
    legends = [axis.get_legend_handles_labels() for axis in grid[: len(scales)]]
    handle_by_label = {
        label: handle for both in legends for handle, label in zip(*both, strict=True)
    }
    handles, labels = list(handle_by_label.values()), list(handle_by_label)
    figure.legend(
        handles, labels, frameon=False, fontsize=8, loc="outside lower center", ncols=len(labels)
    )
    agreement = _agreement(maps, int(stored["length"].min()))
    position_note = (
        f" The mean correlation of the weights between recordings is {agreement:.2f}: they follow"
        " the position in time, not the person."
    )
    return figure, (
        "Attention weight of each frame in one run, for a few recordings. The weights of a stream"
        " sum to one over time (weights between modalities: in each frame). Flat lines mean that"
        ' all frames are averaged; peaks are moments that the model selected. "On padding" is'
        " weight beyond the end of the recording, which models without masks may assign. The"
        " weights show where the model attends, not why a person was labeled this way."
    ) + (position_note if agreement > 0.9 else "")


def _check(stored: Mapping[str, np.ndarray], classes: int) -> None:
    """Checks arrays that a damaged file may lack or have of another shape or type."""
    items = len(stored["ids"]) if "ids" in stored else 0
    known = {name for name in ("targets",) if name in stored}
    shapes = {name: (items,) for name in ("ids", "predictions", "length", *known)}
    shapes |= {"streams": (len(stored.get("streams", ())), 3)}
    shapes |= {"panels": (len(stored.get("panels", ())), 2)}
    for name, shape in shapes.items():
        if name not in stored or stored[name].shape != shape or not items:
            raise ValueError(f"{name} is missing, or is not {list(shape)}")
    drawn = {name for name in stored if name.split("/")[-1] in stored["streams"][:, 0]}
    for name in drawn | known | {"predictions", "length"}:
        array = stored[name]
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise ValueError(f"{name} has values that are not finite numbers")
        if name in drawn and (array.ndim != 2 or len(array) != items or not array.size):
            raise ValueError(f"{name} is not [{items}, L]")
    named = np.concatenate([stored[name] for name in ("predictions", *known)])
    if classes and not np.isin(named, np.arange(classes)).all():
        raise ValueError("a target or prediction is not the index of a class")
    if not set(stored["streams"][:, 2].astype(str)) <= set(_PALETTE):
        raise ValueError(f"a color of streams is not one of {', '.join(_PALETTE)}")


def _agreement(maps: Mapping[str, np.ndarray], length: int) -> float:
    """Mean pairwise correlation of the recordings' weights over common frames; 0 if undefined."""
    if length < 3 or len(next(iter(maps.values()))) < 2:
        return 0.0
    correlations = []
    for weights in maps.values():
        centered = weights[:, :length] - weights[:, :length].mean(1, keepdims=True)
        norms = np.linalg.norm(centered, axis=1)
        if (norms > 0).all():
            pairs = np.triu_indices(len(weights), 1)
            correlations += list(((centered @ centered.T) / np.outer(norms, norms))[pairs])
    return float(np.mean(correlations)) if correlations else 0.0


def _scale(name: str, titles: Mapping[str, str]) -> str:
    """Title of a panel; without one, `jaf.0` becomes "scale 1"."""
    if name in titles:
        return str(titles[name])
    stem, dot, number = name.partition(".")
    return f"scale {int(number) + 1}" if dot and number.isdigit() else stem


def _recording(stored: Mapping[str, np.ndarray], row: int, classes: list[str]) -> str:
    """Id of a recording, with its true class or score, if known, and the predicted one."""
    name = lambda key: classes[int(stored[key][row])] if classes else f"{stored[key][row]:.1f}"
    true = f"true {name('targets')}, " if "targets" in stored else ""
    return f"{stored['ids'][row]}: {true}predicted {name('predictions')}"
