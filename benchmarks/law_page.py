"""Writes the page of the scaling law, with its plots: `jaxdep bench law RESULTS --out docs`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from jaxdep.analysis import style
from jaxdep.artifacts.files import check_writable, write_text
from jaxdep.benchmarks import law, rows, tables
from jaxdep.benchmarks.law import Assumptions, Basis, Fit
from jaxdep.benchmarks.worker import OURS

_PAGE = """<!-- Written by `jaxdep bench law`; do not edit. -->
# Scaling

What training costs as it grows, from the results in `{folder}`, whose page names the machine and
explains the sides. Each line is *seconds = fixed + each x units*, fitted by least squares of the
relative deviations; *error* is the largest relative deviation of a measurement from its line.
`ours` is jaxdep, the others are PyTorch. A negative fixed part means that time grows faster than
the units.
"""
_HEADINGS = {
    "seeds": (
        "Seeds",
        "One epoch of several seeds that train together; PyTorch trains them one after another.",
    ),
    "recordings": ("Recordings", "One epoch of one run by the number of training recordings."),
    "batch": ("Batch", "One update by the number of examples of its batch."),
    "length": ("Length", "One update by the number of frames of its sequences."),
}
_COLORS = (style.BLUE, style.ORANGE, style.GREEN, style.GREY)
_MARKERS = "os^D"


def write(lines: Sequence[Mapping[str, Any]], folder: Path, out: Path) -> Path:
    """Writes `scaling.md` and a plot of each quantity that was measured; returns the page's path.

    The same results make the same bytes.

    Args:
      lines: results, as `tables.read` returns them.
      folder: folder of the results, as the page names it.
      out: folder of the page.
    """
    check_writable(out)
    out.mkdir(parents=True, exist_ok=True)
    sections = [_PAGE.format(folder=folder.as_posix())]
    missing = []
    for axis, (heading, what) in _HEADINGS.items():
        found = list(law.varied(lines, axis))
        if not found:
            missing.append(axis)
            continue
        plot = f"scaling-{axis}.svg"
        style.write(_figure(axis, found), out / plot)
        sections += [
            f"## {heading}\n\n{what}\n",
            *_fitted(axis, found),
            f"\n![{heading}]({plot})\n",
        ]
    sections += [*_devices(lines), *_sweep(lines)]
    if missing:
        names = ", ".join(f"{axis} (`jaxdep bench {law.AXES[axis]}`)" for axis in missing)
        sections.append(f"## Not measured yet\n\nBy the number of {names}.\n")
    page = out / "scaling.md"
    write_text(page, "\n".join(sections))
    return page


def _fitted(axis: str, found: Sequence[tuple[Mapping[str, Any], list[Fit]]]) -> Iterator[str]:
    table = []
    for line, fits in found:
        for each in fits:
            values = {
                "model": f"{line['model']}, {line['size']}",
                "side": each.side,
                axis: f"{each.units[0]:g} to {each.units[-1]:g}",
                "fixed, s": f"{each.fixed:.3g}",
                f"per {_UNITS[axis]}, s": f"{each.each:.3g}",
                "error": f"{each.error:.0%}",
            }
            if axis == "seeds":
                first, last = (each.seconds[i] / each.units[i] for i in (0, -1))
                values["a seed, fewest to most, s"] = f"{first:.3g} to {last:.3g}"
            table.append(values)
    yield from tables.markdown(table)


_UNITS = {"seeds": "seed", "recordings": "recording", "batch": "example", "length": "frame"}


def _figure(axis: str, found: Sequence[tuple[Mapping[str, Any], list[Fit]]]) -> Figure:
    figure, plots = style.axes(1, columns=len(found), width=4.6 * len(found), height=3.2)
    for plot, (line, fits) in zip(plots, found, strict=True):
        for each, color, marker in zip(fits, _COLORS, _MARKERS, strict=False):
            plot.plot(each.units, each.seconds, marker, color=color, label=each.side, markersize=5)
            reach = np.linspace(each.units[0], each.units[-1], 50)
            plot.plot(reach, [each.at(x) for x in reach], color=color, linewidth=1)
        unit = "epoch" if axis in ("seeds", "recordings") else "update"
        plot.set(xlabel=f"{_UNITS[axis]}s", ylabel=f"seconds per {unit}")
        plot.set_title(f"{line['model']}, {line['size']}", fontsize=9)
        plot.set_ylim(bottom=0)
        plot.legend(frameon=False, fontsize=8)
    return figure


def _devices(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is known of several devices; their times follow no line, as they share the cores."""
    found = {bench: [x for x in lines if x["bench"] == bench] for bench in ("devices", "spread")}
    if not any(found.values()):
        return
    yield "## Devices\n"
    for line in found["devices"]:
        cores = line["machine"]["cores"]
        yield (
            f"One epoch of 8 seeds of {line['model']}, {line['size']}, on forced devices of one CPU"
            f" with {cores} cores; more devices than cores only show their overhead, so no line is"
            " fitted.\n"
        )
        points = rows.points_of(line)
        yield from tables.markdown(
            [
                {
                    "devices": str(point["devices"]),
                    "seconds": f"{point['ours_s']:.3g}",
                    "peak memory of the process": tables.gib(point["peak_bytes"][OURS]),
                }
                for point in points
            ]
        )
        yield ""
    for line in found["spread"]:
        yield (
            f"One run of {line['model']}, {line['size']}, on each device; the difference is the"
            " largest one between a run's validation loss and its loss where all runs share one"
            " device.\n"
        )
        yield from tables.markdown(
            [
                {
                    "devices": str(point["devices"]),
                    "memory of a device": tables.gib(point["bytes_per_device"]),
                    "difference": f"{point['difference']:.1e}",
                }
                for point in rows.points_of(line)
            ]
        )
        yield ""


def _sweep(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    found, given = law.basis(lines), Assumptions()
    yield f"## A sweep of {given.runs} runs\n"
    if found is None:
        yield "Not worked out: `epoch` and `compile` of JAMFN at the paper's sizes are missing.\n"
        return
    line = next(line for line in lines if rows.name_of(line) == found.row)
    machine = line["machine"]
    device = ", ".join(machine["gpus"]) or f"{machine['cores']} cores of {machine['processor']}"
    yield f"JAMFN at the paper's sizes on D-Vlog, worked out on paper; a device is {device}.\n"
    yield from tables.markdown(
        [
            {
                "devices": str(cost.devices),
                "runs on a device": str(cost.each),
                "hours": _hours(cost.seconds),
                "device hours": _hours(cost.devices * cost.seconds),
                "efficiency": f"{cost.efficiency:.0%}",
            }
            for cost in law.costs(found, given)
        ]
    )
    yield ""
    yield from _assumed(found, given)


def _assumed(found: Basis, given: Assumptions) -> Iterator[str]:
    yield "It rests on:\n"
    yield (
        f"- `{found.row}`, with {found.together} run(s) together: {found.recording:.3g} s for each"
        " training recording of an epoch of a run; a recording of the validation split costs a"
        " third of that, which has no backward pass."
    )
    yield (
        f"- Every run makes {given.epochs} epochs of {given.train} training and {given.validation}"
        f" validation recordings, {found.run(given) / 3600:.3g} hours; none stops early."
    )
    yield (
        f"- A device compiles once ({found.first:.3g} s, `compile-jamfn-paper`), and the data fit"
        " into its memory."
    )
    yield (
        "- Runs are independent of one another and exchange nothing, so that devices do not slow"
        " one another down; the last device has as many runs as any. Starting the processes and"
        " reading the corpus are not counted.\n"
    )


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.0f}" if seconds >= 36_000 else f"{seconds / 3600:.1f}"
