"""Tells several runs apart: everything by which they differ, and titles that are never the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxdep.analysis import formatting
from jaxdep.analysis.results import load, run_dir_of
from jaxdep.plain import visible
from jaxdep.settings.paths import assignments, flat

_WORDS = ("title", "paper", "identity", "corpus.synthetic")
"""Beginnings of settings that only describe a run, or that other facts repeat."""


@dataclass(frozen=True)
class Run:
    """A run in a comparison.

    Attributes:
      folder: run directory.
      results: content of `results.json`.
      facts: everything by which runs may differ, by name: settings, seeds, data and evaluation.
    """

    folder: Path
    results: Mapping[str, Any]
    facts: Mapping[str, Any]


def read(folder: Path, results: Mapping[str, Any]) -> Run:
    """Reads what distinguishes a run from others.

    Args:
      folder: run directory, or that of a sweep, which stands for its best run.
      results: content of `results.json`.

    Raises:
      UserError: the folder is not the directory of a finished run.
    """
    run_dir = run_dir_of(folder)
    config, corpus = load(run_dir, "config.json"), load(run_dir, "meta.json")["corpus"]
    described = flat(config)
    settings = {k: v for k, v in described.items() if not k.startswith(_WORDS)}
    truth = {k: v for k, v in (corpus["synthetic_truth"] or {}).items() if k != "tasks"}
    facts = {
        **settings,
        "seeds": formatting.seeds(config["seeds"]).replace(" ", ""),
        "data": "SYNTHETIC" if results["synthetic"] else "real",
        **flat(truth, "stand-in"),
        **{
            f"{role} recordings": f"{split['items']} of {split['name']}, {split['hash'][:12]}"
            for role, split in results["splits"].items()
        },
        "averaged over": results["merge"],
        "chosen among": results["chosen_among"],
        "contents": described.get("identity.contents"),
    }
    return Run(run_dir, results, facts)


def differing(runs: Sequence[Run]) -> list[str]:
    """Names of the facts that are not the same in all runs."""
    names = dict.fromkeys(name for run in runs for name in run.facts)
    values = lambda name: [run.facts.get(name) for run in runs]
    return [name for name in names if any(value != values(name)[0] for value in values(name))]


def distinct(runs: Sequence[Run]) -> list[str]:
    """Titles of the runs; where they would be the same, with what distinguishes the runs.

    That is as few facts as possible, then the name of the folder, and at last a number.
    """
    titles = [formatting.title(run.results) for run in runs]
    for group in _same(titles):
        for index, text in zip(group, _distinguished([runs[i] for i in group]), strict=True):
            titles[index] += f"; {text}" if text else ""
    for group in _same(titles):
        for index in group:
            titles[index] += f" ({runs[index].folder.resolve().name})"
    while groups := _same(titles):
        for group in groups:
            for number, index in enumerate(group, 1):
                titles[index] += f" #{number}"
    return titles


def _distinguished(runs: Sequence[Run]) -> list[str]:
    """The facts that tell runs apart, as text; each of them separates further runs."""
    known = {name for run in runs for name in run.facts}
    chosen: list[str] = []
    texts = [""] * len(runs)
    for name in differing(runs):
        further = [
            ", ".join(assignments({each: run.facts.get(each) for each in [*chosen, name]}, known))
            for run in runs
        ]
        if len(set(further)) > len(set(texts)):
            chosen, texts = [*chosen, name], further
    return texts


def _same(titles: Sequence[str]) -> list[list[int]]:
    """Groups of titles that look the same on a page."""
    groups: dict[str, list[int]] = {}
    for index, title in enumerate(titles):
        groups.setdefault(" ".join(visible(title).split()), []).append(index)
    return [group for group in groups.values() if len(group) > 1]
