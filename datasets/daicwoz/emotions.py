"""Reads emotion.csv, the user's annotation of emotions, which cuts interviews into segments."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from jaxdep.data.dialogue import Times
from jaxdep.data.formats import numbers, text
from jaxdep.datasets.daicwoz import transcripts
from jaxdep.errors import BadFileError, Faults

FILE = "emotion.csv"
COLUMNS = ("Participant_ID", "start_time", "emotion")
EMOTIONS = ("not sad", "sad")
"""Classes of the AMM paper on DAIC (Table I); upper and lower case are the same."""

_LIMIT = 2**22  # a line for each sentence of the corpus takes less than 1 MB


@dataclass(frozen=True)
class Segment:
    """An annotated part of an interview.

    Attributes:
      id: id of the interview and number of the segment in it, such as "300_0001".
      start: start time in seconds.
      stop: start time of the next segment; infinity for the last one.
      emotion: one of `EMOTIONS`.
      where: line of the annotation.
    """

    id: str
    start: float
    stop: float
    emotion: str
    where: str

    def sentences(self, times: Times) -> np.ndarray:
        """Rows of the sentences whose middle lies in the segment, [S]; `times` in seconds."""
        middle = times.mean(1)
        return np.flatnonzero((self.start <= middle) & (middle < self.stop))


def read(folder: Path, interviews: Collection[str], faults: Faults) -> dict[str, list[Segment]]:
    """Reads the segments of each annotated interview, in the order of time.

    Args:
      folder: folder given by the user.
      interviews: ids of the interviews in the corpus.
      faults: receives the faults of the file. A malformed line is a fault of its interview, since
        it also changes where the preceding segment ends.
    """
    lines: dict[str, dict[float, tuple[str, str]]] = defaultdict(dict)
    for where, cells in _cells(folder, faults):
        name, time, emotion = cells
        if name not in interviews:
            detail = f"{name!r} is in no split file and has no folder"
            faults.add("unknown participant", where, detail, name or where)
            continue
        try:
            start = numbers.number(time, 0, transcripts.LONGEST)
        except ValueError as error:
            faults.add("wrong time", where, f"start_time: {error}", name)
            continue
        if emotion.lower() not in EMOTIONS:
            detail = f'emotion "{emotion}"; expected one of {", ".join(EMOTIONS)}'
            faults.add("unknown label", where, detail, name)
        elif start in lines[name]:
            detail = f"{name} at {time} s is also in {lines[name][start][1]}"
            faults.add("duplicate annotation", where, detail, name)
        else:
            lines[name][start] = (emotion.lower(), where)
    return {name: _segments(name, annotated) for name, annotated in lines.items() if annotated}


def check_times(segments: Sequence[Segment], end: float, name: str, faults: Faults) -> None:
    """Checks that all segments of an interview begin before it ends, in seconds."""
    for segment in segments:
        if segment.start >= end:
            detail = f"{segment.start:g} s; interview {name} ends at {end:.1f} s"
            faults.add("time outside the interview", segment.where, detail, name)


def of_items(segments: Mapping[str, Sequence[Segment]]) -> dict[str, str]:
    """Emotion of each segment, by the id of the segment."""
    return {segment.id: segment.emotion for one in segments.values() for segment in one}


def _cells(folder: Path, faults: Faults) -> list[tuple[str, list[str]]]:
    """Reads the cells of `COLUMNS` in each line, with its location."""
    if not (folder / FILE).exists():
        needed = ",".join(COLUMNS)
        faults.add("missing file", FILE, f"items=segments needs your annotation: {needed}")
        return []
    found, empty = [], True
    try:
        rows = text.rows(text.read(folder / FILE, folder, _LIMIT))
        _, header = next(rows, (1, []))
        if any(header.count(column) != 1 for column in COLUMNS):
            detail = f"expected the columns {', '.join(COLUMNS)}, once each"
            faults.add("wrong header", f"{FILE}:1", detail)
            return []
        at = [header.index(column) for column in COLUMNS]
        for number, cells in rows:
            if not any(cells):
                continue
            empty = False
            if len(cells) != len(header):
                # Without its participant, the line cannot be left out alone.
                detail = f"{len(cells)} cells; expected as many as in the header"
                faults.add("wrong row", f"{FILE}:{number}", detail)
            else:
                found.append((f"{FILE}:{number}", [cells[index] for index in at]))
    except BadFileError as error:
        faults.add_file(error, FILE)
        return found
    if empty:
        faults.add("no rows", FILE, "no annotation")
    return found


def _segments(name: str, annotated: dict[float, tuple[str, str]]) -> list[Segment]:
    bounds = pairwise([*sorted(annotated), math.inf])
    return [
        Segment(f"{name}_{number:04d}", start, stop, *annotated[start])
        for number, (start, stop) in enumerate(bounds, 1)
    ]
