"""Tries every subject with fixed seeds and writes the table of outcomes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzz import table
from fuzz.subjects import SUBJECTS
from fuzz.worker import Outcome, outcomes


def main() -> int:
    """Runs the cases; returns 1 if any failed."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=SUBJECTS, help="name of a subject; may be repeated"
    )
    parser.add_argument("--cases", type=int, help="number of cases of each subject")
    parser.add_argument("--case", type=int, help="run this case only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="Markdown file for the table")
    given = parser.parse_args()
    chosen = [SUBJECTS[name] for name in given.only or SUBJECTS]
    with ThreadPoolExecutor(given.jobs) as pool:
        cases = [
            [given.case] if given.case is not None else range(given.cases or each.cases)
            for each in chosen
        ]
        each = pool.map(
            lambda name, cases: list(_told(name, cases)), [s.name for s in chosen], cases
        )
        found = dict(zip([(s.group, s.name) for s in chosen], each, strict=True))
    text = table.markdown(found)
    print(text)
    if given.out:
        given.out.write_text(text)
    return int(any(outcome.kind == "failed" for of in found.values() for outcome in of))


def _told(name: str, cases: list[int] | range) -> Iterator[Outcome]:
    """Prints each failure as it is found, with the command that repeats it."""
    for outcome in outcomes(name, cases):
        if outcome.kind == "failed" or len(cases) == 1:
            print(f"{outcome.kind}: --only {name!r} --case {outcome.case}", file=sys.stderr)
            print(f"{outcome.damage}\n{outcome.text}\n", file=sys.stderr, flush=True)
        yield outcome


if __name__ == "__main__":
    sys.exit(main())
