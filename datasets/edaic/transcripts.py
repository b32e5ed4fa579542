"""Reads the transcripts of E-DAIC: times and recognised words of the participant's sentences."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from jaxdep.data.formats import numbers, text
from jaxdep.datasets.daicwoz.transcripts import LONGEST, PARTICIPANT, Sentence
from jaxdep.errors import BadFileError, Faults

COLUMNS = ("Start_Time", "End_Time", "Text", "Confidence")

_NEEDED = COLUMNS[:3]


def read(path: Path, root: Path, faults: Faults, repairs: Counter) -> list[Sentence]:
    """Reads the sentences of an interview, in the order of the file.

    Args:
      path: the file `<id>_Transcript.csv`.
      root: folder given by the user; faults report the path relative to it.
      faults: receives malformed lines, and transcripts without a sentence.
      repairs: counts the lines that are left out.
    """
    name, where = path.name.partition("_")[0], path.relative_to(root)
    try:
        lines = list(text.rows(text.read(path, root, errors="replace")))
    except BadFileError as error:
        faults.add_file(error, where, name)
        return []
    header = lines[0][1] if lines else []
    if missing := [column for column in _NEEDED if column not in header]:
        faults.add("wrong header", f"{where}:1", f"no column {', '.join(missing)}", name)
        return []
    found: list[Sentence] = []
    rows = 0
    for number, line in lines[1:]:
        if not any(line):
            continue
        sentence = _sentence(dict(zip(header, line, strict=False)))
        if sentence is None or len(line) != len(header):
            faults.add("bad line", where, f"line {number}: {line}"[:120], name)
            continue
        if sentence.stop > sentence.start:
            found.append(replace(sentence, row=rows))
        else:
            repairs["transcript lines that end before they begin, left out"] += 1
        rows += 1
    if not found and name not in faults.items:
        faults.add("no rows", where, "no sentence", name)
    return found


def _sentence(cells: dict[str, str]) -> Sentence | None:
    try:
        start, stop = (numbers.number(cells[column], 0, LONGEST) for column in _NEEDED[:2])
        return Sentence(start, stop, PARTICIPANT, cells["Text"])
    except (KeyError, ValueError):
        return None
