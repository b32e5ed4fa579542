"""Synthetic stand-ins for corpora, each generated only once."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import json
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from jaxdep.artifacts.files import check_writable
from jaxdep.data import corpora, storage
from jaxdep.errors import UserError


def synthesize(
    name: str,
    directory: str | Path,
    *,
    items: int | None = None,
    seed: int = 0,
    signal: float = 1.0,
    **options: Any,
) -> dict[str, Any]:
    """Writes a synthetic corpus: the files that the builder reads, and `synthetic.json`.

    Args:
      name: name of the corpus to imitate.
      directory: output folder; must be new or empty.
      items: number of recordings; None for the size of the real corpus.
      seed: seed of the random draws.
      signal: strength of the planted effects; at 0 the labels are independent of the data.
      **options: further arguments of the corpus's `synthetic.write`.

    Returns:
      The content of `synthetic.json`: parameters and best attainable scores.

    Raises:
      UserError: the folder is not empty, or an argument is out of range.
    """
    directory = Path(directory)
    write = corpora.generator(name).write
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserError(f"{directory} is not empty: choose a new folder")
    known = [*inspect.signature(write).parameters][1:]
    if unknown := sorted(set(options) - set(known)):
        raise UserError(
            f"corpus.synthetic.{unknown[0]}: the stand-in for {name} has no such option; choose"
            f" from {', '.join(known)}"
        )
    if items is not None:
        options["items"] = items
    try:
        return write(directory, seed=seed, signal=signal, **options)
    except ValueError as error:
        raise UserError(f"synthesize {name}: {error}") from None


def synthetic_corpus(name: str, *, data_dir: str | Path | None = None, **wanted: Any) -> Path:
    """Returns the folder of a synthetic corpus with these parameters, writing it if necessary.

    A corpus that another version of the generator wrote is not reused.
    """
    identity = json.dumps(wanted, sort_keys=True) + _sources(corpora.generator(name))
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    target = storage.data_folder(data_dir) / "synthetic" / f"{name}-{key}"
    if not target.is_dir():
        check_writable(target.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as part:
            synthesize(name, Path(part) / name, **wanted)
            storage.move_into_place(Path(part) / name, target)
    return target


def _sources(module: ModuleType) -> str:
    """Source code of a module and of what it imports, also indirectly.

    Only modules of `jaxdep` and of the module's own package are followed.
    """
    followed = ("jaxdep.", module.__name__.partition(".")[0] + ".")
    found: dict[str, str] = {}
    pending = [module.__name__]
    while pending:
        name = pending.pop()
        if name in found or not name.startswith(followed) or not _is_module(name):
            continue
        imported = importlib.import_module(name)
        found[name] = inspect.getsource(imported)
        pending += _imported(found[name], imported.__package__ or "")
    return "".join(found[name] for name in sorted(found))


def _imported(source: str, package: str) -> list[str]:
    """Dotted names of everything that some source code of a package imports."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(relative, package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False  # an attribute of a module that is not a package
