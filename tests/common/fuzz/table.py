"""The table of what was tried and what held, for `docs/robustness.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from fuzz import worker
from fuzz.worker import Outcome

_HEAD = f"""\
<!-- Written by `make fuzz`; do not edit. -->
# Robustness

Files, corpora, settings and run folders are damaged at random, with fixed seeds. The only outcomes
may be that the input is accepted, or that it is refused with one message. A case *failed* if it
ended in any other error, took more than {worker.SECONDS:.0f} seconds of processor time or
{worker.MEMORY:.0f} MB of further memory, left files behind after a refusal, changed the raw files,
stored something unsound (numbers that are not finite, ids that are repeated or no names), or was
refused with a message that is empty, overlong or has control characters.

- **formats**: each reader gets a file whose bytes were flipped, cut or repeated; whose cells,
  numbers, header, shape, type or encoding were changed; or in whose place is a folder, a pipe, a
  sparse file of a terabyte, or a link.
- **corpora**: up to three such damages to the smallest synthetic corpus, then `jaxdep prepare`, in
  a third of the cases with `--skip-bad`. What is stored is opened and checked.
- **commands**: up to three damages to the folder of a trained run, then the command; or up to four
  hostile values of settings, after which the model is initialised.
"""


def markdown(found: Mapping[tuple[str, str], Sequence[Outcome]]) -> str:
    """The page, given the outcomes by group and name of the subject."""
    lines = [_HEAD, _line("", "", "tried", "accepted", "refused", "failed", "slowest", "memory")]
    lines.append("|---|---|--:|--:|--:|--:|--:|--:|")
    for group in ("format", "corpus", "command"):
        of_group = {name: each for (kind, name), each in found.items() if kind == group}
        lines += [_row(group, name, each) for name, each in sorted(of_group.items())]
    lines.append(_row("all", "", [outcome for each in found.values() for outcome in each]))
    return "\n".join(lines) + "\n"


def _row(group: str, name: str, each: Sequence[Outcome]) -> str:
    kinds = Counter(outcome.kind for outcome in each)
    counts = [len(each), *(kinds[kind] for kind in ("accepted", "refused", "failed"))]
    seconds = max((outcome.seconds for outcome in each), default=0)
    memory = max((outcome.megabytes for outcome in each), default=0)
    return _line(group, name, *counts, f"{seconds:.1f} s", f"{memory:.0f} MB")


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
