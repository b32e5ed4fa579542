"""Reads and validates the labels and features of AVEC2014 and AVEC2013."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import checks, subjects, unlabelled
from jaxdep.data.builder import Item, Scan
from jaxdep.data.formats import numbers, text
from jaxdep.errors import BadFileError, Faults
from jaxdep.scales import bdi

PARTITIONS = ("training", "development", "testing")
WIDTHS = {"visual": 2048, "acoustic": 1024, "pose": 12}
TASKS = ("Northwind", "Freeform")
"""Tasks of AVEC2014: reading a fable aloud, and answering questions. AVEC2013 has no tasks."""

_LABEL = re.compile(r"(?P<session>\d+_\d+)_Depression\.csv", re.IGNORECASE)
_HIGHEST = int(bdi.RANGE[1])


@dataclass(frozen=True)
class Settings:
    """Options for reading recordings.

    Attributes:
      strict_subjects: whether a subject in two splits is a fault instead of a warning.
    """

    strict_subjects: bool = False


@dataclass(frozen=True)
class Label:
    """BDI-II total of a session.

    Attributes:
      score: the total.
      where: file that contains it.
    """

    score: int
    where: str


def scan(folder: Path, tasks: tuple[str, ...], sessions: int, strict_subjects: bool) -> Scan:
    """Reads every file of the corpus once.

    Args:
      folder: folder given by the user, with `features/` and with labels at any depth.
      tasks: tasks of a session, as in the names of its recordings; empty if a session is one
        recording.
      sessions: published number of sessions in each partition.
      strict_subjects: whether a subject in two splits is a fault instead of a warning.
    """
    found = Scan()
    of_sessions = Faults()
    known = subjects.read(folder, found.faults, ("task",) if tasks else ())
    labels = _labels(folder, of_sessions)
    recordings = _recordings(folder, tasks, found.faults)
    for fault in of_sessions.found:  # they concern all recordings of the session
        concerned = [name for name in recordings if _session(name) == fault.item]
        found.faults.found += [replace(fault, item=name) for name in concerned or [fault.item]]
    for name, partition in sorted(recordings.items()):
        session = _session(name)
        features = folder / "features" / partition
        arrays = _read(features, name, folder, found.faults)
        if session not in labels and session not in of_sessions.items:
            found.faults.add("missing label", f"{session}_Depression.csv", item=name)
        if arrays is None or session not in labels:
            continue
        load = lambda name=name, features=features, session=session: {
            **(_read(features, name, folder, Faults()) or {}),
            "depression": float(labels[session].score),
            "severity": int(bdi.category(np.array(labels[session].score))),
            "depressed": int(labels[session].score >= bdi.DEPRESSED_FROM),
            "session": session,
        }
        subject = session.partition("_")[0]
        attributes = dict(known.get(subject, {}))
        if tasks:
            attributes["task"] = name.rpartition("_")[2]
        found.items.append(
            Item(name, partition, load, subject, session if tasks else "", attributes)
        )
    found.warnings += subjects.warnings(known, [item.subject for item in found.items])
    _check_subjects(found, strict_subjects)
    if missing := sorted(set(labels) - {_session(name) for name in recordings}):
        found.warnings.append(
            f"{len(missing)} labelled sessions have no features: {_shorten(missing)}"
        )
    counts = Counter(item.split for item in found.items)
    synthetic = (folder / "synthetic.json").is_file()
    published = {p: counts[p] if synthetic else sessions * max(len(tasks), 1) for p in PARTITIONS}
    found.warnings += checks.count_warnings(counts, published)
    found.card = _card(found, labels)
    return found


def _labels(folder: Path, faults: Faults) -> dict[str, Label]:
    """Reads the score of each session; label files may be at any depth below the folder."""
    labels: dict[str, Label] = {}
    for path in sorted(folder.rglob("*.csv")):
        match = _LABEL.fullmatch(path.name)
        if not match:
            continue
        where, session = str(path.relative_to(folder)), match["session"]
        try:
            score = numbers.integer(text.read(path, folder).strip())
        except BadFileError as error:
            faults.add_file(error, where, session)
            continue
        except ValueError as error:
            faults.add("unknown label", where, f"{error}; expected one integer", session)
            continue
        if not 0 <= score <= _HIGHEST:
            detail = f"BDI-II total {score}; expected 0 to {_HIGHEST}"
            faults.add("unknown label", where, detail, session)
        elif session in labels and labels[session].score != score:
            first = labels[session]
            detail = f"{score}, but {first.score} in {first.where}"
            faults.add("labels differ", where, detail, session)
        else:
            labels[session] = Label(score, where)
    if not labels and not faults:
        faults.add("missing file", "**/<subject>_<session>_Depression.csv", "no label files found")
    return {session: label for session, label in labels.items() if session not in faults.items}


def _recordings(folder: Path, tasks: tuple[str, ...], faults: Faults) -> dict[str, str]:
    """Finds the recordings that have feature files, and their partitions."""
    shape = re.compile(r"\d+_\d+" + (f"_({'|'.join(tasks)})" if tasks else ""))
    found: dict[str, str] = {}
    for partition in PARTITIONS:
        for path in sorted((folder / "features" / partition).glob("*.npy")):
            name, _, modality = path.stem.rpartition("_")
            where = str(path.relative_to(folder))
            if modality not in WIDTHS or not shape.fullmatch(name):
                task = f"_<{'|'.join(tasks)}>" if tasks else ""
                expected = f"<subject>_<session>{task}_<{'|'.join(WIDTHS)}>.npy"
                faults.add("bad id", where, f"expected {expected}", name or path.stem)
            elif found.setdefault(name, partition) != partition:
                faults.add("duplicate id", where, f"{name} is also in {found[name]}", name)
    if not found and not faults:
        faults.add("missing file", f"features/<{'|'.join(PARTITIONS)}>/*.npy")
    return found


def recordings(path: Path) -> Scan:
    """Reads all recordings in a folder, at any depth, without labels; ids are free."""
    return unlabelled.arrays(path, WIDTHS, _read)


def _read(folder: Path, name: str, root: Path, faults: Faults) -> dict[str, np.ndarray] | None:
    """Reads the three arrays of a recording; None if any has a fault.

    Args:
      folder: folder of the arrays.
      name: id of the recording.
      root: folder given by the user.
      faults: receives the faults of the files.
    """
    read = {
        modality: checks.read_array(folder / f"{name}_{modality}.npy", root, width, faults, name)
        for modality, width in WIDTHS.items()
    }
    arrays = {modality: array for modality, array in read.items() if array is not None}
    return arrays if len(arrays) == len(read) else None


def _check_subjects(found: Scan, strict: bool) -> None:
    """Reports subjects in two splits, whom a model may recognise by face and voice."""
    repeated = checks.subjects_in_two_splits((item.subject, item.split) for item in found.items)
    for subject, splits in sorted(repeated.items()):
        where = f"subject {subject}: {', '.join(sorted(splits))}"
        if strict:
            found.faults.add("subject in two splits", where)
    if repeated and not strict:
        found.warnings.append(
            f"SUBJECT LEAKAGE: {len(repeated)} subjects are in two splits ({_shorten(repeated)});"
            " the official splits are kept, but scores on them are optimistic; --strict-subjects"
            " rejects such splits"
        )


def _card(found: Scan, labels: dict[str, Label]) -> dict[str, Any]:
    """Counts recordings, sessions, subjects and severities in each partition."""
    card: dict[str, Any] = {}
    for partition in PARTITIONS:
        items = [item for item in found.items if item.split == partition]
        sessions = {_session(item.id) for item in items}
        counts: dict[str, int] = defaultdict(int, dict.fromkeys(bdi.NAMES, 0))
        for session in sessions:
            index = int(bdi.category(np.array(labels[session].score)))
            counts[bdi.NAMES[index]] += 1
        card[partition] = {
            "recordings": len(items),
            "sessions": len(sessions),
            "subjects": len({item.subject for item in items}),
            "sessions by severity (BDI-II)": dict(counts),
        }
    return card


def _session(recording: str) -> str:
    return "_".join(recording.split("_")[:2])


def _shorten(names: Any, limit: int = 8) -> str:
    names = sorted(names)
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")
