"""Storage of corpora: the folder that they are kept in, and how finished ones get there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import platformdirs


def data_folder(data_dir: str | Path | None = None) -> Path:
    """Folder for prepared corpora: `data_dir`, `$JAXDEP_DATA_DIR`, or the user's cache."""
    chosen = data_dir or os.environ.get("JAXDEP_DATA_DIR")
    return Path(chosen) if chosen else platformdirs.user_cache_path("jaxdep") / "corpora"


def move_into_place(source: Path, target: Path) -> None:
    """Moves a finished folder into place, unless another process has put it there meanwhile."""
    try:
        os.replace(source, target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(source)
