"""Columns and fields of the files in a run directory, shared by writers and readers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict  # Pydantic needs it before Python 3.12

from jaxdep.artifacts.files import parse_json, read_json, read_text
from jaxdep.errors import UserError

PREDICTION_COLUMNS = ("id", "split", "task", "run", "seed", "target", "prediction", "probability")
"""Columns of `predictions.csv`, which has one line per task, run and recording."""


class RunEntry(TypedDict):
    """Entry of one run in `meta.json`."""

    run: int
    seed: int
    hyper: Mapping[str, float]
    status: str
    epochs: int
    best_epoch: int
    parameters: int


class SplitEntry(TypedDict):
    """Entry of one split in `meta.json`."""

    name: str
    items: int
    hash: str
    carved_from: str | None


class SplitEntries(TypedDict):
    """Entries of all splits in `meta.json`, by role."""

    train: SplitEntry
    validation: SplitEntry
    test: SplitEntry


class Known(TypedDict, total=False):
    """What is known of a task of a synthetic corpus; other entries may have any values."""

    chance: float
    bayes_accuracy: float
    chance_mae: float
    bayes_mae: float


class Truth(TypedDict):
    """The part of `synthetic.json` that the analysis reads."""

    tasks: Mapping[str, Known]


class FaultEntry(TypedDict):
    """Entry of a skipped recording's fault, a `jaxdep.errors.Fault`."""

    kind: str
    where: str
    detail: str
    item: str


class _CorpusEntry(TypedDict):
    name: str
    synthetic: bool
    synthetic_truth: Truth | None
    warnings: list[str]
    skipped: list[FaultEntry]
    label_source: str
    sessions: Mapping[str, str]


class CorpusEntry(_CorpusEntry, total=False):
    """Entry of the corpus in `meta.json`: what the analysis needs to know about the data."""

    words: list[str]


class Description(TypedDict):
    """The part of `meta.json` that is known before training."""

    experiment: str
    title: str
    hash: str
    corpus: CorpusEntry
    splits: SplitEntries
    classes: Mapping[str, list[str]]
    selection: str


class Compilation(TypedDict):
    """Number of compiled programs, and the time they took; a baseline has none."""

    programs: int
    seconds: float


class _Meta(Description):
    runs: list[RunEntry]
    compile: Compilation


class Meta(_Meta, total=False):
    """Content of `meta.json`: experiment, data, and the outcome of each run."""

    merge_tasks: bool


class _TaskEntry(TypedDict):
    average: Literal["weighted", "micro", "macro", "positive"]


class TaskEntry(_TaskEntry, total=False):
    """The part of a task's settings that the analysis reads."""

    bounds: list[float]


class PaperEntry(TypedDict):
    """Row of `analysis/paper_results.csv`."""

    system: str
    source: str
    row: str


class Config(TypedDict):
    """The part of `config.json` that is read as plain data."""

    tasks: Mapping[str, TaskEntry]
    paper: PaperEntry | None
    seeds: list[int]


class Environment(TypedDict):
    """The part of `environment.json` that is read: the command, and the folder of its corpus."""

    command: str
    packages: Mapping[str, str | None]
    prepared_corpus: str


class Losses(TypedDict):
    """Loss of a split; None if it was not finite."""

    loss: float | None


class Line(TypedDict):
    """The part of a line of `metrics.jsonl` that is read."""

    run: int
    epoch: int
    train: Losses
    validation: Losses


_FILES = {"meta.json": Meta, "config.json": Config, "environment.json": Environment}


def read(path: Path) -> Any:
    """Reads a JSON file of a run directory.

    Raises:
      OSError: the file cannot be read.
      ValueError: it is not JSON, or lacks what every file of this name has.
    """
    document = read_json(path)
    if path.name in _FILES:
        check_document(document, _FILES[path.name])
    return document


def read_history(path: Path) -> list[dict[str, Any]]:
    """Reads the lines of `metrics.jsonl`; none if there is no such file.

    Raises:
      UserError: a line is damaged.
    """
    lines = []
    try:
        for text in read_text(path).splitlines() if path.exists() else ():
            line = parse_json(text)
            check_document(line, Line)
            lines.append(line)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is damaged in line {len(lines) + 1} ({error}); remove the file to do without"
            " the training history"
        ) from None
    return lines


def check_document(document: Any, kind: Any) -> None:
    """Checks a JSON document by a type: of plain values, lists, mappings and `TypedDict`s.

    Args:
      document: parsed document.
      kind: type that it must have; a `TypedDict` permits further keys.

    Raises:
      ValueError: a part of the document is missing or has another type.
    """
    try:
        _validator(kind).validate_python(document, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise ValueError(f"{where}: {first['msg']}") from None


@cache
def _validator(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
