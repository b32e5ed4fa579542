"""Disk cache of token embeddings, keyed by encoder and text and written atomically."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Callable, Container
from pathlib import Path

import numpy as np
import platformdirs

CHUNK = 256
"""Texts per cache file, and so the most that are recomputed after a crash or a damaged file."""


def cache_folder() -> Path:
    """Folder of cached embeddings: `$JAXDEP_CACHE_DIR/text`, or one in the user's cache."""
    return (
        Path(os.environ.get("JAXDEP_CACHE_DIR") or platformdirs.user_cache_path("jaxdep")) / "text"
    )


class TextCache:
    """Cache files of one text encoder.

    Attributes:
      folder: folder of `*.npz` files: `keys` [n], `lengths` [n] in tokens, `states` [sum, d].
      width: dimension d of a token embedding.
      log: callback for warnings about damaged files.
    """

    def __init__(
        self, folder: Path, name: str, identity: str, width: int, log: Callable[[str], None]
    ):
        self.folder = folder / f"{Path(name).name}-{identity[:16]}"
        self.width, self.log = width, log

    def read(self, wanted: Container[str]) -> dict[str, np.ndarray]:
        """Reads the `[T, d]` arrays of the wanted keys, and deletes damaged files."""
        found: dict[str, np.ndarray] = {}
        for file in sorted(self.folder.glob("*.npz")):
            try:
                found |= self._read_file(file, wanted)
            except Exception as error:  # Damaged files raise almost any error of zip or npy.
                self.log(f"Damaged cache file {file} ({error}); its texts will be recomputed.")
                with contextlib.suppress(OSError):
                    file.unlink()
        return found

    def _read_file(self, file: Path, wanted: Container[str]) -> dict[str, np.ndarray]:
        # The zip format keeps a CRC-32 of each array, which reading it verifies.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            keys = arrays["keys"].tolist()
            if not any(key in wanted for key in keys):
                return {}
            ends, states = np.cumsum(arrays["lengths"]), arrays["states"]
        if len(ends) != len(keys) or states.shape != (ends[-1], self.width):
            raise ValueError(f"{len(keys)} texts with {ends[-1]} tokens, but states {states.shape}")
        parts = np.split(states, ends[:-1])
        return {key: part for key, part in zip(keys, parts, strict=True) if key in wanted}

    def write(self, chunk: dict[str, np.ndarray]) -> None:
        """Writes one file under a temporary name, then renames it, so that no file is partial."""
        digest = hashlib.sha256("".join(sorted(chunk)).encode()).hexdigest()[:32]
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{uuid.uuid4().hex}.part"
        try:
            with part.open("wb") as stream:
                np.savez(
                    stream,
                    keys=np.array(list(chunk)),
                    lengths=np.array([len(states) for states in chunk.values()]),
                    states=np.concatenate(list(chunk.values())),
                )
            part.replace(self.folder / f"{digest}.npz")
        finally:
            part.unlink(missing_ok=True)
