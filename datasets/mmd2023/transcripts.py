"""Reads the transcripts of MMD2023, which contain times of the sentences but no words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from jaxdep.data.formats import numbers, text
from jaxdep.errors import BadFileError, Faults

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
    try:
        lines = list(text.rows(text.read(path, folder, errors="replace"), "\t", quotes=False))
    except BadFileError as error:
        faults.add_file(error, where, name)
        return None
    header = lines[0][1] if lines else []
    if not set(COLUMNS) <= set(header):
        faults.add("wrong header", where, f"expected {', '.join(COLUMNS)}, tab-separated", name)
        return None
    speaker, start, stop = (header.index(column) for column in COLUMNS)
    found: list[tuple[float, float]] = []
    for number, line in lines[1:]:
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


def seconds(time: str) -> float:
    """Converts `mm:ss` or `hh:mm:ss` to seconds.

    Raises:
      ValueError: the time has another format.
    """
    parts = [numbers.number(part, 0, 86_400) for part in time.split(":")]
    if len(parts) not in (2, 3):
        raise ValueError(f"expected mm:ss or hh:mm:ss, found {time!r}")
    total = 0.0
    for part in parts:
        total = 60 * total + part
    return total
