"""Requests for several runs: stored in their folder, so that the same request continues them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxdep.artifacts import lock
from jaxdep.artifacts.files import check_writable, read_json, write_json
from jaxdep.errors import UserError


def begin(folder: Path, name: str, request: Mapping[str, Any], kind: str) -> None:
    """Locks the folder of a request, and checks that it is new or has the same request.

    Args:
      folder: output folder.
      name: name of the file with the request.
      request: everything that must be the same to continue.
      kind: what the folder holds, for messages.

    Raises:
      UserError: the folder is in use, holds something else, or cannot be written.
    """
    check_writable(folder)
    path = folder / name
    if path.is_file():
        try:
            before = read_json(path)
        except (OSError, ValueError) as error:
            raise UserError(f"{path} cannot be read ({error}); set another --out") from None
        differing = [key for key in request if before.get(key) != request[key]]
        if differing:
            lines = [f"  {key}: {before.get(key)}, requested {request[key]}" for key in differing]
            raise UserError(
                f"{folder} holds another {kind}:\n" + "\n".join(lines) + "\nset another --out"
            )
    elif folder.exists() and {path.name for path in folder.iterdir()} - {lock.NAME}:
        raise UserError(f"{folder} is not empty; set another --out")
    folder.mkdir(parents=True, exist_ok=True)
    lock.acquire(folder)
    write_json(path, request)
