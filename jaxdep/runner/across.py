"""Trains on one corpus and tests on another: settings and folders of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxdep import models
from jaxdep.artifacts.files import read_json
from jaxdep.data import corpora, crossing
from jaxdep.data.settings import Corpus
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.runner.options import RunOptions

Folder = str | Path
Folders = Folder | Mapping[str, Folder] | None


def experiment(given: Experiment, options: RunOptions) -> Experiment:
    """The experiment with the corpus that it is to be tested on.

    Args:
      given: experiment, of whose corpus the training and validation splits are used.
      options: options of the run.

    Raises:
      UserError: the experiment trains on another corpus, or an option is without effect.
    """
    own = given.corpus
    if options.train_on not in ("", own.name):
        corpora.builder_class(options.train_on)  # an unknown name has a message of its own
        raise UserError(
            f"--train-on {options.train_on}: {given.name} trains on {own.name}; choose an"
            f" experiment on {options.train_on}, as listed by `jaxdep list`"
        )
    if not options.test_on:
        if options.leave_out_shared:
            raise UserError("--leave-out-shared needs --test-on, another corpus to test on")
        return given
    corpora.builder_class(options.test_on)
    if options.test_on == own.name:
        raise UserError(f"--test-on {own.name}: {given.name} is trained on it; omit this option")
    synthetic = own.tested_synthetic or _stand_in(options.test_on)
    corpus = replace(
        own,
        tested_on=options.test_on,
        tested_synthetic=synthetic,
        leave_out_shared=options.leave_out_shared,
    )
    return replace(given, corpus=corpus)


def folders(corpus: Corpus, given: Folders) -> tuple[Folder | None, Folder | None]:
    """Folders with the raw files of the corpora to train and to test on.

    Args:
      corpus: data settings of the experiment.
      given: folder of the corpus, or folders by the names of corpora.

    Raises:
      UserError: a name is that of neither corpus, or only one of two folders is given.
    """
    names = [corpus.name, *([corpus.tested_on] if corpus.tested_on else [])]
    if given is not None and not isinstance(given, Mapping):
        given = {corpus.name: given}
    found = dict(given or {})
    if unknown := sorted(set(found) - set(names)):
        raise UserError(f"--manual-dir {unknown[0]}=...: the run reads {' and '.join(names)} only")
    if found and (missing := [name for name in names if name not in found]):
        raise UserError(
            f"--manual-dir has no folder for {missing[0]}: give those of both corpora, as in"
            f" --manual-dir {' '.join(f'{name}=FOLDER' for name in names)}"
        )
    return found.get(corpus.name), found.get(corpus.tested_on)


def parse_folders(given: Sequence[str]) -> Folders:
    """Parses `["FOLDER"]` or `["CORPUS=FOLDER", ...]`.

    Raises:
      UserError: there are several folders without names, or a name is repeated.
    """
    pairs = [text.partition("=") for text in given]
    if all(equals and name in corpora.CORPORA for name, equals, _ in pairs) and given:
        found = {name: folder for name, _, folder in pairs}
        if len(found) < len(given):
            raise UserError(f"--manual-dir {' '.join(given)}: a corpus is given twice")
        return found
    if len(given) > 1:
        raise UserError(
            f"--manual-dir {' '.join(given)}: name the corpus of each folder, as in CORPUS=FOLDER"
        )
    return given[0] if given else None


def tested(corpus: Corpus, folder: Path) -> Corpus | None:
    """Data settings of the corpus to test on, prepared as that to train on; None if there is none.

    Args:
      corpus: data settings of the experiment.
      folder: prepared corpus to train on.
    """
    if not corpus.tested_on:
        return None
    options = crossing.shared_options(
        corpus.tested_on, read_json(folder / "corpus.json")["options"]
    )
    kept = {name: value for name, value in options.items() if value is not None}
    return Corpus(
        name=corpus.tested_on,
        options=kept,
        synthetic=corpus.tested_synthetic,
        test=corpora.builder_class(corpus.tested_on).TEST,
    )


def inputs(of: Experiment) -> tuple[str, ...]:
    """Inputs that the model of an experiment reads; empty if all."""
    if of.is_baseline:
        return tuple(getattr(of.model, "modalities", None) or ())
    return tuple(name for names in models.modalities_of(of.model).values() for name in names)


def _stand_in(corpus: str) -> dict[str, Any]:
    """Options of the stand-in that the registered experiments on a corpus use."""
    from jaxdep.experiments import EXPERIMENTS

    known: Mapping[str, Experiment] = EXPERIMENTS
    of = (each.corpus.synthetic for each in known.values() if each.corpus.name == corpus)
    return dict(next(of, {}))
