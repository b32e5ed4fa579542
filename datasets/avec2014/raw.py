"""Reads AVEC2014's labels and features (and AVEC2013's), and says what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep import severity
from jaxdep.data import checks
from jaxdep.data.builder import Item, Scan
from jaxdep.errors import Faults

PARTITIONS = ("training", "development", "testing")
WIDTHS = {"visual": 2048, "acoustic": 1024, "pose": 12}
TASKS = ("Northwind", "Freeform")
"""Of AVEC2014: a fable that is read, questions that are answered. AVEC2013 has one task."""

_LABEL = re.compile(r"(?P<session>\d+_\d+)_Depression\.csv", re.IGNORECASE)
_HIGHEST = int(severity.RANGE[1])


@dataclass(frozen=True)
class Label:
    """A session's BDI-II total, and the file that says so."""

    score: int
    where: str


def scan(folder: Path, tasks: tuple[str, ...], sessions: int, strict_subjects: bool) -> Scan:
    """Reads every file of the corpus once.

    Args:
      folder: what the user named: labels anywhere below it, and `features/`.
      tasks: of a session, in the names of its recordings; none: a session is a recording.
      sessions: published number in each partition.
      strict_subjects: whether a subject in two splits is a fault.
    """
    found = Scan()
    labels = _labels(folder, found.faults)
    recordings = _recordings(folder, tasks, found.faults)
    for name, partition in sorted(recordings.items()):
        session = _session(name)
        arrays = _read(folder, partition, name, found.faults)
        if session not in labels:
            found.faults.add("missing label", f"{session}_Depression.csv", item=name)
        if arrays is None or session not in labels:
            continue
        load = lambda name=name, partition=partition, session=session: {
            **(_read(folder, partition, name, Faults()) or {}),
            "depression": float(labels[session].score),
            "severity": int(severity.category(np.array(labels[session].score))),
            "depressed": int(labels[session].score >= severity.DEPRESSED_FROM),
            "session": session,
        }
        subject = session.partition("_")[0]
        found.items.append(Item(name, partition, load, subject, session if tasks else ""))
    _check_subjects(found, strict_subjects)
    if silent := sorted(set(labels) - {_session(name) for name in recordings}):
        found.warnings.append(f"{len(silent)} labelled sessions have no features: {_some(silent)}")
    counts = Counter(item.split for item in found.items)
    stand_in = (folder / "synthetic.json").is_file()
    published = {p: counts[p] if stand_in else sessions * max(len(tasks), 1) for p in PARTITIONS}
    found.warnings += checks.count_warnings(counts, published)
    found.card = _card(found, labels)
    return found


def _labels(folder: Path, faults: Faults) -> dict[str, Label]:
    """The score of each session, wherever below the folder its file lies."""
    labels: dict[str, Label] = {}
    for path in sorted(folder.rglob("*.csv")):
        match = _LABEL.fullmatch(path.name)
        if not match:
            continue
        where, session = str(path.relative_to(folder)), match["session"]
        text = path.read_bytes().decode("utf-8-sig", errors="replace").strip()
        try:
            score = int(text)
        except ValueError:
            faults.add("unknown label", where, f"{text[:40]!r}; expected one whole number")
            continue
        if not 0 <= score <= _HIGHEST:
            faults.add("unknown label", where, f"{score}; the BDI-II goes from 0 to {_HIGHEST}")
        elif session in labels and labels[session].score != score:
            before = labels[session]
            faults.add("labels differ", where, f"{score}; {before.score} in {before.where}")
        else:
            labels[session] = Label(score, where)
    if not labels and not faults:
        faults.add("missing file", "**/<subject>_<session>_Depression.csv", "no label at all")
    return labels


def _recordings(folder: Path, tasks: tuple[str, ...], faults: Faults) -> dict[str, str]:
    """Every recording that has a file of features, and its partition."""
    shape = re.compile(r"\d+_\d+" + (f"_({'|'.join(tasks)})" if tasks else ""))
    found: dict[str, str] = {}
    for partition in PARTITIONS:
        for path in sorted((folder / "features" / partition).glob("*.npy")):
            name, _, modality = path.stem.rpartition("_")
            where = str(path.relative_to(folder))
            if modality not in WIDTHS or not shape.fullmatch(name):
                task = f"_<{'|'.join(tasks)}>" if tasks else ""
                expected = f"<subject>_<session>{task}_<{'|'.join(WIDTHS)}>.npy"
                faults.add("bad id", where, f"expected {expected}", item=name)
            elif found.setdefault(name, partition) != partition:
                faults.add("duplicate id", where, f"{name} is also in {found[name]}", name)
    if not found and not faults:
        faults.add("missing file", f"features/<{'|'.join(PARTITIONS)}>/*.npy")
    return found


def _read(folder: Path, partition: str, name: str, faults: Faults) -> dict[str, np.ndarray] | None:
    """The three arrays of a recording; None if any has a fault."""
    read = {
        modality: checks.read_array(
            folder / "features" / partition / f"{name}_{modality}.npy", folder, width, faults, name
        )
        for modality, width in WIDTHS.items()
    }
    arrays = {modality: array for modality, array in read.items() if array is not None}
    return arrays if len(arrays) == len(read) else None


def _check_subjects(found: Scan, strict: bool) -> None:
    """Says who is recorded in two splits: a model may know them by face and voice."""
    repeated = checks.subjects_in_two_splits((item.subject, item.split) for item in found.items)
    for subject, splits in sorted(repeated.items()):
        where = f"subject {subject}: {', '.join(sorted(splits))}"
        if strict:
            found.faults.add("subject in two splits", where)
    if repeated and not strict:
        found.warnings.append(
            f"SUBJECT LEAKAGE: {len(repeated)} subjects are in two splits ({_some(repeated)});"
            " the official split is kept, and figures on it flatter; --strict-subjects refuses it"
        )


def _card(found: Scan, labels: dict[str, Label]) -> dict[str, Any]:
    """Counts by severity, subjects and sessions of each partition."""
    card: dict[str, Any] = {}
    for partition in PARTITIONS:
        own = [item for item in found.items if item.split == partition]
        sessions = {_session(item.id) for item in own}
        counts: dict[str, int] = defaultdict(int, dict.fromkeys(severity.NAMES, 0))
        for session in sessions:
            index = int(severity.category(np.array(labels[session].score)))
            counts[severity.NAMES[index]] += 1
        card[partition] = {
            "recordings": len(own),
            "sessions": len(sessions),
            "subjects": len({item.subject for item in own}),
            "sessions by severity (BDI-II)": dict(counts),
        }
    return card


def _session(recording: str) -> str:
    return "_".join(recording.split("_")[:2])


def _some(names: Any, most: int = 8) -> str:
    names = sorted(names)
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
