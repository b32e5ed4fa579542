"""Registry of corpora: finds the builder, the generator and the options of each."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from jaxdep.data.builder import ManualBuilder
from jaxdep.errors import UserError, closest
from jaxdep.plugins import Registry
from jaxdep.settings.checking import convert, kinds_of


@dataclass(frozen=True)
class CorpusSpec:
    """Location of a corpus's code.

    Attributes:
      title: one-line description.
      package: import name of the package that contains `<name>_dataset_builder.py`, whose `Builder`
        is the TFDS builder, and `synthetic.py`, which writes raw files of the same layout.
    """

    title: str
    package: str


_BUILT_IN = {
    "avec2013": "AVEC2013: 150 recordings of about 25 minutes, BDI-II score (Valstar et al., 2013)",
    "avec2014": "AVEC2014: 300 recordings of about 2 minutes, BDI-II score (Valstar et al., 2014)",
    "daicwoz": "DAIC-WOZ: 189 interviews by a virtual agent, PHQ-8 >= 10"
    " (Gratch et al., LREC 2014)",
    "dvlog": "D-Vlog: voice and face of 961 vlogs, depression (Yoon et al., AAAI 2022)",
    "edaic": "E-DAIC: 275 interviews by a virtual agent, PHQ-8 >= 10 (Ringeval et al., AVEC 2019)",
    "ewre": "EWRE: face and voice per word while reading emotion words aloud, depression"
    " (Ye et al., TCSVT 2025)",
    "folder": "A corpus of one's own: features of recordings and a table, described by corpus.yaml",
    "lmvd": "LMVD: voice and face of 1823 vlogs, depression (He et al., 2024)",
    "mgid": "MGID: texts and images of 5000 stock photos, depression and emotion"
    " (Zhang et al., BIBM 2021)",
    "mmd2023": "MMD2023: 100 clinical interviews in Chinese, HAMD >= 8 (Zhang et al., 2025)",
}

CORPORA: Mapping[str, CorpusSpec] = Registry(
    "jaxdep.corpora",
    {name: CorpusSpec(title, f"jaxdep.datasets.{name}") for name, title in _BUILT_IN.items()},
    CorpusSpec,
)
"""All corpora by name; other packages add theirs through entry points."""


def builder_class(name: str) -> type[ManualBuilder]:
    """Returns the TFDS builder of a corpus.

    Raises:
      UserError: there is no corpus with this name.
    """
    return _module(name, f"{name}_dataset_builder").Builder


def generator(name: str) -> ModuleType:
    """Returns the module whose `write` writes synthetic raw files of a corpus.

    Raises:
      UserError: there is no corpus with this name.
    """
    return _module(name, "synthetic")


def has_option(name: str, option: str) -> bool:
    """Whether a corpus has an option.

    Raises:
      UserError: there is no corpus with this name.
    """
    return option in vars(builder_class(name).OPTIONS)


def parse_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Converts options of a corpus, possibly command-line text, to their types.

    Raises:
      UserError: the corpus has no such option, or an option may not have its value.
    """
    options = builder_class(name).OPTIONS
    if unknown := set(given) - set(vars(options)):
        known = ", ".join(vars(options)) or "none"
        raise UserError(f"{name} has no option {', '.join(sorted(unknown))}; its options: {known}")
    kinds = kinds_of(type(options))
    return {key: convert(value, kinds[key], f"{name}.{key}") for key, value in given.items()}


def with_defaults(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Converts the given options of a corpus, and completes them with the defaults.

    Raises:
      UserError: as `parse_options`.
    """
    return {**vars(builder_class(name).OPTIONS), **parse_options(name, given)}


def _module(name: str, part: str) -> ModuleType:
    if name not in CORPORA:
        hint = closest(name, CORPORA, f"choose one of {', '.join(CORPORA)}")
        raise UserError(f"unknown corpus {name!r}: {hint}")
    # Always import under this name: TFDS rejects a builder that is imported under two names.
    return importlib.import_module(f"{CORPORA[name].package}.{part}")
