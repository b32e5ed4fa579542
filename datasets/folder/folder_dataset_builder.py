"""TFDS builder of a corpus of one's own."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from jaxdep.data import corpus_file
from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.datasets.folder import raw, unlabelled
from jaxdep.settings.kinds import Name

_LAYOUT = """\
  corpus.yaml         name, table of recordings, features, tasks; datasets/folder/README.md
  and the files that it names, anywhere below this folder
To write a commented example that runs: jaxdep init DIR"""


@dataclass(frozen=True)
class Settings:
    """Options of the corpus.

    Attributes:
      config: file in the folder that describes the corpus.
    """

    config: Name = corpus_file.NAME


class Builder(ManualBuilder):
    """Recordings of one's own, as `corpus.yaml` describes them."""

    pkg_dir_path = pathlib.Path(__file__).parent
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = _LAYOUT
    LAYOUT = _LAYOUT
    LABEL_SOURCE = (
        "columns of a table of one's own; corpus.yaml does not say how they were obtained"
    )
    OPTIONS: ClassVar[Settings] = Settings()

    @classmethod
    def locate(
        cls, given: pathlib.Path, options: Mapping[str, Any]
    ) -> tuple[pathlib.Path, dict[str, Any]]:
        """The folder may be given by the file that describes the corpus."""
        if given.is_file():
            return given.parent, {**options, "config": given.name}
        return given, dict(options)

    @classmethod
    def resolve(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> dict[str, Any]:
        """Checks the description of the corpus, and keeps it, for recordings that come later."""
        description = corpus_file.read(corpus_file.locate(folder / options["config"]))
        return {**options, "description": description.model_dump(mode="json", exclude_none=True)}

    @classmethod
    def scan(cls, folder: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads every file once and collects all faults."""
        return raw.scan(folder, options["config"])

    @classmethod
    def recordings(cls, path: pathlib.Path, options: Mapping[str, Any]) -> Scan:
        """Reads the recordings in a folder whose files lie as `corpus.yaml` says."""
        return unlabelled.recordings(path, corpus_file.parse(options["description"]))
