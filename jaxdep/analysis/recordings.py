"""Reads `recordings.csv` and its like: who was recorded, and what else is known about each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jaxdep.analysis.predictions import Predictions
from jaxdep.artifacts.files import read_text
from jaxdep.artifacts.schema import RECORDING_COLUMNS, Merge
from jaxdep.errors import UserError

UNKNOWN = frozenset({"", "unknown", "na", "n/a", "nan"})
"""Texts, in lower case, that stand for an unknown value of an attribute."""


@dataclass(frozen=True)
class Recordings:
    """The N recordings of a split.

    Attributes:
      ids: ids of the recordings, [N].
      subjects: ids of their subjects, [N]; where unknown, the recording's own id.
      attributes: what else is known about them, as texts [N] by name; empty where unknown.
    """

    ids: np.ndarray
    subjects: np.ndarray
    attributes: Mapping[str, np.ndarray]

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """Rows of recordings with these ids, [N].

        Raises:
          ValueError: there is no such recording, or there are others.
        """
        row_of = {name: row for row, name in enumerate(self.ids.tolist())}
        if row_of.keys() != set(ids.tolist()):
            raise ValueError("it lists other recordings than the predictions")
        return np.array([row_of[name] for name in ids.tolist()])


def read(path: Path) -> Recordings | None:
    """Reads the recordings of a run; None if an earlier version wrote the run, without this file.

    Raises:
      UserError: the file is malformed.
    """
    if not path.exists():
        return None
    try:
        rows = list(csv.reader(io.StringIO(read_text(path)), strict=True))
        header = rows[0] if rows else []
        if tuple(header[:2]) != RECORDING_COLUMNS or len(set(header)) < len(header):
            raise ValueError(f"expected columns {', '.join(RECORDING_COLUMNS)}, got {header}")
        if any(len(row) != len(header) or not all(row[:2]) for row in rows):
            raise ValueError("a line lacks cells, or has too many")
        ids, subjects, *attributes = (
            np.array([row[column] for row in rows[1:]], str) for column in range(len(header))
        )
        if len(set(ids.tolist())) < len(ids):
            raise ValueError("it lists a recording twice")
        return Recordings(ids, subjects, dict(zip(header[2:], attributes, strict=True)))
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(path, error) from None


def with_subjects(predictions: Predictions, recorded: Recordings | None, path: Path) -> Predictions:
    """Predictions with the subjects of their recordings, if these were read from a file.

    Raises:
      UserError: the file lists other recordings.
    """
    if recorded is None:
        return predictions
    try:
        rows = recorded.rows(predictions.ids)
    except ValueError as error:
        raise unreadable(path, error) from None
    return replace(predictions, subjects=recorded.subjects[rows])


def groups(
    merge: Merge, ids: np.ndarray, subjects: np.ndarray, sessions: Mapping[str, str]
) -> np.ndarray:
    """Names what each recording is evaluated as a part of: its subject, its session, or itself.

    Args:
      merge: whose recordings are evaluated as one.
      ids: ids of the recordings, [N].
      subjects: subjects of the recordings, [N].
      sessions: session of each recording that has one, by id.

    Returns:
      Names, [N].
    """
    if merge == "subject":
        return subjects
    names = [sessions.get(name, name) if merge == "session" else name for name in ids.tolist()]
    return np.array(names)


def attributes(
    recorded: Recordings | None, merge: Merge, sessions: Mapping[str, str], ids: np.ndarray
) -> dict[str, np.ndarray]:
    """Attributes of what is evaluated, as texts [N] by name; empty where they are unknown.

    Recordings that are evaluated as one have the value that all those share whose value is known;
    if they differ, it is unknown.

    Args:
      recorded: recordings; None if they are not known, which then have no attributes.
      merge: whose recordings are evaluated as one.
      sessions: session of each recording that has one, by id.
      ids: what is evaluated: names of recordings, or those given by `groups`, [N].
    """
    if recorded is None:
        return {}
    names = groups(merge, recorded.ids, recorded.subjects, sessions).tolist()
    found = {}
    for attribute, texts in recorded.attributes.items():
        values: dict[str, set[str]] = {}
        for name, text in zip(names, texts.tolist(), strict=True):
            if text.strip().lower() not in UNKNOWN:
                values.setdefault(name, set()).add(text.strip())
        each = (values.get(name, set()) for name in ids.tolist())
        found[attribute] = np.array(["" if len(own) != 1 else next(iter(own)) for own in each], str)
    return found


def unreadable(path: Path, why: object) -> UserError:
    """The error for a file of recordings that is damaged."""
    return UserError(
        f"{path} cannot be read ({why}); restore it, or remove it to count every recording as that"
        " of another subject"
    )
