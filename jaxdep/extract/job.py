"""Extracts the features of many recordings in several processes, and can be repeated to go on."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jaxdep.artifacts.files import check_writable, replaced, write_json
from jaxdep.data.formats import names
from jaxdep.errors import Fault, Faults, UserError, describe
from jaxdep.extract import face, layouts, provenance
from jaxdep.extract.recording import arrays_and_facts
from jaxdep.extract.settings import Settings

Log = Callable[[str], object]
Report = Callable[[int, int, str], None]
"""Callback for progress: recordings done, recordings in total, id of the last one."""

_ADVICE = (
    "The other recordings were extracted. Replace these, or leave them out with --skip-bad; the"
    " same command then goes on."
)


@dataclass
class Outcome:
    """What an extraction did.

    Attributes:
      out: folder of the corpus.
      extracted: ids of the recordings whose features were computed.
      kept: ids of those that had been finished before, with the same settings.
      faults: faults of the others.
    """

    out: Path
    extracted: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def extract(
    media: Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    workers: int = 0,
    skip_bad: bool = False,
    log: Log = print,
    report: Report = lambda done, total, name: None,
) -> Outcome:
    """Writes the features of recordings as the files of a corpus.

    A recording's files are written when all of them are known, each of them atomically, and its
    provenance last; one with a fault leaves nothing. Recordings whose provenance has the same media
    and settings are left as they are, so that an interrupted extraction can be repeated.

    Args:
      media: files, or folders whose files are meant; the id of a recording is the file's name
        without its suffix.
      out: folder of the corpus, which is created.
      settings: settings of the extraction; None for those of D-Vlog.
      workers: number of processes; 0 for one per core, 1 for none but this one.
      skip_bad: whether recordings may have faults.
      log: callback for messages.
      report: callback for progress.

    Raises:
      UserError: recordings have faults, which are all listed once the others are finished; or the
        arguments cannot be used.
    """
    settings = settings or Settings()
    if workers < 0:
        raise UserError(f"--workers {workers}: must be at least 1, or 0 for one per core")
    layout, faults, outcome = layouts.find(settings.like), Faults(), Outcome(Path(out))
    files = _files(media, faults)
    _ready(settings, layout, log)
    check_writable(outcome.out)
    workers = min(workers or os.cpu_count() or 1, len(files) or 1)
    for done, (name, found, kept) in enumerate(_results(files, settings, outcome.out, workers), 1):
        faults.found += found
        if not found:
            (outcome.kept if kept else outcome.extracted).append(name)
        report(done, len(files), name)
    outcome.faults = sorted(faults.found, key=lambda fault: (fault.kind, fault.where))
    if not skip_bad:
        Faults(outcome.faults).raise_if_any("recordings have faults:", _ADVICE)
    elif outcome.faults:
        log(f"{len(faults.items)} recordings were left out (--skip-bad):")
        log(describe(outcome.faults))
    return outcome


def _ready(settings: Settings, layout: layouts.Layout, log: Log) -> None:
    """Fails early if a package or a model is missing, and says what the user should know."""
    provenance.recipe(settings)
    if "landmarks" in layout.streams and settings.predictor is None:
        log(face.TERMS)


def _files(media: Sequence[str | Path], faults: Faults) -> dict[str, Path]:
    """The media file of each id."""
    paths = []
    for given in map(Path, media):
        inside = given.iterdir() if given.is_dir() else [given]
        paths += sorted(path for path in inside if not path.name.startswith("."))
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            continue
        name = path.stem
        if problem := names.fault_of(name):
            faults.add("bad id", path, problem, str(path))
        elif name in found:
            faults.add("duplicate id", path, f"{name} is also the id of {found[name]}", str(path))
        else:
            found[name] = path
    if not found and not faults:
        raise UserError("no media files: name some, or folders that hold them")
    return found


def _results(
    files: dict[str, Path], settings: Settings, out: Path, workers: int
) -> Iterator[tuple[str, list[Fault], bool]]:
    """Yields the id of each finished recording, its faults, and whether it was kept."""
    if workers == 1:
        for name, path in files.items():
            yield name, *process(name, path, settings, out)
        return
    context = multiprocessing.get_context("spawn")  # forked copies of threads may never wake
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = {
            pool.submit(process, name, path, settings, out): name for name, path in files.items()
        }
        try:
            for future in as_completed(waiting):
                yield waiting[future], *future.result()
        except BrokenProcessPool:
            raise UserError(
                "a process ended unexpectedly, perhaps for lack of memory: give the same command"
                " with fewer --workers; what is finished is kept"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def process(name: str, path: Path, settings: Settings, out: Path) -> tuple[list[Fault], bool]:
    """Extracts one recording, unless that was done before.

    Returns:
      Its faults, and whether it was left as it is.
    """
    layout, faults = layouts.find(settings.like), Faults()
    note = out / layout.path(name, "extraction", ".json")
    try:
        digest = provenance.sha256(path)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        kind = "missing file" if missing else "unreadable file"
        faults.add(kind, path, "" if missing else error.strerror or "", str(path))
        return faults.found, False
    if provenance.is_of(note, digest, settings):
        return [], True
    arrays, facts = arrays_and_facts(path, settings, faults)
    if faults:
        return faults.found, False
    note.parent.mkdir(parents=True, exist_ok=True)
    note.unlink(missing_ok=True)  # until all files are those of the new one
    for array, values in arrays.items():
        with replaced(out / layout.path(name, array)) as temporary, temporary.open("wb") as file:
            np.save(file, values, allow_pickle=False)
    write_json(note, provenance.describe(path, digest, settings, facts, arrays))
    return [], False
