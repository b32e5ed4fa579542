"""What a run must know of its inputs to predict without its corpus: `inputs.npz` in its folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxdep import models
from jaxdep.artifacts.files import parse_json, read_arrays, write_arrays
from jaxdep.artifacts.schema import InputsEntry, check_document
from jaxdep.data import arrays, functionals
from jaxdep.data.checks import invalid_numbers
from jaxdep.data.extraction import Recipe
from jaxdep.data.opening import OpenCorpus
from jaxdep.errors import Faults, UserError
from jaxdep.experiment import Experiment
from jaxdep.inference.distance import TrainingData
from jaxdep.models.baselines.features import names_read
from jaxdep.overrides import to_json

Recording = Mapping[str, Any]
"""Features of one recording by name: sequences [T, D] and vectors [D]."""

_CHUNK = 64  # recordings in memory while the training split is described


class Feature(NamedTuple):
    """An input of a model.

    Attributes:
      shape: shape of a recording's array; the first size is None for a sequence.
      dtype: type of its numbers.
      length: number of frames that sequences are padded or cut to; 0 for a vector.
    """

    shape: tuple[int | None, ...]
    dtype: str
    length: int


@dataclass(frozen=True)
class InputDescription:
    """The inputs of a run, and how they were prepared.

    Attributes:
      corpus: name of the corpus, whose code reads raw files.
      options: all options that the corpus was prepared with.
      encoders: hash of each encoder of the corpus, by the name of its option.
      features: features that the model reads, by name.
      training: statistics of the training recordings.
      extraction: the different recipes by which `jaxdep extract` made the features; empty if it did
        not, or if the files do not say so.
    """

    corpus: str
    options: Mapping[str, Any]
    encoders: Mapping[str, str]
    features: Mapping[str, Feature]
    training: TrainingData
    extraction: Sequence[Recipe] = ()

    @classmethod
    def of(cls, experiment: Experiment, data: OpenCorpus) -> InputDescription:
        """Describes the inputs of an experiment on an opened corpus."""
        stored, _ = arrays.open_split(data.folder, experiment.corpus.train)
        types = {name: np.dtype(each.np_dtype) for name, each in stored.items() if each.shape}
        names = _read_by(experiment, types)
        train = data.splits["train"]
        features = {
            name: Feature(tuple(stored[name].shape), types[name].name, length)
            for name, length in ((name, _length(train, name)) for name in names)
        }
        return cls(
            data.description["name"],
            # With what the builder found out about the files of the corpus.
            to_json(data.description["options"]),
            data.description.get("encoders", {}),
            features,
            TrainingData.of(_parts(train, names)),
            data.description.get("extraction", ()),
        )

    def stack(self, recordings: Mapping[str, Recording]) -> dict[str, np.ndarray]:
        """Checks and pads recordings as in training; returns inputs as `arrays.Split.inputs`.

        Args:
          recordings: features of each recording, by id.

        Raises:
          UserError: there are no recordings, or features are missing or do not fit.
        """
        if not recordings:
            raise UserError("no recordings given: pass at least one")
        faults = Faults()
        checked = [self._checked(name, each, faults) for name, each in recordings.items()]
        wanted = ", ".join(f"{name} {_shown(each)}" for name, each in self.features.items())
        faults.raise_if_any("The recordings do not fit the run:", f"The run reads {wanted}.")
        lengths = {name: each.length for name, each in self.features.items() if each.length}
        return arrays.inputs_of(self.features, checked, lengths)

    @property
    def blank(self) -> dict[str, np.ndarray]:
        """Inputs of one recording, all zero, with the shapes of those in training."""
        zeros = lambda feature: np.zeros([n or 1 for n in feature.shape], feature.dtype)
        return self.stack({"blank": {name: zeros(each) for name, each in self.features.items()}})

    def write(self, path: Path) -> None:
        """Writes the description to a file."""
        entry: dict[str, Any] = {
            "corpus": self.corpus,
            "options": self.options,
            "encoders": self.encoders,
            "features": {
                name: {"shape": list(each.shape), "dtype": each.dtype, "length": each.length}
                for name, each in self.features.items()
            },
        }
        if self.extraction:
            entry["extraction"] = list(self.extraction)
        stored = {"percentiles": self.training.percentiles}
        for name in self.training.mean:
            stored[f"mean/{name}"] = self.training.mean[name]
            stored[f"deviation/{name}"] = self.training.deviation[name]
        stored = {"description": np.array(json.dumps(entry, allow_nan=False)), **stored}
        write_arrays(path, {**stored, "digest": np.array(_digest(stored))})

    @classmethod
    def read(cls, path: Path) -> InputDescription:
        """Reads the description of a run.

        Raises:
          UserError: the file is missing or damaged.
        """
        if not path.is_file():
            raise UserError(
                f"{path} is missing: a run that was trained by an earlier version of jaxdep knows"
                " its inputs from its corpus alone; where the corpus is at hand, repeat the command"
                " of the run with --resume, which adds the file"
            )
        try:
            stored = read_arrays(path)
            if str(stored.pop("digest", "")) != _digest(stored):
                raise ValueError("its digest does not match")
            entry = parse_json(str(stored["description"]))
            check_document(entry, InputsEntry)
            return cls._from(entry, stored)
        except (ValueError, KeyError) as error:
            raise UserError(
                f"{path} is damaged ({error}); where the corpus is at hand, remove it and repeat"
                " the command of the run with --resume"
            ) from None

    @classmethod
    def _from(cls, entry: InputsEntry, stored: Mapping[str, np.ndarray]) -> InputDescription:
        of = lambda kind: {
            key.removeprefix(kind): x for key, x in stored.items() if key.startswith(kind)
        }
        features = {
            name: Feature(tuple(each["shape"]), each["dtype"], each["length"])
            for name, each in entry["features"].items()
        }
        training = TrainingData(of("mean/"), of("deviation/"), stored["percentiles"])
        about = (entry["corpus"], entry["options"], entry["encoders"])
        return cls(*about, features, training, entry.get("extraction", ()))

    def _checked(self, name: str, recording: Recording, faults: Faults) -> Recording:
        """The features of a recording that the model reads, in the type of the prepared corpus."""
        checked: dict[str, Any] = {}
        for key, feature in self.features.items():
            if key not in recording:
                faults.add("missing feature", name, key, name)
                continue
            array = np.asarray(recording[key])
            sizes = zip(feature.shape, array.shape, strict=False)
            if array.ndim != len(feature.shape) or any(n not in (None, m) for n, m in sizes):
                detail = f"{key}: expected {_shown(feature)}, found {list(array.shape)}"
                faults.add("wrong shape", name, detail, name)
            elif not array.size:
                faults.add("no rows", name, key, name)
            elif array.dtype.kind not in "fiu":
                faults.add("not numeric", name, f"{key}: type {array.dtype}", name)
            elif problem := invalid_numbers(array):
                faults.add("NaN or infinity", name, f"{key}: {problem}", name)
            elif (converted := array.astype(feature.dtype)).dtype.kind in "iu" and (
                converted != array
            ).any():
                detail = f"{key}: expected numbers that {feature.dtype} can represent"
                faults.add("wrong type", name, detail, name)
            else:
                checked[key] = converted
        return checked


def _read_by(experiment: Experiment, types: Mapping[str, np.dtype]) -> list[str]:
    """The features among these that a model reads, and their stored functionals."""
    model, names = experiment.model, list(types)
    if experiment.is_baseline:
        return names_read(types, getattr(model, "modalities", ()))
    parts = models.modalities_of(model)
    if not parts:
        return [name for name in names if not name.endswith(functionals.SUFFIX)]
    read = {name for part in parts.values() for name in part} | set(models.spec_of(model).structure)
    return [name for name in names if name.removesuffix(functionals.SUFFIX) in read]


def _length(split: Any, name: str) -> int:
    """Padded length of a sequence of a split, in memory or on disk; 0 for a vector."""
    return dict(split.lengths).get(name, 0)


def _parts(split: Any, names: list[str]) -> Iterator[dict[str, np.ndarray]]:
    """Inputs of a split, in memory or on disk, with these names, a few recordings at a time."""
    for start in range(0, len(split), _CHUNK):
        part = split.take(np.arange(start, min(start + _CHUNK, len(split))), split.name)
        inputs = (part if isinstance(part, arrays.Split) else part.load()).inputs
        wanted = {*names, *(f"{name}_mask" for name in names)}
        yield {name: x for name, x in inputs.items() if name in wanted}


def _shown(feature: Feature) -> str:
    return f"[{', '.join('T' if n is None else str(n) for n in feature.shape)}]"


def _digest(stored: Mapping[str, np.ndarray]) -> str:
    sha = hashlib.sha256()
    for name in sorted(stored):
        array = np.ascontiguousarray(stored[name])
        sha.update(f"{name}{array.dtype}{array.shape}".encode() + array.tobytes())
    return sha.hexdigest()
