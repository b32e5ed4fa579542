"""Reads MMD2023's transcripts: when the patient speaks. They hold no words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from jaxdep.data import tables
from jaxdep.errors import Faults

COLUMNS = ("speaker", "start_time", "stop_time")
PATIENT = "患者"


def read(folder: Path, name: str, faults: Faults, repairs: Counter) -> np.ndarray | None:
    """Start and stop of the patient's sentences in seconds, [S, 2].

    Returns:
      None if there is no file, or it has a fault.
    """
    path = folder / "txt_csv" / f"{name}.csv"
    where = path.relative_to(folder)
    if not path.is_file():
        return None
    lines = tables.cells(path)
    header = lines[0] if lines else []
    if not set(COLUMNS) <= set(header):
        faults.add("wrong header", where, f"expected {', '.join(COLUMNS)}, by tabs", name)
        return None
    speaker, start, stop = (header.index(column) for column in COLUMNS)
    found: list[tuple[float, float]] = []
    for number, line in enumerate(lines[1:], 2):
        if not any(line):
            continue
        try:
            times = seconds(line[start]), seconds(line[stop])
            if line[speaker] == PATIENT:
                found.append(times)
        except (ValueError, IndexError):
            faults.add("bad line", where, f"line {number}: {line}"[:120], name)
            return None
    backward = sum(last < first for first, last in found)
    repairs["sentences that end before they begin, without frames"] += backward
    return np.array(found).reshape(-1, 2)


def seconds(text: str) -> float:
    """Seconds of `mm:ss`, or `hh:mm:ss`.

    Raises:
      ValueError: it is neither.
    """
    parts = [float(part) for part in text.split(":")]
    if len(parts) not in (2, 3) or min(parts) < 0:
        raise ValueError(f"expected mm:ss, found {text!r}")
    total = 0.0
    for part in parts:
        total = 60 * total + part
    return total
