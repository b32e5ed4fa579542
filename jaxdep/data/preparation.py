"""Prepares corpora: checks the raw files and stores them as ArrayRecord, each only once."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jaxdep.artifacts.files import check_writable, read_json, write_json
from jaxdep.artifacts.schema import Truth, check_document
from jaxdep.data import corpora, extraction, stand_ins, storage
from jaxdep.data.builder import ManualBuilder, Scan
from jaxdep.data.card import card
from jaxdep.data.formats.files import check_file
from jaxdep.data.settings import Corpus
from jaxdep.errors import BadFileError, Fault, Faults, UserError, describe

_LAYOUT_VERSION = 4
"""Layout version of prepared folders; corpora stored with another version are prepared again."""

_LARGEST_TRUTH = 2**20

Log = Callable[[str], None]


def prepare_or_synthesize(
    corpus: Corpus,
    manual_dir: str | Path | None = None,
    *,
    data_dir: str | Path | None = None,
    skip_bad: bool = False,
    signal: float = 1.0,
    log: Log = print,
) -> Path:
    """Prepares the corpus of an experiment, or its synthetic stand-in if there are no raw files.

    Args:
      corpus: data settings of the experiment.
      manual_dir: folder with the raw files; None for the stand-in.
      data_dir: as in `prepare`.
      skip_bad: as in `prepare`.
      signal: strength of the signal planted in the stand-in.
      log: callback for progress messages and warnings.

    Returns:
      The folder of the prepared corpus.

    Raises:
      UserError: the input is invalid; nothing was written.
    """
    if manual_dir is None:
        log(f"No --manual-dir given: using a SYNTHETIC stand-in for {corpus.name}.")
        wanted = {**corpus.synthetic, "signal": signal}
        manual_dir = stand_ins.synthetic_corpus(corpus.name, data_dir=data_dir, **wanted)
    elif signal != 1.0:
        raise UserError(
            "--signal applies to the synthetic stand-in only; omit it or omit --manual-dir"
        )
    return prepare(
        corpus.name,
        manual_dir,
        data_dir=data_dir,
        skip_bad=skip_bad,
        options=dict(corpus.options),
        inherit=True,
        log=log,
    )


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
    """Checks the raw files of a corpus and stores them as ArrayRecord, unless already stored.

    Args:
      name: name of the corpus.
      manual_dir: folder with the raw files, as distributed.
      data_dir: folder for prepared corpora; None for `$JAXDEP_DATA_DIR`, or the user's cache.
      skip_bad: whether to leave out faulty recordings; `corpus.json` lists them.
      options: builder options; if empty, the options that these files were last prepared with.
      inherit: whether `options` are those of an experiment: missing ones are taken from the last
        preparation of these files, and later preparations do not inherit them.
      log: callback for progress messages and warnings.

    Returns:
      The folder of the prepared corpus, with `corpus.json` and `card.md` next to TFDS's files.

    Raises:
      UserError: the raw files have faults, which are all listed; nothing is written.
    """
    builder = corpora.builder_class(name)
    check_writable(storage.data_folder(data_dir))
    located, asked = builder.locate(Path(manual_dir), dict(options or {}))
    folder = _existing(name, located, builder)
    truth = _truth(folder)
    files = _fingerprint(folder, {}, str(builder.VERSION))
    data = storage.data_folder(data_dir)
    previous = _previous_options(name, files, data) if inherit or not asked else {}
    if kept := {key: value for key, value in previous.items() if key not in asked}:
        text = ", ".join(f"{key}={value}" for key, value in kept.items())
        log(f"using options of the last preparation: {text}")
    # What one experiment needs must not become the default of another.
    given = previous if inherit else {**kept, **asked}
    options = builder.resolve(folder, corpora.with_defaults(name, {**kept, **asked}))
    _, implied = builder.locate(Path(manual_dir), {})
    cache_key = {**options, "skip_bad": skip_bad, "layout": _LAYOUT_VERSION}
    fingerprint = _fingerprint(folder, cache_key, str(builder.VERSION))
    target = data / f"{name}-{fingerprint[:16]}"
    if (target / "corpus.json").is_file():
        for warning in read_json(target / "corpus.json")["warnings"]:
            log(f"warning: {warning}")
        return target

    log(f"reading {folder}")
    scan = builder.scan(folder, options)
    skipped = _drop_faulty(name, scan, skip_bad)
    if not any(item.split == builder.TRAIN for item in scan.items):
        missing = "in the training split" if scan.items else f"of {name}"
        listed = f"\n{describe(skipped)}" if skipped else ""
        raise UserError(f"{folder} has no valid recordings {missing}: check the raw files{listed}")
    recipes, unclear = extraction.recipes(folder, {item.id for item in scan.items})
    scan.warnings += unclear
    logged = len(scan.warnings)
    for warning in scan.warnings:
        log(f"warning: {warning}")
    metadata = {
        "name": name,
        "synthetic": truth,
        "options": options,
        "warnings": scan.warnings,
        "skipped": [vars(fault) for fault in skipped],
        "label_source": "planted by the data generator"
        if truth
        else scan.label_source or builder.LABEL_SOURCE,
        "files": files,
        "encoders": builder.encoders(options),
        "given": given,
        "defaults": builder.resolve(folder, corpora.with_defaults(name, implied)),
        "fingerprint": fingerprint,
        "card": scan.card,
        "subjects_known": all(item.subject for item in scan.items),
        "sessions": {item.id: item.session for item in scan.items if item.session},
    }
    if recipes:
        metadata["extraction"] = recipes
    _store(builder, scan, options, metadata, target)
    for warning in scan.warnings[logged:]:  # raised while features were computed
        log(f"warning: {warning}")
    log(f"stored {len(scan.items)} recordings of {name}" + (" (SYNTHETIC)" if truth else ""))
    return target


def _existing(name: str, folder: Path, builder: type[ManualBuilder]) -> Path:
    if not folder.is_dir() or not any(folder.iterdir()):
        problem = "is empty" if folder.is_dir() else "is not a folder"
        raise UserError(f"{folder} {problem}. {name} expects these files:\n{builder.LAYOUT}")
    return folder.resolve()


def _truth(folder: Path) -> dict[str, Any] | None:
    path = folder / "synthetic.json"
    if not path.is_file():
        return None
    try:
        check_file(path, folder, _LARGEST_TRUTH)
        truth = read_json(path)
        check_document(truth, Truth)
    except (BadFileError, ValueError) as error:
        raise UserError(
            f"{path} does not describe a synthetic corpus ({error}): generate the corpus again"
        ) from None
    return truth


def _fingerprint(folder: Path, options: Mapping[str, Any], version: str) -> str:
    sha = hashlib.sha256(json.dumps([version, options], sort_keys=True, default=str).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        stat = path.stat()
        sha.update(os.fsencode(path.relative_to(folder)))  # names may not be UTF-8
        sha.update(f"\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    sha.update(str(folder).encode())
    return sha.hexdigest()


def _previous_options(name: str, files: str, data: Path) -> dict[str, Any]:
    """Options that the same files were last prepared with, so that `run` follows `prepare`.

    Args:
      name: name of the corpus.
      files: fingerprint of the raw files.
      data: folder of prepared corpora.
    """
    found = []
    for path in data.glob(f"{name}-*/corpus.json"):
        metadata = read_json(path)
        if metadata.get("files") == files:
            found.append((path.stat().st_mtime_ns, metadata["given"]))
    return max(found, key=lambda pair: pair[0])[1] if found else {}


def _drop_faulty(name: str, scan: Scan, skip_bad: bool) -> list[Fault]:
    """Removes faulty recordings from a scan, or raises an error without `skip_bad`."""
    title = f"{name}: the raw files have faults; nothing was written."
    if not skip_bad:
        advice = "Fix them, or leave out the affected recordings with --skip-bad."
        scan.faults.raise_if_any(title, advice)
    Faults(scan.faults.fatal).raise_if_any(title, "These cannot be skipped: fix the files.")
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
    metadata: Mapping[str, Any],
    target: Path,
) -> None:
    """Builds the corpus in a temporary folder next to the target, then moves it there."""
    import tensorflow_datasets as tfds

    from jaxdep.data import tfds_compat

    tfds.disable_progress_bar()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as part:
        kept = Scan(items=scan.items, features=scan.features)
        built = builder(data_dir=part, options=options, scan=kept)
        # TFDS prints messages about downloads.
        with contextlib.redirect_stdout(io.StringIO()), tfds_compat.without_tensorflow():
            built.download_and_prepare()
        if all(len(values) < 2 for values in built.training_targets.values()):
            raise UserError(
                "all recordings of the training split have the same labels, so that nothing can be"
                " learned from them: check the label files"
            )
        folder = Path(built.data_dir)
        (folder / "card.md").write_text(card(metadata), encoding="utf-8")
        for name, text in scan.texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        if metadata["synthetic"]:
            write_json(folder / "synthetic.json", metadata["synthetic"])
        metadata = {**metadata, "contents": built.contents}
        (folder / "corpus.json").write_text(json.dumps(metadata, indent=1, default=str))
        storage.move_into_place(folder, target)
