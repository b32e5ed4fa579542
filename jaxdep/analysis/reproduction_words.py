"""Adds to the notes of a reproduction the words to which its runs find that groups attend."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxdep.analysis import formatting
from jaxdep.analysis.group_differences import ALPHA, MEASURES
from jaxdep.analysis.reproduction import RUNS, PaperEntry, TableEntry
from jaxdep.errors import UserError


def noted(
    folder: Path, paper: PaperEntry, all_results: Mapping[str, Mapping[str, Any]]
) -> PaperEntry:
    """The tables, with a sentence in their notes on each row whose run tells of its words.

    Args:
      folder: folder of the reproduction.
      paper: content of `tables.json`.
      all_results: content of `results.json` by run directory.

    Raises:
      UserError: the `words.csv` of a run is damaged.
    """
    tables: list[TableEntry] = []
    for table in paper["tables"]:
        sentences = [table["note"]]
        for row in table["rows"]:
            path = folder / RUNS / row["run"] / "words.csv"
            if row["run"] and path.is_file() and (words := _said(path)):
                said = f"ours, row {row['label']}: {words}."
                said = formatting.marked(said, all_results[row["run"]]["synthetic"])
                sentences.append(said[0].upper() + said[1:])
        tables.append({**table, "note": " ".join(filter(None, sentences))})
    return {**paper, "tables": tables}


def _said(path: Path) -> str:
    """The significant words of each group, from the file of `group_differences.write`.

    Empty if the file has no words, because there are not two groups of at least two people.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            groups = [name.removeprefix("attention_") for name in (reader.fieldnames or ())[3:5]]
            lines = list(reader)
        if len(groups) == 2 and not lines:
            return ""
        measure = next(name for name in MEASURES if any(x["measure"] == name for x in lines))
        found: dict[str, dict[str, None]] = {group: {} for group in groups}
        for line in lines:
            if line["measure"] == measure and float(line["p_corrected"]) < ALPHA:
                found[groups[float(line["difference"]) < 0]][line["word"]] = None
    except (OSError, ValueError, LookupError, TypeError, StopIteration) as error:
        raise UserError(
            f"{path} is damaged ({error!r}); `jaxdep report {path.parent}` writes it anew"
        ) from None
    words = "; ".join(f"{group}: {', '.join(each) or 'none'}" for group, each in found.items())
    return f"attention {MEASURES[measure]} is significantly higher in {words}"
