"""Reads the transcripts of MMD2023, which contain times of the sentences but no words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from jaxdep.data import tables
from jaxdep.errors import Faults

COLUMNS = ("speaker", "start_time", "stop_time")
PATIENT = "患者"


def read(folder: Path, name: str, faults: Faults, repairs: Counter) -> np.ndarray | None:
    """Reads the times of the patient's sentences.

    Returns:
      Start and end of each sentence in seconds, [S, 2]; None if the file is missing or has a fault.
    """
    path = folder / "txt_csv" / f"{name}.csv"
    where = path.relative_to(folder)
    if not path.is_file():
        return None
    lines = tables.cells(path)
    header = lines[0] if lines else []
    if not set(COLUMNS) <= set(header):
        faults.add("wrong header", where, f"expected {', '.join(COLUMNS)}, tab-separated", name)
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
    """Converts `mm:ss` or `hh:mm:ss` to seconds.

    Raises:
      ValueError: the text has another format.
    """
    parts = [float(part) for part in text.split(":")]
    if len(parts) not in (2, 3) or min(parts) < 0:
        raise ValueError(f"expected mm:ss or hh:mm:ss, found {text!r}")
    total = 0.0
    for part in parts:
        total = 60 * total + part
    return total
