"""Base class of the TFDS builders, which store the scanned recordings as ArrayRecord."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.errors import Faults, UserError


@dataclass(frozen=True)
class Item:
    """One recording of a corpus.

    Attributes:
      id: unique id in the corpus.
      split: name of the split.
      load: function that reads all features that the builder defines.
      subject: id of the recorded subject; empty if unknown.
      session: id of the session, whose recordings share one target; empty if there are none. Where
        the subject is unknown, the session is taken for one.
      attributes: what else is known about the recording, for analyses of subgroups:
        `{"gender": "female"}`.

    Raises:
      ValueError: an attribute has the name of another column of `recordings.csv`.
    """

    id: str
    split: str
    load: Callable[[], dict[str, Any]]
    subject: str = ""
    session: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks the names of the attributes."""
        if taken := {"id", "subject"} & set(self.attributes):
            raise ValueError(f"{self.id}: no attribute may be called {', '.join(sorted(taken))}")


@dataclass
class Scan:
    """Recordings and faults found in a folder of raw files.

    Attributes:
      items: recordings, including faulty ones as far as they could be read.
      faults: faults of the raw files.
      warnings: messages for the user that require no action.
      card: statistics for the corpus card.
      features: TFDS features, where they follow from the raw files; empty for those of the builder.
      texts: further files of the prepared corpus, by name.
      label_source: how the labels were obtained; empty for what the builder says.
    """

    items: list[Item] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    warnings: list[str] = field(default_factory=list)
    card: dict[str, Any] = field(default_factory=dict)
    features: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    label_source: str = ""


@dataclass(frozen=True)
class NoOptions:
    """Options of a corpus that has none."""


class ManualBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Base class of the corpus builders.

    Subclasses define `features` and `scan`, which both receive the options; only where the features
    follow from the raw files, the scan returns them. The file format is
    always ArrayRecord: TFDS's default format needs TensorFlow, and its Parquet writer drops rows.

    Attributes:
      training_targets: values of each target in the training split, once it is built.
    """

    OPTIONS: ClassVar[Any] = NoOptions()
    """Frozen dataclass of all options, with their default values; types say what each may be."""

    PUBLISHED: ClassVar[Mapping[str, int]] = {}
    """Published number of recordings in each split."""

    TRAIN: ClassVar[str] = "train"
    """Name of the training split."""

    TEST: ClassVar[tuple[str, ...]] = ("test",)
    """Names of the test split, for runs that are trained on another corpus."""

    MEASURES: ClassVar[Mapping[str, str]] = {}
    """What each label measures; labels of two corpora are comparable if they measure the same."""

    PEOPLE: ClassVar[str] = ""
    """Name of the people recorded, if another corpus recorded some of the same; ids are shared."""

    LABEL_SOURCE: ClassVar[str] = ""
    """Description of how the labels were obtained."""

    LAYOUT: ClassVar[str] = ""
    """Description of the expected files."""

    pkg_dir_path: ClassVar[Path | None]  # TFDS accepts any path, not only those of etils

    def __init__(
        self,
        *,
        options: Mapping[str, Any] | None = None,
        scan: Scan | None = None,
        **kwargs: Any,
    ) -> None:
        self.options = {**vars(self.OPTIONS), **(options or {})}
        self._scan = scan
        self._found_features = scan.features if scan else {}
        self._digests: dict[str, str] = {}
        self.training_targets: dict[str, set[Any]] = {}
        kwargs["file_format"] = "array_record"
        super().__init__(**kwargs)

    @classmethod
    def locate(cls, given: Path, options: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
        """The folder of the raw files, and the options, where one file of it stands for both."""
        return given, dict(options)

    @classmethod
    def resolve(cls, folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Fills in option defaults that depend on the raw files."""
        return dict(options)

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the TFDS features; a target has the name of its task."""
        raise ValueError(f"{cls.__name__} must define features()")

    @classmethod
    def scan(cls, folder: Path, options: Mapping[str, Any]) -> Scan:
        """Reads every raw file once and collects all faults; writes nothing."""
        raise ValueError(f"{cls.__name__} must define scan()")

    @classmethod
    def encoders(cls, options: Mapping[str, Any]) -> dict[str, str]:
        """Hash of each encoder that computes features, by the name of its option."""
        return {}

    @classmethod
    def recordings(cls, path: Path, options: Mapping[str, Any]) -> Scan:
        """Reads recordings without labels, for predictions, by the code that reads the corpus.

        Args:
          path: given by the user: the folder of a recording, a folder with several at any depth, or
            a file of several.
          options: all options that the corpus was prepared with.

        Returns:
          Items that load features alone and have no split, and all faults.

        Raises:
          UserError: recordings of this corpus cannot be read without their labels.
        """
        raise UserError(
            f"{path}: recordings of {cls.name} cannot be read without its labels; give the features"
            " of each as ID.npz, with one array for each feature"
        )

    @classmethod
    def texts(cls, texts: Mapping[str, str], options: Mapping[str, Any]) -> Scan:
        """Embeds texts by id, for predictions; arguments and result as `recordings`.

        Raises:
          UserError: a recording of this corpus is not a text.
        """
        raise UserError(f"a recording of {cls.name} is not a text: give files instead")

    def _info(self) -> tfds.core.DatasetInfo:
        texts = {name: tfds.features.Text() for name in ("id", "subject", "attributes")}
        features = {**self._features(), **texts}
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        # TFDS keeps builders alive; the temporary files of a scan are removed together with it.
        scan, self._scan = self._scan or self.scan(Path(dl_manager.manual_dir), self.options), None
        advice = "Fix them, or leave out the affected items."
        scan.faults.raise_if_any("The raw files have faults:", advice)
        splits: dict[str, list[Item]] = {}
        for item in scan.items:
            splits.setdefault(item.split, []).append(item)
        return {split: self._generate_examples(items) for split, items in splits.items()}

    def _generate_examples(self, items: list[Item]) -> Iterator[tuple[str, dict[str, Any]]]:
        targets = (tfds.features.ClassLabel, tfds.features.Scalar)
        kinds = self._features()
        names = [name for name, kind in kinds.items() if isinstance(kind, targets)]
        for item in items:
            # As one text, because the names of attributes may depend on the raw files.
            attributes = json.dumps(dict(item.attributes), sort_keys=True)
            subject = item.subject or item.session
            known = {"id": item.id, "subject": subject, "attributes": attributes}
            example = {**item.load(), **known}
            self._digests[item.id] = _digest(example)
            if item.split == self.TRAIN:
                for name in names:
                    self.training_targets.setdefault(name, set()).add(example[name])
            yield item.id, example

    def _features(self) -> dict[str, Any]:
        return self._found_features or self.features(self.options)

    @property
    def contents(self) -> str:
        """Hash of the features, labels, ids, subjects and attributes of all stored recordings."""
        text = "".join(f"{name}{self._digests[name]}" for name in sorted(self._digests))
        return hashlib.sha256(text.encode()).hexdigest()


def _digest(example: Mapping[str, Any]) -> str:
    """Hash of a recording's features, independent of their order."""
    sha = hashlib.blake2b(digest_size=16)
    for name in sorted(example):
        value = np.asarray(example[name])
        sha.update(f"{name}{value.dtype}{value.shape}".encode())
        sha.update(np.ascontiguousarray(value).tobytes())
    return sha.hexdigest()
