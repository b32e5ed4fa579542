"""Data settings of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Corpus:
    """Data of an experiment.

    Attributes:
      name: corpus listed by `jaxdep list`.
      lengths: maximum number of frames of each sequence; longer ones are truncated. The default is
        the maximum length in the training split.
      options: options of the corpus builder, such as `text_encoder`.
      synthetic: options of the synthetic stand-in, used if no raw files are given.
      train: split used for training.
      validation: split used to select the epoch; empty to carve it from `train`.
      carve: fraction of `train` to carve, stratified by the labels of the main task.
      test: split used for the final results; the first of these that exists.
    """

    name: str
    lengths: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    synthetic: Mapping[str, Any] = field(default_factory=dict)
    train: str = "train"
    validation: str = ""
    carve: float = 0.1
    test: tuple[str, ...] = ("test",)
