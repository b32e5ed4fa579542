"""Lists the measurements that are behind PyTorch in time or memory, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jaxdep.benchmarks import rows
from jaxdep.benchmarks.worker import OURS

MEMORY = 1.2
"""Largest ratio of our peak memory to a reference's that is not behind."""

_HEADING = f"""## Behind

Every measurement that is slower than a reference (a ratio below 1), or whose peak memory is more
than {MEMORY:g} times a reference's. Reasons are kept in `benchmarks/rows.py`.
"""
_UNKNOWN = "not known"


def section(lines: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of the section of the overview page.

    Args:
      lines: results, as `measures.run` returns them.
    """
    found = [row for line in lines for row in _behind(line)]
    yield _HEADING
    if not found:
        yield "None.\n"
        return
    yield "| row | measurement | behind in | ours | reason |"
    yield "|---|---|---|---|---|"
    yield from (f"| {' | '.join(row)} |" for row in found)
    yield ""


def _behind(line: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    name, title = rows.name_of(line), f"{line['bench']}: {line['model']}, {line['size']}"
    for point in rows.points_of(line):
        sides = {"time": _slower(point), "memory": _larger(point)}
        for quantity, found in sides.items():
            if found:
                reason = rows.REASONS.get((name, quantity), _UNKNOWN)
                yield title, rows.label_of(point), quantity, ", ".join(found), reason


def _slower(point: Mapping[str, Any]) -> list[str]:
    ratios = point.get("ratio", {})
    return [f"ratio {ratio:.3g} to {side}" for side, ratio in ratios.items() if ratio < 1]


def _larger(point: Mapping[str, Any]) -> list[str]:
    peaks = dict(point.get("peak_bytes", {}))
    ours = peaks.pop(OURS, 0)
    ratios = {side: ours / peak for side, peak in peaks.items()}
    return [f"{ratio:.2f} times {side}" for side, ratio in ratios.items() if ratio > MEMORY]
