"""Reads and validates the files of LMVD as distributed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jaxdep.data import checks, functionals, openface, tables
from jaxdep.data.builder import Item, Scan
from jaxdep.data.formats import names, table
from jaxdep.data.interviews import Scale
from jaxdep.data.scratch import Scratch
from jaxdep.datasets.lmvd import labels
from jaxdep.errors import BadFileError, Faults, UserError
from jaxdep.settings.kinds import Seed

PUBLISHED = 1823
VGGISH = 128
"""Width of VGGish's embeddings."""

ROWS_PER_SECOND = 30
"""Rows per second of OpenFace's tables, if they have no usable time stamps."""

FOLDERS = {"acoustic": ("Audio_feature", ".npy"), "visual": ("Video_feature", ".csv")}

FACE_FUNCTIONALS = "visual" + functionals.SUFFIX
"""Feature that keeps what standardising each recording removes."""

_TOLERANCE = 0.25  # videos have 24 to 30 frames a second, and VGGish's rows last 0.96 s

Group = Literal["landmarks", "gaze", "pose", "action_units"]


@dataclass(frozen=True)
class Settings:
    """Options for reading LMVD.

    Attributes:
      face: groups of OpenFace's columns that make up `visual`, in this order.
      normalize: `recording` to standardise each feature of `visual` over each recording.
      split_seed: seed of the splits, if there is no `labels.csv`.
    """

    face: tuple[Group, ...] = ("landmarks",)
    normalize: Literal["none", "recording"] = "none"
    split_seed: Seed = 0

    def __post_init__(self) -> None:
        """Checks the groups.

        Raises:
          UserError: there are none, or one is repeated.
        """
        if not self.face or len(set(self.face)) < len(self.face):
            raise UserError(f"lmvd.face={self.face}: name one or more groups, each once")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of `visual`."""
        return tuple(column for group in self.face for column in openface.COLUMNS[group])


def scan(folder: Path, settings: Settings) -> Scan:
    """Reads every file of the corpus once; one row a second is kept in a temporary folder.

    Args:
      folder: folder given by the user, with `Audio_feature`, `Video_feature` and `label`.
      settings: options for reading.
    """
    found = Scan()
    known = _labels(folder, settings, found)
    scratch, repairs = Scratch(found), Counter[str]()
    contents, frames = [], {}
    for name, label in sorted(known.items()):
        arrays = _read(folder, name, settings, found.faults, repairs)
        load = dict
        if arrays:
            contents.append((checks.content(arrays), label.split))
            frames[name] = len(arrays["acoustic"])
            stored = scratch.keep(name, arrays)
            load = lambda stored=stored, label=label: {**stored(), "depression": label.label}
        found.items.append(Item(name, label.split, load, attributes=label.attributes))
    found.warnings += _repaired(repairs)
    found.warnings += checks.copies(contents)
    if not (folder / "synthetic.json").is_file():
        whole = "The corpus"
        found.warnings += checks.count_warnings({whole: len(known)}, {whole: PUBLISHED})
    counts = {
        split: Counter(x.label for x in known.values() if x.split == split)
        for split in labels.SPLITS
    }
    found.warnings += [f"The {split} split is missing." for split in counts if not counts[split]]
    found.card = {
        "counts": {split: dict(counted) for split, counted in counts.items()},
        "people": "1475 by the paper, whom the files do not name: one may be in several splits",
        "splits": found.card["splits"],
        "face": ", ".join(settings.face),
        "frames (one a second)": checks.frames_statistics(frames.values()),
        "repairs": dict(sorted(repairs.items())),
    }
    return found


def recordings(path: Path, settings: Settings) -> Scan:
    """Reads vlogs without labels, as `scan` does.

    Args:
      path: folder with `Audio_feature` and `Video_feature`.
      settings: options for reading.
    """
    found = Scan()
    scratch, repairs = Scratch(found), Counter[str]()
    for name in sorted(_recorded(path, FOLDERS, found.faults)):
        arrays = _read(path, name, settings, found.faults, repairs)
        found.items.append(Item(name, "", scratch.keep(name, arrays) if arrays else dict))
    found.warnings += _repaired(repairs)
    return found


def _repaired(repairs: Mapping[str, int]) -> list[str]:
    return [f"repaired: {count} {what}" for what, count in sorted(repairs.items()) if count]


def _labels(folder: Path, settings: Settings, found: Scan) -> dict[str, labels.Label]:
    """Labels and splits of all recordings; faults if there are none."""
    places = {**FOLDERS, "label": ("label", labels.SUFFIX)}
    recorded = _recorded(folder, places, found.faults)
    given = next((name for name in labels.TABLES if (folder / name).exists()), None)
    if given is None:
        own = labels.of_files(folder, recorded, found.faults)
        found.card["splits"] = f"7:1:2, stratified by label, drawn with seed {settings.split_seed}"
        return labels.drawn(own, settings.split_seed, found.faults)
    table_of = labels.of_table(folder, given, found.faults)
    files = {name for name in recorded if (folder / "label" / f"{name}{labels.SUFFIX}").exists()}
    own = labels.of_files(folder, files, found.faults)
    labels.agree(table_of, own, given, found.faults)
    found.card["splits"] = f"those of {given}"
    if unlisted := sorted(recorded - set(table_of) - found.faults.items):
        listed = ", ".join(unlisted[:8])
        found.warnings.append(
            f"{len(unlisted)} recordings are not in {given} and are left out: {listed}"
        )
    return table_of


def _recorded(folder: Path, places: Mapping[str, tuple[str, str]], faults: Faults) -> set[str]:
    """Ids of the recordings that have a file in one of the places; a leading zero is part of one.

    Args:
      folder: folder given by the user.
      places: folder in it and suffix of the files of each kind.
      faults: receives a fault if there are none, and those of ids.
    """
    found = {
        path.name.removesuffix(suffix)
        for directory, suffix in places.values()
        for path in (folder / directory).glob(f"*{suffix}")
    }
    if not found:
        expected = ", ".join(f"{directory}/<id>{suffix}" for directory, suffix in places.values())
        faults.add("missing file", ".", f"no recordings; expected {expected}")
    bad = {name: problem for name in found if (problem := names.fault_of(name))}
    for name, problem in bad.items():
        faults.add("bad id", name, problem, name)
    return found - set(bad)


def _read(
    folder: Path, name: str, settings: Settings, faults: Faults, repairs: Counter
) -> dict[str, np.ndarray] | None:
    """Reads both modalities of a recording, cut to the shorter one; None if either has a fault."""
    place = lambda key: folder / FOLDERS[key][0] / f"{name}{FOLDERS[key][1]}"
    acoustic = checks.read_array(place("acoustic"), folder, VGGISH, faults, name)
    visual = _face(place("visual"), folder, settings, faults, repairs, name)
    if acoustic is None or visual is None:
        return None
    read: Mapping[str, Any] = {"acoustic": acoustic, "visual": visual}
    arrays = checks.cut_to_shorter(read, _TOLERANCE, name, faults, name)
    if arrays is None or settings.normalize == "none":
        return arrays
    face = arrays["visual"]
    standardised = {"visual": Scale.of(face).standardise(face)}
    return {**arrays, **standardised, FACE_FUNCTIONALS: functionals.summarize(face)}


def _face(
    path: Path, root: Path, settings: Settings, faults: Faults, repairs: Counter, item: str
) -> np.ndarray | None:
    """Reads one row a second of OpenFace's table, [T, D] float32; None if it has a fault."""
    columns = settings.columns
    try:
        timed = "timestamp" in table.header(path, root)
        rows = table.read_columns(path, root, [*columns, *(["timestamp"] if timed else [])])
    except BadFileError as error:
        faults.add_file(error, path.relative_to(root), item)
        return None
    times = rows[:, -1] if timed else None
    rows = rows[:, : len(columns)]
    if not tables.are_numbers(rows).any():
        faults.add("not numeric", path.relative_to(root), "no cell holds a number", item)
        return None
    rows = tables.fill_invalid(rows, "OpenFace values that are not finite", repairs)
    chosen = openface.seconds(times)
    if chosen is None:
        repairs["OpenFace tables without usable time stamps, read at 30 rows a second"] += 1
        chosen = np.arange(0, len(rows), ROWS_PER_SECOND)
    return rows[chosen].astype(np.float32)
