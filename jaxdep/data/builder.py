"""The TFDS builder that all corpora share: what a scan of the raw files found, as ArrayRecord."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.errors import Faults


@dataclass(frozen=True)
class Item:
    """One recording that a scan found.

    Attributes:
      id: unique in the corpus.
      split: a split's name.
      load: reads its features, as the builder's `features` name them, `id` left out.
      subject: who is recorded; empty where the corpus does not say.
      session: recordings of one session have one target; empty where each has its own.
    """

    id: str
    split: str
    load: Callable[[], dict[str, Any]]
    subject: str = ""
    session: str = ""


@dataclass
class Scan:
    """What is in a folder of raw files.

    Attributes:
      items: recordings, those with faults included as far as they could be read.
      faults: all that is wrong.
      warnings: what a user should know, but need not mend.
      card: numbers for the corpus's card.
    """

    items: list[Item] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    warnings: list[str] = field(default_factory=list)
    card: dict[str, Any] = field(default_factory=dict)


class ManualBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Base of the corpora's builders.

    A corpus defines `features` and `scan`, both given its options. TFDS's default format needs
    TensorFlow, and its Parquet drops rows, so the format is always ArrayRecord.
    """

    OPTIONS: ClassVar[Mapping[str, Any]] = {}
    """Options and their defaults."""

    PUBLISHED: ClassVar[Mapping[str, int]] = {}
    """Published number of recordings of each split."""

    LABEL_SOURCE: ClassVar[str] = ""
    """Where the labels come from, in words."""

    LAYOUT: ClassVar[str] = ""
    """What files are expected, in words."""

    def __init__(
        self,
        *,
        options: Mapping[str, Any] | None = None,
        scan: Scan | None = None,
        **kwargs: Any,
    ) -> None:
        self.options = {**self.OPTIONS, **(options or {})}
        self._scan = scan
        self._digests: dict[str, str] = {}
        kwargs["file_format"] = "array_record"
        super().__init__(**kwargs)

    @classmethod
    def resolve(cls, folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with defaults that depend on the raw files."""
        return dict(options)

    @classmethod
    def features(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """TFDS features; a target is named after its task."""
        raise ValueError(f"{cls.__name__} defines no features")

    @classmethod
    def scan(cls, folder: Path, options: Mapping[str, Any]) -> Scan:
        """Reads every raw file once and reports all faults; writes nothing."""
        raise ValueError(f"{cls.__name__} defines no scan")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {**self.features(self.options), "id": tfds.features.Text()}
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        scan = self._scan or self.scan(Path(dl_manager.manual_dir), self.options)
        scan.faults.raise_if_any("the raw files have faults:", "Mend them, or leave the items out.")
        splits: dict[str, list[Item]] = {}
        for item in scan.items:
            splits.setdefault(item.split, []).append(item)
        return {split: self._generate_examples(items) for split, items in splits.items()}

    def _generate_examples(self, items: list[Item]) -> Iterator[tuple[str, dict[str, Any]]]:
        for item in items:
            example = {**item.load(), "id": item.id}
            self._digests[item.id] = _digest(example)
            yield item.id, example

    @property
    def contents(self) -> str:
        """Hash of all recordings that were stored: of their features, labels and ids."""
        told = "".join(f"{name}{self._digests[name]}" for name in sorted(self._digests))
        return hashlib.sha256(told.encode()).hexdigest()


def _digest(example: Mapping[str, Any]) -> str:
    """Hash of a recording's features, whatever their order."""
    sha = hashlib.blake2b(digest_size=16)
    for name in sorted(example):
        value = np.asarray(example[name])
        sha.update(f"{name}{value.dtype}{value.shape}".encode())
        sha.update(np.ascontiguousarray(value).tobytes())
    return sha.hexdigest()
