"""Labels runs: the settings that were changed from the registered experiment, and their title."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jaxdep import overrides
from jaxdep.data import corpora
from jaxdep.data.opening import OpenCorpus
from jaxdep.data.settings import Corpus
from jaxdep.experiment import Experiment
from jaxdep.overrides import to_json
from jaxdep.plain import listed
from jaxdep.runner.input_pipeline import PreparedExperiment
from jaxdep.settings.paths import Differences, assignments, flat

_IN_WORDS = ("corpus.folds", "corpus.fold", "corpus.fold_seed", "corpus.tested_on")
"""Settings that titles name in words: those of a cross-validation, and of a second corpus."""

_SECTIONS = ("model", "optimizer", "training", "tasks", "corpus")
"""Sections of an experiment, in the order in which titles name their settings."""


@dataclass(frozen=True)
class Label:
    """Title of a run, and the changes that it names.

    Attributes:
      title: title of the experiment, with the settings that were changed.
      changed: settings that differ from those of the registered experiment, before and after.
    """

    title: str
    changed: Differences


def base_of(experiment: str | Experiment) -> Experiment:
    """The registered experiment of this name, which changes are counted from.

    An experiment that is not registered is its own base.
    """
    from jaxdep.experiments import EXPERIMENTS

    known: Mapping[str, Experiment] = EXPERIMENTS
    if isinstance(experiment, str):
        return known[experiment]
    return known.get(experiment.name, experiment)


def label(prepared: PreparedExperiment, base: Experiment, repeats: int = 0) -> Label:
    """Labels a run by comparing its settings with those of its base.

    Not counted as changes are options of the corpus that were only completed, class weights that
    were computed, and, on real data, settings of the synthetic stand-in.

    Args:
      prepared: experiment as it is run, and its data.
      base: experiment that changes are counted from, see `base_of`.
      repeats: number of repeats of a whole cross-validation; 0 for a single run.
    """
    experiment, data = prepared.experiment, prepared.data
    options = _comparable_options(base, experiment, data)
    comparable = replace(base, corpus=replace(base.corpus, options=options))
    found = overrides.changes(comparable, experiment)
    ignored = {f"tasks.{name}.options.class_weights" for name in _balanced(experiment)}
    changed = {
        path: pair
        for path, pair in found.items()
        if path not in ignored
        and (data.identity["synthetic"] or not path.startswith("corpus.synthetic."))
        and not path.startswith("corpus.tested_synthetic")
    }
    named = {path: pair for path, pair in changed.items() if path not in _IN_WORDS}
    about = _folds(experiment.corpus, repeats) + _crossing(experiment.corpus)
    return Label(_title(base, experiment, named, about), changed)


def _crossing(corpus: Corpus) -> str:
    """What a title says of two corpora; empty if there is one."""
    return f"; trained on {corpus.name}, tested on {corpus.tested_on}" if corpus.tested_on else ""


def _folds(corpus: Corpus, repeats: int) -> str:
    """What a title says of a cross-validation; empty if there is none."""
    if not corpus.folds:
        return ""
    if not repeats:
        cut = f" of cut {corpus.fold_seed}" if corpus.fold_seed else ""
        return f"; fold {corpus.fold} of {corpus.folds}{cut}, not the official split"
    often = f"{repeats} times " if repeats > 1 else ""
    return f"; {often}{corpus.folds}-fold cross-validation, not the official split"


def _title(base: Experiment, experiment: Experiment, changed: Differences, about: str) -> str:
    if not changed:
        return base.title + about

    def place(path: str) -> int:
        section = path.partition(".")[0]
        return _SECTIONS.index(section) if section in _SECTIONS else len(_SECTIONS)

    after = {path: changed[path][1] for path in sorted(changed, key=place)}
    known = [*flat(to_json(base)), *flat(to_json(experiment))]
    shown = listed(assignments(after, known))
    if shown != ", ".join(assignments(after, known, longest=sys.maxsize)):
        # Runs that differ only in what was cut off have different titles all the same.
        described = json.dumps(after, sort_keys=True, default=str)
        shown += f" ({hashlib.sha256(described.encode()).hexdigest()[:8]})"
    return f"{base.title}{about}; changed: {shown}"


def _balanced(experiment: Experiment) -> list[str]:
    """Tasks whose class weights are computed from the data."""
    return [name for name, task in experiment.tasks.items() if task.balanced]


def _comparable_options(
    base: Experiment, experiment: Experiment, data: OpenCorpus
) -> dict[str, Any]:
    """Options of the base's corpus, completed as those of the run unless these were given.

    An option that the base does not set is changed if it was given, to this run or when the corpus
    was prepared, and is neither its default nor what is chosen by default for these files.
    """
    given = data.description["given"]
    defaults = to_json(corpora.with_defaults(experiment.corpus.name, {}))
    usual = (defaults, data.description.get("defaults", {}))
    options = {
        name: defaults[name]
        if name in given and all(name not in each or each[name] != value for each in usual)
        else value
        for name, value in data.options.items()
    }
    same_corpus = base.corpus.name == experiment.corpus.name
    return {**options, **base.corpus.options} if same_corpus else options
