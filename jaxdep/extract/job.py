"""Extracts the features of many recordings in several processes, and can be repeated to go on."""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.artifacts.files import check_writable, replaced, write_json, write_text
from jaxdep.data.formats import names
from jaxdep.errors import Fault, Faults, UserError, describe
from jaxdep.extract import face, layouts, models, provenance, streams
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
      workers: number of processes, 1 for none but this one; 0 for one per core, or for 1 if models
        of Hugging Face are used.
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
    settings, faults, outcome = layouts.resolve(settings), Faults(), Outcome(Path(out))
    files = _files(media, layouts.LAYOUTS[settings.like], faults)
    task = Task(settings, provenance.recipe(settings), outcome.out)
    if streams.needs_face(settings.streams, settings) and settings.predictor is None:
        log(face.TERMS)
    check_writable(outcome.out)
    # Models of Hugging Face use all cores, or the one GPU, by themselves.
    alone = {"speech", "images", "words"} & set(settings.streams)
    workers = min(workers or (1 if alone else os.cpu_count() or 1), len(files) or 1)
    for done, (name, found, kept) in enumerate(_results(files, task, workers), 1):
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


def _files(media: Sequence[str | Path], layout: layouts.Layout, faults: Faults) -> dict[str, Path]:
    """The media file of each id."""
    paths = []
    for given in map(Path, media):
        inside = given.iterdir() if given.is_dir() else [given]
        paths += sorted(path for path in inside if not path.name.startswith("."))
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            continue
        match = layout.ids.fullmatch(path.stem)
        name = match["id"] if match else path.stem
        if match is None:
            faults.add("bad id", path, f"expected {layout.names}", str(path))
        elif problem := names.fault_of(name):
            faults.add("bad id", path, problem, str(path))
        elif name in found:
            faults.add("duplicate id", path, f"{name} is also the id of {found[name]}", str(path))
        else:
            found[name] = path
    if not found and not faults:
        raise UserError("no media files: name some, or folders that hold them")
    return found


def _results(
    files: Mapping[str, Path], task: Task, workers: int
) -> Iterator[tuple[str, list[Fault], bool]]:
    """Yields the id of each finished recording, its faults, and whether it was kept."""
    if workers == 1:
        for name, path in files.items():
            yield name, *task(name, path)
        return
    context = multiprocessing.get_context("spawn")  # forked copies of threads may never wake
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = {pool.submit(task, name, path): name for name, path in files.items()}
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


@dataclass(frozen=True)
class Task:
    """Extracts single recordings, in this process or in others.

    Attributes:
      settings: settings of the extraction, as `layouts.resolve` returns them.
      recipe: what determines the features.
      out: folder of the corpus.
    """

    settings: Settings
    recipe: Mapping[str, Any]
    out: Path

    def __call__(self, name: str, path: Path) -> tuple[list[Fault], bool]:
        """Extracts one recording, unless that was done before.

        Returns:
          Its faults, and whether it was left as it is.
        """
        faults = Faults()
        note = self.out / (layouts.path_of(self.settings, name) + ".json")
        try:
            digest = models.sha256(path)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            kind = "missing file" if missing else "unreadable file"
            faults.add(kind, path, "" if missing else error.strerror or "", str(path))
            return faults.found, False
        if provenance.is_of(note, digest, self.recipe):
            return [], True
        arrays, facts = arrays_and_facts(path, self.settings, faults)
        if faults:
            return faults.found, False
        note.parent.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)  # until all files are those of the new one
        for array, values in arrays.items():
            _write(self.out / layouts.path_of(self.settings, name, array), values)
        write_json(note, provenance.describe(path, digest, self.recipe, facts, arrays))
        return [], False


def _write(path: Path, values: np.ndarray) -> None:
    """Writes an array as `.npy`, or records as `.csv`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if values.dtype.names is None:
        with replaced(path.with_name(path.name + ".npy")) as file, file.open("wb") as opened:
            np.save(opened, values, allow_pickle=False)
        return
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([values.dtype.names, *values.tolist()])
    write_text(path.with_name(path.name + ".csv"), text.getvalue())
