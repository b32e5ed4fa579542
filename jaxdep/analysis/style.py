"""Common style of all figures: a color-blind-safe palette, and no global matplotlib state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context, rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from jaxdep.artifacts.files import replaced
from jaxdep.plain import visible

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


def legible(text: str) -> str:
    r"""Text as matplotlib shows it: without formulas, and with escapes for what no font has.

    An emoji becomes `\U0001f98a`, which, unlike an empty box, can be told from another one.
    """
    families = [FontProperties(family=[name]) for name in rcParams["font.family"]]
    fonts = [get_font(findfont(family)) for family in families]
    known = lambda character: any(font.get_char_index(ord(character)) for font in fonts)
    shown = [
        character
        if character == "\n" or known(character)
        else character.encode("unicode_escape").decode()
        for character in visible(text)
    ]
    return "".join(shown).replace("$", r"\$")


_FORMATS: dict[str, dict[str, Any]] = {
    "png": {"dpi": 130},
    # Without dates and random identifiers, the same figure is the same file.
    "svg": {"metadata": {"Date": None}},
    "pdf": {"metadata": {"CreationDate": None}},
}
"""Formats of figures, and their options."""

_FONTS: dict[Any, Any] = {
    "svg.hashsalt": "jaxdep",
    "pdf.fonttype": 42,  # TrueType; publishers refuse Type 3, the default
}


def save(figure: Figure, folder: Path, name: str, synthetic: bool) -> None:
    """Saves a figure of any page as `figures/NAME.png`, `.svg` and `.pdf`.

    Args:
      figure: figure to save.
      folder: folder of the page.
      name: name of the figure.
      synthetic: whether it is marked as showing SYNTHETIC data.
    """
    if synthetic:
        figure.suptitle("SYNTHETIC data", fontsize=9, color=ORANGE)
    (folder / "figures").mkdir(exist_ok=True)
    for suffix in _FORMATS:
        write(figure, folder / "figures" / f"{name}.{suffix}")


def write(figure: Figure, path: Path) -> None:
    """Writes a figure to a file, in the format of its ending: `.png`, `.svg` or `.pdf`."""
    suffix = path.suffix.removeprefix(".")
    with replaced(path) as temporary, rc_context(_FONTS):
        figure.savefig(temporary, format=suffix, **_FORMATS[suffix])
