"""Columns and fields of the files in a run directory, shared by writers and readers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Required

from annotated_types import Ge, Len
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict  # Pydantic needs it before Python 3.12

from jaxdep.artifacts.files import parse_json, read_json, read_text
from jaxdep.errors import UserError

PREDICTION_COLUMNS = (
    *("id", "split", "task", "run", "seed", "target", "prediction", "probability", "logits"),
)
"""Columns of `predictions.csv` and `validation.csv`: a line per task, run and recording."""

RECORDING_COLUMNS = ("id", "subject")
"""First columns of `recordings.csv` and `validation_recordings.csv`, which have one line per
recording; attributes follow."""

Merge = Literal["none", "session", "subject"]
"""Whose recordings are evaluated as one, by the mean of what is predicted for them."""


class RunEntry(TypedDict):
    """Entry of one run in `meta.json`."""

    run: int
    seed: int
    hyper: Mapping[str, float]
    status: str
    epochs: int
    best_epoch: int
    parameters: int


class _SplitEntry(TypedDict):
    name: str
    items: int
    hash: str
    carved_from: str | None


class SplitEntry(_SplitEntry, total=False):
    """Entry of one split in `meta.json`."""

    subjects: int


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
    subjects_known: bool
    own_name: str  # of a corpus of one's own; empty for others


class _Description(TypedDict):
    experiment: str
    title: str
    hash: str
    corpus: CorpusEntry
    splits: SplitEntries
    classes: Mapping[str, list[str]]
    selection: str


class CrossValidation(TypedDict):
    """Entry of a cross-validation in `meta.json`, whose runs are sorted by repeat, then by seed."""

    folds: Annotated[int, Ge(2)]
    repeats: Annotated[int, Ge(1)]


class Description(_Description, total=False):
    """The part of `meta.json` that is known before training.

    Attributes:
      changed: settings that differ from those of the registered experiment, before and after.
    """

    changed: Mapping[str, Annotated[list[Any], Len(2, 2)]]


class Compilation(TypedDict):
    """Number of compiled programs, and the time they took; a baseline has none."""

    programs: int
    seconds: float


class Memory(TypedDict):
    """Runs that trained at once, and bytes: planned, and the peaks of the process and a device."""

    at_once: int
    planned_bytes: int
    peak_bytes: int
    device_peak_bytes: int


class _Meta(Description):
    runs: list[RunEntry]
    compile: Compilation


class Meta(_Meta, total=False):
    """Content of `meta.json`: experiment, data, and the outcome of each run.

    Attributes:
      merge: whose recordings' predictions are averaged.
      chosen_among: number of configurations of the sweep that chose the settings.
      memory: what training took; None for what needs no gradient descent.
      cross_validation: present if every recording was tested by a model trained on other folds.
    """

    merge: Merge
    stochastic: bool  # whether outcomes depend on the seed
    chosen_among: int
    memory: Memory | None
    cross_validation: CrossValidation


def is_deterministic(meta: Mapping[str, Any]) -> bool:
    """Whether a run was fitted without random draws, so that a single one is exact."""
    fitted_directly = meta["compile"]["programs"] == 0  # early versions fitted nothing random so
    return not meta.get("stochastic", not fitted_directly)


class _TaskEntry(TypedDict):
    average: Literal["weighted", "micro", "macro", "positive"]


class TaskEntry(_TaskEntry, total=False):
    """The part of a task's settings that the analysis reads."""

    bounds: list[float]


class _PaperEntry(TypedDict):
    system: str
    source: str
    row: str


class PaperEntry(_PaperEntry, total=False):
    """Row of `analysis/paper_results.csv`, and the settings that the paper leaves open."""

    open: list[str]


class Config(TypedDict):
    """The part of `config.json` that is read as plain data."""

    tasks: Mapping[str, TaskEntry]
    paper: PaperEntry | None
    seeds: list[int]


class Environment(TypedDict):
    """The part of `environment.json` that is read: the command, and the folders of its corpora."""

    command: str
    packages: Mapping[str, str | None]
    prepared_corpus: str
    tested_corpus: NotRequired[str]


class FeatureEntry(TypedDict):
    """Entry of one feature in the description of `inputs.npz`."""

    shape: list[int | None]
    dtype: str
    length: int


class ExtractionModel(TypedDict):
    """Entry of a model in the recipe of an extraction."""

    name: str
    sha256: str


class ExtractionRecipe(TypedDict, total=False):
    """The part of an extraction's recipe that is read without checking it by its settings."""

    version: Required[int]
    like: Required[str]
    streams: Required[list[str]]
    predictor: ExtractionModel
    speech_encoder: ExtractionModel
    image_encoder: ExtractionModel
    recogniser: ExtractionModel


class ExtractionNote(TypedDict):
    """The part that is read of a note that `jaxdep extract` leaves beside features."""

    tool: Literal["jaxdep extract"]
    recipe: ExtractionRecipe


class InputsEntry(TypedDict):
    """The description in `inputs.npz`, an `inference.description.InputDescription`."""

    corpus: str
    options: Mapping[str, Any]
    encoders: Mapping[str, str]
    features: Mapping[str, FeatureEntry]
    extraction: NotRequired[list[ExtractionRecipe]]


class ConfigurationEntry(TypedDict):
    """Entry of one configuration in `sweep.json`, an `analysis.ranking.Row`."""

    number: int
    values: Mapping[str, Any]
    scores: list[float]
    higher_is_better: bool
    diverged: int
    epochs: int
    dropped: int


class Sweep(TypedDict):
    """Content of `sweep.json` and `task.json`: the outcome of a sweep, the best first."""

    title: str
    monitor: str
    compile: Compilation
    ranking: Annotated[list[ConfigurationEntry], Len(1)]


class Launched(TypedDict):
    """Content of `launch.json`: what the tasks of a sweep need beside its `config.json`.

    Attributes:
      base: experiment that changes are counted from.
      layout: devices of a task, and how many runs one of them trains at once.
    """

    base: Mapping[str, Any]
    layout: Mapping[str, Any]


class Losses(TypedDict):
    """Loss of a split; None if it was not finite."""

    loss: float | None


class Line(TypedDict):
    """The part of a line of `metrics.jsonl` that is read."""

    run: int
    epoch: int
    train: Losses
    validation: Losses


_FILES = {
    "meta.json": Meta,
    "config.json": Config,
    "environment.json": Environment,
    "sweep.json": Sweep,
    "task.json": Sweep,
    "launch.json": Launched,
    "jobs.json": dict[str, str],
}


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
