"""Corpora by name: raw files are checked, then stored once; stand-ins are made on demand."""

from __future__ import annotations

import ast
import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import inspect
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.errors import Fault, Faults, UserError, describe

CORPORA: dict[str, str] = {
    "avec2013": "AVEC2013: 150 recordings of about 25 minutes, BDI-II score (Valstar et al., 2013)",
    "avec2014": "AVEC2014: 300 recordings of about 2 minutes, BDI-II score (Valstar et al., 2014)",
    "daicwoz": "DAIC-WOZ: 189 interviews by an avatar, PHQ-8 from 10 on (Gratch et al., LREC 2014)",
    "dvlog": "D-Vlog: voice and face of 961 vlogs, depression (Yoon et al., AAAI 2022)",
    "ewre": "EWRE: face and voice at each word of a reading of emotion words, depression"
    " (Ye et al., TCSVT 2025)",
    "mgid": "MGID: texts and images of 5000 stock photographs, depression and emotion"
    " (Zhang et al., BIBM 2021)",
    "mmd2023": "MMD2023: 100 clinical interviews in Chinese, HAMD from 8 on (Zhang et al., 2025)",
}
"""Every corpus; its folder below `datasets/` has the same name."""

_LAYOUT = 2
"""Of prepared folders: those that an earlier version stored are left, and prepared anew."""

Log = Callable[[str], None]


def builder_class(name: str) -> type[ManualBuilder]:
    """The TFDS builder of a corpus.

    Raises:
      UserError: there is no corpus of that name.
    """
    return _module(name, f"{name}_dataset_builder").Builder


def prepare(
    name: str,
    manual_dir: str | Path,
    *,
    data_dir: str | Path | None = None,
    skip_bad: bool = False,
    options: Mapping[str, Any] | None = None,
    inherit: bool = False,
    log: Log = print,
) -> Path:
    """Checks raw files and stores them as ArrayRecord, once for each state of the files.

    Args:
      name: a corpus.
      manual_dir: the raw files, as their distributor ships them.
      data_dir: where prepared corpora are kept; None: `$JAXDEP_DATA_DIR`, or the user's cache.
      skip_bad: leave out faulty recordings; which, is recorded in `corpus.json`.
      options: of the corpus's builder; none: those with which these files were prepared last.
      inherit: take options that are not named from there, too.
      log: is told of warnings and of what was stored.

    Returns:
      The folder of the prepared corpus, with `corpus.json` and `card.md` beside TFDS's files.

    Raises:
      UserError: lists all faults at once; nothing was written.
    """
    builder = builder_class(name)
    folder = _existing(name, Path(manual_dir), builder)
    truth = _truth(folder)
    files = _fingerprint(folder, {}, str(builder.VERSION))
    given = dict(options or {})
    if inherit or not given:
        given = {**_given_before(name, files, data_folder(data_dir), given, log), **given}
    options = builder.resolve(folder, _options(name, builder, given))
    decides = {**options, "skip_bad": skip_bad, "layout": _LAYOUT}
    fingerprint = _fingerprint(folder, decides, str(builder.VERSION))
    target = data_folder(data_dir) / f"{name}-{fingerprint[:16]}"
    if (target / "corpus.json").is_file():
        for warning in json.loads((target / "corpus.json").read_text())["warnings"]:
            log(f"warning: {warning}")
        return target

    log(f"reading {folder}")
    scan = builder.scan(folder, options)
    skipped = _leave_out_bad(name, scan, skip_bad)
    if not scan.items:
        raise UserError(f"{folder}: no recording of {name} is left to prepare")
    known = len(scan.warnings)
    for warning in scan.warnings:
        log(f"warning: {warning}")
    about = {
        "name": name,
        "synthetic": truth,
        "options": options,
        "warnings": scan.warnings,
        "skipped": [vars(fault) for fault in skipped],
        "label_source": "planted by the stand-in's generator" if truth else builder.LABEL_SOURCE,
        "files": files,
        "given": dict(given),
        "fingerprint": fingerprint,
        "card": scan.card,
        "sessions": {item.id: item.session for item in scan.items if item.session},
    }
    _store(builder, scan, options, about, target)
    for warning in scan.warnings[known:]:  # found only while features were computed
        log(f"warning: {warning}")
    log(f"stored {len(scan.items)} recordings of {name}" + (" (SYNTHETIC)" if truth else ""))
    return target


def options_of(prepared: Path) -> dict[str, Any]:
    """The options with which a corpus was prepared, those that nobody named included."""
    about = json.loads((prepared / "corpus.json").read_text())
    known = builder_class(about["name"]).OPTIONS
    return {name: value for name, value in about["options"].items() if name in known}


def parse_options(name: str, given: Mapping[str, str]) -> dict[str, Any]:
    """A corpus's options from the text of a command line.

    Raises:
      UserError: the corpus has no such option, or the value is of another type.
    """
    builder = builder_class(name)
    _options(name, builder, given)  # names what is unknown
    parsed: dict[str, Any] = dict(given)
    for key, text in given.items():
        default = builder.OPTIONS[key]
        if not isinstance(default, bool | int | float):
            continue
        try:
            parsed[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            parsed[key] = text
        if isinstance(default, float) and type(parsed[key]) is int:
            parsed[key] = float(parsed[key])
        if type(parsed[key]) is not type(default):
            expected = "True or False" if isinstance(default, bool) else "a number"
            raise UserError(f"{name}: {key}={text}: expected {expected}")
    return parsed


def synthesize(
    name: str,
    directory: str | Path,
    *,
    items: int | None = None,
    seed: int = 0,
    signal: float = 1.0,
    **options: Any,
) -> dict[str, Any]:
    """Writes a synthetic stand-in: the files that the builder reads, and `synthetic.json`.

    Args:
      name: a corpus.
      directory: must be new or empty.
      items: number of recordings; None: the real corpus's.
      seed: of everything drawn.
      signal: strength of what is planted; 0: labels are independent of everything.
      options: of the corpus's `synthetic.write`.

    Returns:
      The content of `synthetic.json`: parameters and what can be attained at best.
    """
    directory = Path(directory)
    write = _module(name, "synthetic").write
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserError(f"{directory} is not empty: name a new folder")
    if items is not None:
        options["items"] = items
    try:
        return write(directory, seed=seed, signal=signal, **options)
    except ValueError as error:
        raise UserError(f"synthesize {name}: {error}") from None


def stand_in(name: str, *, data_dir: str | Path | None = None, **wanted: Any) -> Path:
    """The synthetic stand-in of a corpus with these parameters, made if it is not there yet.

    One that an earlier version of the generator made is not taken for it.
    """
    told = json.dumps(wanted, sort_keys=True) + _sources(_module(name, "synthetic"))
    key = hashlib.sha256(told.encode()).hexdigest()[:16]
    target = data_folder(data_dir) / "synthetic" / f"{name}-{key}"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as part:
            synthesize(name, Path(part) / name, **wanted)
            _move(Path(part) / name, target)
    return target


def data_folder(data_dir: str | Path | None = None) -> Path:
    """Where prepared corpora are kept."""
    chosen = data_dir or os.environ.get("JAXDEP_DATA_DIR")
    return Path(chosen) if chosen else Path.home() / ".cache" / "jaxdep" / "corpora"


def _module(name: str, part: str) -> ModuleType:
    if name not in CORPORA:
        near = difflib.get_close_matches(name, CORPORA, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(CORPORA)}"
        raise UserError(f"no corpus {name!r}: {hint}")
    # Always under this name: TFDS refuses a builder that was imported under two.
    return importlib.import_module(f"jaxdep.datasets.{name}.{part}")


def _sources(module: ModuleType) -> str:
    """The source of a module and of those of ours that it imports, and that these import."""
    found: dict[str, str] = {}
    left = [module.__name__]
    while left:
        name = left.pop()
        if name in found or not name.startswith("jaxdep."):
            continue
        found[name] = inspect.getsource(importlib.import_module(name))
        left += _imported(found[name])
    return "".join(found[name] for name in sorted(found))


def _imported(source: str) -> list[str]:
    """Names of the modules of ours that a module's source imports, or imports names from."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            names += [node.module, *filter(_is_module, below)]
    return names


def _is_module(name: str) -> bool:
    try:
        return name.startswith("jaxdep.") and importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False  # a name within a module, which is no package


def _existing(name: str, folder: Path, builder: type[ManualBuilder]) -> Path:
    if not folder.is_dir() or not any(folder.iterdir()):
        problem = "is empty" if folder.is_dir() else "is not a folder"
        raise UserError(f"{folder} {problem}. {name} needs\n{builder.LAYOUT}")
    return folder.resolve()


def _truth(folder: Path) -> dict[str, Any] | None:
    path = folder / "synthetic.json"
    try:
        return json.loads(path.read_text()) if path.is_file() else None
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}): make the stand-in again") from None


def _options(name: str, builder: type[ManualBuilder], given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(given) - set(builder.OPTIONS)
    if unknown:
        known = ", ".join(builder.OPTIONS) or "none"
        raise UserError(f"{name} has no option {', '.join(sorted(unknown))}; it has: {known}")
    return {**builder.OPTIONS, **given}


def _fingerprint(folder: Path, options: Mapping[str, Any], version: str) -> str:
    sha = hashlib.sha256(json.dumps([version, options], sort_keys=True, default=str).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        stat = path.stat()
        sha.update(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    sha.update(str(folder).encode())
    return sha.hexdigest()


def _given_before(
    name: str, files: str, data: Path, now: Mapping[str, Any], log: Log
) -> dict[str, Any]:
    """The options with which the same files were prepared last: `run` follows `prepare`.

    Args:
      now: those that are given anew.
    """
    found = []
    for path in data.glob(f"{name}-*/corpus.json"):
        about = json.loads(path.read_text())
        if about.get("files") == files:
            found.append((path.stat().st_mtime_ns, about["given"]))
    given = max(found, key=lambda pair: pair[0])[1] if found else {}
    given = {key: value for key, value in given.items() if key not in now}
    if given:
        log("as prepared before: " + ", ".join(f"{key}={value}" for key, value in given.items()))
    return given


def _leave_out_bad(name: str, scan: Scan, skip_bad: bool) -> list[Fault]:
    """Refuses a scan with faults, or takes the faulty recordings out of it."""
    title = f"{name}: the raw files have faults; nothing was written."
    if not skip_bad:
        advice = "Mend them, or build without the recordings concerned: --skip-bad"
        scan.faults.raise_if_any(title, advice)
    Faults(scan.faults.fatal).raise_if_any(title, "These cannot be skipped: mend them.")
    if scan.faults:
        bad = scan.faults.items
        scan.items = [item for item in scan.items if item.id not in bad]
        scan.warnings.append(f"{len(bad)} recordings were left out (--skip-bad):")
        scan.warnings += describe(scan.faults.found).splitlines()
    return scan.faults.found


def _store(
    builder: type[ManualBuilder],
    scan: Scan,
    options: Mapping[str, Any],
    about: Mapping[str, Any],
    target: Path,
) -> None:
    """Builds beside the target and moves it there whole."""
    import tensorflow_datasets as tfds

    from jaxdep.data import spill

    tfds.disable_progress_bar()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as part:
        built = builder(data_dir=part, options=options, scan=Scan(items=scan.items))
        # TFDS speaks of downloads.
        with contextlib.redirect_stdout(io.StringIO()), spill.without_tensorflow():
            built.download_and_prepare()
        folder = Path(built.data_dir)
        (folder / "card.md").write_text(_card(about))
        if about["synthetic"]:
            (folder / "synthetic.json").write_text(json.dumps(about["synthetic"], indent=1))
        about = {**about, "contents": built.contents}
        (folder / "corpus.json").write_text(json.dumps(about, indent=1, default=str))
        _move(folder, target)


def _move(source: Path, target: Path) -> None:
    """Moves a finished folder; one that another process has put there meanwhile is as good."""
    try:
        os.replace(source, target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(source)


def _card(about: Mapping[str, Any]) -> str:
    title = f"# {about['name']}" + (" (SYNTHETIC)" if about["synthetic"] else "")
    lines = [title, "", about["label_source"], "", *_bullets(about["card"])]
    if about["warnings"]:
        lines += ["", "## Warnings", "", *(f"- {warning}" for warning in about["warnings"])]
    return "\n".join(lines) + "\n"


def _bullets(numbers: Any, depth: int = 0) -> list[str]:
    lines = []
    for key, value in numbers.items():
        if isinstance(value, Mapping):
            lines += [f"{'  ' * depth}- {key}", *_bullets(value, depth + 1)]
        else:
            lines.append(f"{'  ' * depth}- {key}: {value}")
    return lines
