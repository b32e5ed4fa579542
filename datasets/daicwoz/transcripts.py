"""Reads the transcripts of DAIC-WOZ: speaker, times and text of each sentence."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from jaxdep.data.formats import numbers, text
from jaxdep.errors import BadFileError, Faults

COLUMNS = ("start_time", "stop_time", "speaker", "value")
PARTICIPANT, INTERVIEWER = "Participant", "Ellie"

LONGEST = 86_400.0
"""Largest time in seconds that is accepted; no interview lasts a day."""

INTERRUPTED = {"373": (352.0, 420.0), "444": (286.0, 387.0)}
"""Interviews that were interrupted, with start and end of the interruption in seconds."""

_CODE = re.compile(r"^\w+ \((?P<text>.*)\)$")  # format of Ellie's lines after interview 363
_REDACTED = "scrubbed_entry"


@dataclass(frozen=True)
class Sentence:
    """A line of a transcript.

    Attributes:
      start: start time in seconds.
      stop: end time in seconds.
      speaker: `PARTICIPANT` or `INTERVIEWER`.
      text: transcribed words.
      row: index among the lines of the selected speakers, including lines that are left out.
    """

    start: float
    stop: float
    speaker: str
    text: str
    row: int = 0


def read(path: Path, root: Path, speakers: str, faults: Faults, repairs: Counter) -> list[Sentence]:
    """Reads the sentences of an interview, in the order of the file.

    Args:
      path: the file `<id>_P/<id>_TRANSCRIPT.csv`.
      root: folder given by the user; faults report the path relative to it.
      speakers: speakers to select, `participant` or `both`.
      faults: receives malformed lines, and transcripts without a line of the selected speakers.
      repairs: counts the lines that are left out.
    """
    name, where = path.parent.name.removesuffix("_P"), path.relative_to(root)
    try:
        lines = list(text.rows(text.read(path, root, errors="replace"), "\t", quotes=False))
    except BadFileError as error:
        faults.add_file(error, where, name)
        return []
    if not lines or tuple(lines[0][1]) != COLUMNS:
        faults.add("wrong header", where, f"expected {', '.join(COLUMNS)}, tab-separated", name)
        return []
    found, rows = [], 0
    for number, line in lines[1:]:
        if not any(line):
            continue
        sentence = _sentence(line)
        if sentence is None:
            faults.add("bad line", where, f"line {number}: {line}"[:120], name)
        elif speakers == "both" or sentence.speaker == PARTICIPANT:
            if _is_usable(sentence, name, repairs):
                found.append(replace(sentence, row=rows))
            rows += 1
    if not found and not any(fault.item == name for fault in faults.found):
        faults.add("no rows", where, f"no sentence of {speakers}", name)
    return found


def _sentence(line: list[str]) -> Sentence | None:
    try:
        start, stop, speaker, value = line
        first, last = (numbers.number(time, 0, LONGEST) for time in (start, stop))
        found = Sentence(first, last, speaker, value)
    except ValueError:
        return None
    return found if speaker in (PARTICIPANT, INTERVIEWER) else None


def _is_usable(sentence: Sentence, name: str, repairs: Counter) -> bool:
    if sentence.stop <= sentence.start:
        repairs["transcript lines that end before they begin, left out"] += 1
        return False
    first, last = INTERRUPTED.get(name, (0.0, 0.0))
    if sentence.start < last and sentence.stop > first:
        repairs["transcript lines of an interruption, left out"] += 1
        return False
    return True


def spoken(sentence: Sentence) -> str:
    """Returns the spoken words: without redactions, and without the codes of Ellie's lines."""
    words = sentence.text.replace(_REDACTED, "").strip()
    match = _CODE.match(words) if sentence.speaker == INTERVIEWER else None
    return match["text"] if match else words
