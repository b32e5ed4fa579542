"""Reads `corpus.yaml`, in which users describe a corpus of their own, see `datasets/folder`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)
from pydantic import model_validator as checked
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from jaxdep.data import functionals
from jaxdep.data.formats import matrix, names, text
from jaxdep.errors import BadFileError, UserError, closest

NAME = "corpus.yaml"
"""File that is read if a folder is given."""

ID = "{id}"
"""Placeholder for the id of a recording in the pattern of a path."""

SPLITS = ("train", "validation", "test")
SENTENCES = "sentences"
"""Name of the input that holds the frames of each sentence."""

COLUMNS = ("id", "subject", "session", "split")
"""Columns of the table of recordings that are neither labels nor attributes."""

_BOOLEANS = "YAML reads yes, no, on and off as true or false: put them in quotes"
_LIMIT = 2**20
_RESERVED = {*COLUMNS, "attributes", SENTENCES}

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")]
Positive = Annotated[float, Field(gt=0, le=1e5, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


def _check_pattern(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value:
        raise ValueError("expected a path within the folder of the file, with /")
    if ID not in value:
        raise ValueError(f"expected {ID} in the path, in place of the id of a recording")
    if path.suffix not in matrix.SUFFIXES:
        known = ", ".join(matrix.SUFFIXES)
        raise ValueError(f"unknown format {path.suffix!r}; choose one of {known}")
    return value


Pattern = Annotated[str, AfterValidator(_check_pattern)]
"""Path of a file of each recording, with `ID`."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Files(_Part):
    """Where the arrays of the recordings lie.

    Attributes:
      files: path relative to the folder of `corpus.yaml`, with `{id}`; its ending names the format.
      key: name of the array in `npz` and `h5` files; may be empty if there is only one.
      header: whether `csv` and `tsv` files begin with a line of column names.
      columns: names of the columns to read; empty for all.
    """

    files: Pattern
    key: str = ""
    header: bool = True
    columns: list[str] = []

    @checked(mode="after")
    def _check_options(self) -> Files:
        kind = PurePosixPath(self.files).suffix
        if self.key and kind not in matrix.KEYED:
            raise ValueError(f"{kind} files have no keys: omit key")
        named = kind in matrix.NAMED and (self.header or kind not in matrix.TEXT)
        if self.columns and not named:
            raise ValueError(f"{kind} files without a header have no named columns: omit columns")
        return self

    def path(self, folder: Path, name: str) -> Path:
        """File of the recording with this id."""
        return folder / self.files.replace(ID, name)

    @property
    def how(self) -> matrix.How:
        """Options of the reader."""
        return matrix.How(self.key, self.header, tuple(self.columns))


class Modality(Files):
    """Features of one modality, under the name by which models read them.

    Attributes:
      rate: rows a second; None if the rows are not taken at regular moments.
      normalize: `zscore` or `minmax` scale each feature over the rows of each recording.
      mask: path as `files`, of which rows hold something, [T] of true or 1; the others are gaps,
        such as frames without a face. `header` is also that of a mask in `csv` or `tsv`. A gap does
        not count in the normalisation, nor in means over time; it is stored as a row of zeros,
        which models read as such. None if there are no gaps.
      shape: whether a recording has a sequence of rows, or one vector.
      width: number of features; None for what most files have.
    """

    rate: Positive | None = None
    normalize: Literal["none", "zscore", "minmax"] = "none"
    mask: Pattern | None = None
    shape: Literal["sequence", "vector"] = "sequence"
    width: Annotated[int, Field(ge=1, le=2**20)] | None = None

    @checked(mode="after")
    def _check_vector(self) -> Modality:
        if self.shape == "vector" and (self.rate or self.normalize != "none"):
            raise ValueError("a vector has no rows over which it has a rate or is normalised")
        if self.shape == "vector" and self.mask:
            raise ValueError("a vector has no rows that a mask could leave out: omit mask")
        return self


class Task(_Part):
    """What is to be predicted: one of some classes, or a score.

    Attributes:
      column: column of the table that has the labels; empty for the name of the task.
      classes: names of the classes by the values of the column, in the order of the classes; given
        as such, or as a list of the values.
      score: lowest and highest score of the scale.
    """

    column: str = ""
    classes: dict[str, str] | None = None
    score: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None

    @field_validator("classes", mode="before")
    @classmethod
    def _check_classes(cls, value: Any) -> dict[str, str]:
        """Names of the classes by their values in the table, both as text."""
        if isinstance(value, list):
            pairs = [(each, each) for each in value]
        elif isinstance(value, dict):
            pairs = list(value.items())
        else:
            raise ValueError("expected a list of values, such as [normal, depressed]")
        parts = [part for pair in pairs for part in pair]
        if any(isinstance(part, bool) for part in parts):
            raise ValueError(_BOOLEANS)
        if not all(isinstance(part, str | int) and str(part) for part in parts):
            raise ValueError("a value or name is neither text nor a whole number")
        named = {str(value): str(name) for value, name in pairs}
        if len(named) < max(2, len(pairs)) or len(set(named.values())) < len(named):
            raise ValueError("expected two or more values with different names")
        if any(map(names.fault_of_text, named.values())):
            raise ValueError("a name is too long or not printable")
        return named

    @checked(mode="after")
    def _check_kind(self) -> Task:
        if (self.classes is None) == (self.score is None):
            raise ValueError(
                "expected either classes, such as [normal, depressed], or score, such as [0, 24]"
            )
        if self.score is not None and not -1e9 <= self.score[0] < self.score[1] <= 1e9:
            raise ValueError(f"score: expected the lowest and the highest score, got {self.score}")
        return self

    @property
    def names(self) -> dict[str, str]:
        """Name of each class by its value in the table, in the order of the classes."""
        return dict(self.classes or {})


class Splits(_Part):
    """How recordings are divided if the table has no column `split`.

    Attributes:
      seed: seed of the division by subject.
      fractions: part of the subjects in each split; a missing `validation` is carved from `train`.
      stratify: task whose labels are equally frequent in all splits; empty for the first one.
      shared_subjects: whether a subject in two splits of the table is refused, or warned of.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    fractions: dict[Literal["train", "validation", "test"], Fraction] = {
        "train": 0.7,
        "validation": 0.1,
        "test": 0.2,
    }
    stratify: str = ""
    shared_subjects: Literal["refuse", "warn"] = "refuse"

    @field_validator("fractions")
    @classmethod
    def _check_fractions(cls, value: dict[str, float]) -> dict[str, float]:
        if abs(sum(value.values()) - 1) > 1e-6 or not (value.get("train") and value.get("test")):
            raise ValueError("expected train, validation and test above 0 that add up to 1")
        return {split: value[split] for split in SPLITS if value.get(split)}


class Description(_Part):
    """A corpus of one's own.

    Attributes:
      name: name in titles and reports.
      recordings: table of the recordings, `.csv`, `.tsv` or `.xlsx`.
      sheet: sheet of a workbook; empty for the first one.
      modalities: features by the name of the model's input.
      tasks: labels by name; the first is the main task.
      splits: how recordings are divided.
      sentences: tables of the start and end of each sentence in seconds, and optionally its number
        of rows of a `text` without a rate.
      align: rows a second that all sequences with a rate are averaged to; they are then cut to one
        length. None to leave them as they are.
      label_source: how the labels were obtained, for reports.
    """

    name: Annotated[str, Field(min_length=1)]
    recordings: str
    sheet: str = ""
    modalities: Annotated[dict[Identifier, Modality], Field(min_length=1)]
    tasks: Annotated[dict[Identifier, Task], Field(min_length=1)]
    splits: Splits = Splits()
    sentences: Files | None = None
    align: Positive | None = None
    label_source: str = ""

    @field_validator("name", "label_source")
    @classmethod
    def _check_text(cls, value: str) -> str:
        if problem := names.fault_of_text(value):
            raise ValueError(f"the text {problem}")
        return value

    @field_validator("recordings")
    @classmethod
    def _check_table(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or "\\" in value:
            raise ValueError("expected a path within the folder of the file, with /")
        if path.suffix not in (".csv", ".tsv", ".xlsx"):
            raise ValueError(f"unknown format {path.suffix!r}; choose one of .csv, .tsv, .xlsx")
        return value

    @checked(mode="after")
    def _check_names(self) -> Description:
        used = Counter([*self.modalities, *self.tasks])
        for name in used:
            if name in _RESERVED or name.endswith(("_mask", functionals.SUFFIX)):
                raise ValueError(f"{name} is a name that jaxdep uses itself; choose another one")
            if used[name] > 1:
                raise ValueError(f"{name} names a modality and a task; choose another name")
        if self.splits.stratify and self.splits.stratify not in self.tasks:
            known = ", ".join(self.tasks)
            raise ValueError(
                f"splits.stratify: no task {self.splits.stratify}; choose from {known}"
            )
        if self.align is not None and not self.aligned:
            raise ValueError("align: no sequence has a rate; give the rates, or omit align")
        if self.sentences and not (self.timed | ({"text"} & set(self.modalities))):
            raise ValueError("sentences: give the rate of acoustic or visual, or features of text")
        return self

    @property
    def aligned(self) -> set[str]:
        """Modalities that `align` averages to one rate."""
        return {name for name, each in self.modalities.items() if each.rate and self.align}

    @property
    def timed(self) -> set[str]:
        """Modalities whose rows have a time."""
        return {name for name, each in self.modalities.items() if each.rate}

    def rate(self, name: str) -> float | None:
        """Rows a second of a modality as it is stored; None if they have no regular times."""
        return self.align if name in self.aligned else self.modalities[name].rate


def locate(given: str | Path) -> Path:
    """The file that describes a corpus: the given one, or the one in the given folder.

    Raises:
      UserError: there is no such file.
    """
    path = Path(given)
    found = path / NAME if path.is_dir() else path
    if not found.is_file():
        raise UserError(f"{found}: there is no such file; `jaxdep init DIR` writes an example")
    return found


def read(path: Path) -> Description:
    """Reads and checks the description of a corpus.

    Raises:
      UserError: the file has faults; the message names the key of each.
    """
    try:
        content = yaml.load(text.read(path, path.parent, _LIMIT), Loader=_Loader)
    except BadFileError as error:
        raise UserError(f"{path}: {error.kind}: {error.detail}") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{path}{line} is not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid YAML: {str(error) or 'nested too deeply'}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys such as name, recordings, modalities and tasks")
    return parse(content, str(path))


def parse(content: Mapping[str, Any], where: str = NAME) -> Description:
    """Checks the keys and values of a description.

    Args:
      content: the description, as `read` finds it or `Description.model_dump` returns it.
      where: name of its file, for messages.

    Raises:
      UserError: as `read`.
    """
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        lines = dict.fromkeys(_message(each) for each in error.errors(include_url=False))
        raise UserError("\n".join([f"{where} has faults:", *lines])) from None


class _Loader(yaml.SafeLoader):
    """Loads plain values; refuses repeated keys, and aliases, which may expand without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise ComposerError(None, None, "aliases are not read", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key.value, str):
                continue  # which cannot be a key, and is refused below
            if key.value in seen:
                problem = f"the key {key.value[:80]} occurs twice"
                raise ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _message(error: Any) -> str:
    """One line for one fault: the path of the key, and what is expected there."""
    where = [str(part) for part in error["loc"] if part != "[key]"]
    path, kind = ".".join(where), error["type"]
    if kind == "extra_forbidden":
        known = _fields_at(where[:-1])
        return (
            f"  {path}: unknown key; {closest(where[-1], known, 'choose from ' + ', '.join(known))}"
        )
    if kind == "missing":
        return f"  {path}: this key is missing"
    if "pattern_mismatch" in kind:
        return f"  {path}: expected a name of ASCII letters, digits and '_'"
    problem = error["msg"].removeprefix("Value error, ")
    if isinstance(error.get("input"), bool):
        problem += f"; {_BOOLEANS}"
    return f"  {path}: {problem}" if path else f"  {problem}"


def _fields_at(where: list[str]) -> list[str]:
    """Keys that are known at this path."""
    kinds = {"modalities": Modality, "tasks": Task, "splits": Splits, "sentences": Files}
    return list((kinds[where[0]] if where else Description).model_fields)
