"""Finds where a run of a reproduction departs from the paper, so that its figures are withheld."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from jaxdep.analysis import published


def of_run(
    found: Mapping[str, Any],
    overrides: Collection[str],
    all_results: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Reasons not to show the paper's figures beside a run, as `published.withheld` gives them.

    Of a run whose experiment names no row of the paper, such as a baseline, only settings of the
    corpus may differ, and only those that the paper leaves open for its own rows on that corpus.

    Args:
      found: content of `results.json` of the run, on real data.
      overrides: settings that the row itself changes, by dotted path; they are the paper's.
      all_results: content of `results.json` of all runs of the reproduction.
    """
    row = _row(found) or {"open": _open_data(found["corpus"], all_results)}
    changed = found["changed"]
    if changed is not None:
        changed = {path: pair for path, pair in changed.items() if path not in overrides}
    return published.withheld(row, changed)


def _row(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The row of the paper that a run's experiment names."""
    return next(iter(found["tasks"].values()))["paper"]


def _open_data(corpus: str, all_results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Settings of a corpus that the paper leaves open for its own rows on it."""
    rows = [_row(found) for found in all_results.values() if found["corpus"] == corpus]
    entries = [entry for row in rows if row for entry in row.get("open") or ()]
    return [entry for entry in dict.fromkeys(entries) if entry.startswith("corpus.")]
