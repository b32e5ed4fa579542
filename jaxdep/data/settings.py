"""Data settings of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jaxdep.errors import UserError
from jaxdep.settings.checking import check
from jaxdep.settings.kinds import Count, Folds, Half, OptionalSplit, Seed, SplitName


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
      folds: number of folds of a cross-validation, at least 2; 0 for the corpus's own splits. The
        recordings of `train`, `validation` and all of `test` that exist are pooled and cut by
        `jaxdep.data.folds.cut`; one fold is tested, and the validation split is carved from the
        others, so that `carve` is a fraction of those.
      fold: fold that is tested, from 0.
      fold_seed: seed of the cut into folds; another seed gives another cut.
      tested_on: another corpus, whose test split is used for the final results instead.
      tested_synthetic: options of the synthetic stand-in of that corpus.
      leave_out_shared: leave people who are in that test split out of training and validation.
    """

    name: str
    lengths: Mapping[str, Count] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    synthetic: Mapping[str, Any] = field(default_factory=dict)
    train: SplitName = "train"
    validation: OptionalSplit = ""
    carve: Half = 0.1
    test: tuple[SplitName, ...] = ("test",)
    folds: Folds = 0
    fold: Folds = 0
    fold_seed: Seed = 0
    tested_on: OptionalSplit = ""
    tested_synthetic: Mapping[str, Any] = field(default_factory=dict)
    leave_out_shared: bool = False

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
          UserError: a setting may not have its value, or a split has two roles.
        """
        check(self)
        if self.tested_on == self.name:
            raise UserError(f"corpus.tested_on={self.name}: the corpus is that of training")
        if not self.test:
            raise UserError("Corpus.test is empty: name the split for the final results")
        self.refuse_second_role(self.train if self.train in self.test else self.test[0])
        self._check_folds()

    def _check_folds(self) -> None:
        if self.folds and self.tested_on:
            raise UserError(
                f"corpus.folds={self.folds}, corpus.tested_on={self.tested_on}: a cross-validation"
                " tests on the corpus itself; set one of the two"
            )
        if self.folds == 1:
            raise UserError("corpus.folds=1: nothing would remain to train on; set at least 2")
        if not self.folds and (self.fold or self.fold_seed):
            raise UserError(
                f"corpus.fold={self.fold}, corpus.fold_seed={self.fold_seed}: there are no folds;"
                " set corpus.folds too"
            )
        if self.folds and self.fold >= self.folds:
            raise UserError(
                f"corpus.fold={self.fold}: the folds are numbered from 0 to {self.folds - 1}"
            )

    @property
    def sources(self) -> tuple[str, ...]:
        """Splits that are pooled for a cross-validation; of `test`, those that exist."""
        return tuple(dict.fromkeys(filter(None, (self.train, self.validation, *self.test))))

    def refuse_second_role(self, test: str) -> None:
        """Checks that no split has two roles.

        Args:
          test: the split among `test` that is used; which of them exist is known with the corpus.

        Raises:
          UserError: a split has two roles.
        """
        if self.validation in (self.train, test) or self.train == test:
            raise UserError(
                f"corpus.train={self.train}, corpus.validation={self.validation}, corpus.test="
                f"{test}: a split may have one role only; with validation empty, a part of the"
                " training split is carved off"
            )
