"""Says what the tables of a reproduction need beside their cells: marks in titles, and notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jaxdep.analysis import formatting
from jaxdep.analysis.reproduction import Line, TableEntry
from jaxdep.plain import listed


def mixed(lines: Sequence[Line]) -> list[str]:
    """Corpora whose results are SYNTHETIC while those of others are real; empty for one kind."""
    found = [line for line in lines if line.mean is not None]
    if all(line.synthetic for line in found):
        return []
    return list(dict.fromkeys(line.corpus for line in found if line.synthetic))


def marked(title: str, lines: Sequence[Line]) -> str:
    """A title, marked as SYNTHETIC if a result is, with its corpora if other results are real."""
    if corpora := mixed(lines):
        return f"SYNTHETIC on {', '.join(corpora)}: {title}"
    return formatting.marked(title, any(line.synthetic for line in lines))


def title(table: TableEntry, lines: Sequence[Line]) -> str:
    """Title of a table."""
    source = f"{table['source']}: " if table["source"] else ""
    return marked(f"{source}{table['title']}", lines)


def notes(table: TableEntry, lines: Sequence[Line]) -> list[str]:
    """Notes below a table: on the comparison, on the data, and on the paper's own figures."""
    found = [table["note"]] if table["note"] else []
    if any(line.synthetic for line in lines):
        corpora = mixed(lines)
        where = f" on {', '.join(corpora)}" if corpora else ""
        found.append(
            f"Ours is SYNTHETIC{where}: computed on a stand-in, it must not be compared with the"
            " paper's figures."
        )
    found += comparability(lines)
    reasons = _rows_by((line.reason, line.row) for line in lines)
    found += [f"Not run: {', '.join(rows)}: {reason}." for reason, rows in reasons.items()]
    return found + _contradictions(lines)


def comparability(lines: Sequence[Line]) -> list[str]:
    """Notes on splits that are not called `test`, and on figures of the paper that are withheld."""
    splits = dict.fromkeys((line.corpus, line.split) for line in lines)
    found = [
        f"On {corpus}, ours is evaluated on its split {split}."
        for corpus, split in splits
        if split not in ("", "test")
    ]
    reasons = _rows_by(
        (listed(line.withheld, 300), f"{line.row} ({line.corpus})")
        for line in lines
        if line.withheld
    )
    return found + [
        f"The paper's figures are not shown in {', '.join(rows)}: {reason}."
        for reason, rows in reasons.items()
    ]


def _contradictions(lines: Sequence[Line]) -> list[str]:
    """Notes on rows in which the paper contradicts itself; of several corpora, each is named."""
    several = len({line.corpus for line in lines}) > 1
    remarks: dict[str, dict[str, None]] = {}
    for line in lines:
        row = f"{line.row} ({line.corpus})" if several else line.row
        remarks.setdefault(row, {}).update(dict.fromkeys(line.contradictions))
    return [
        f"The paper contradicts itself in row {row}: {'; '.join(found)}."
        for row, found in remarks.items()
        if found
    ]


def _rows_by(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names of rows by what is said of them, without those of which nothing is."""
    found: dict[str, dict[str, None]] = {}
    for said, row in pairs:
        if said:
            found.setdefault(said, {})[row] = None
    return {said: list(rows) for said, rows in found.items()}
