"""Columns and fields of the files in a run directory, shared by writers and readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

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


class CorpusEntry(TypedDict):
    """Entry of the corpus in `meta.json`: what the analysis needs to know about the data."""

    name: str
    synthetic: bool
    synthetic_truth: Mapping[str, Any] | None
    warnings: list[str]
    skipped: list[Mapping[str, Any]]
    label_source: str
    sessions: Mapping[str, str]
    words: list[str]


class Description(TypedDict):
    """The part of `meta.json` that is known before training."""

    experiment: str
    title: str
    hash: str
    corpus: CorpusEntry
    splits: Mapping[str, SplitEntry]
    classes: Mapping[str, list[str]]
    selection: str


class Meta(Description):
    """Content of `meta.json`: experiment, data, and the outcome of each run."""

    runs: list[RunEntry]
    compile: Mapping[str, float]
    merge_tasks: bool
