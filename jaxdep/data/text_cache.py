"""Token embeddings on disk: found again by encoder and text, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Callable, Container
from pathlib import Path

import numpy as np

CHUNK = 256
"""Texts in one cache file: what is computed anew after a kill, or after one file was damaged."""


def cache_folder() -> Path:
    """The folder of cached embeddings: `$JAXDEP_CACHE_DIR/text`, or `~/.cache/jaxdep/text`."""
    return Path(os.environ.get("JAXDEP_CACHE_DIR") or Path.home() / ".cache" / "jaxdep") / "text"


class TextCache:
    """Files of embedded texts, in a folder for each encoder.

    Attributes:
      folder: holds `*.npz` with `keys` [n], `lengths` [n] in tokens and `states` [sum, d].
      width: length d of a token's vector.
      log: told which files were damaged.
    """

    def __init__(
        self, folder: Path, name: str, identity: str, width: int, log: Callable[[str], None]
    ):
        self.folder = folder / f"{Path(name).name}-{identity[:16]}"
        self.width, self.log = width, log

    def read(self, wanted: Container[str]) -> dict[str, np.ndarray]:
        """Gathers `[T, d]` arrays of the wanted keys, removing files that are damaged."""
        found: dict[str, np.ndarray] = {}
        for file in sorted(self.folder.glob("*.npz")):
            try:
                found |= self._read_file(file, wanted)
            except Exception as error:  # Damaged bytes surface as almost any error of zip and npy.
                self.log(f"Damaged cache file {file} ({error}); its texts are computed again.")
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
            raise ValueError(f"{len(keys)} texts, states {states.shape}, tokens {ends[-1]}")
        parts = np.split(states, ends[:-1])
        return {key: part for key, part in zip(keys, parts, strict=True) if key in wanted}

    def write(self, chunk: dict[str, np.ndarray]) -> None:
        """Writes one file under a passing name, then renames it: a killed run leaves no half."""
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
