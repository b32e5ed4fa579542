"""Reads recordings from video files: extracts their features, as files of the run's corpus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jaxdep.data.builder import Item, ManualBuilder, Scan
from jaxdep.errors import UserError

SUFFIXES = frozenset(
    {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".ts", ".webm", ".wmv"}
)
"""Suffixes of files that are taken for videos."""


def read(
    paths: list[Path],
    corpus: str,
    builder: type[ManualBuilder],
    options: Mapping[str, Any],
    log: Callable[[str], None],
) -> Scan:
    """Extracts features with the settings of a corpus, and reads them by its builder.

    Args:
      paths: videos, called after the ids of their recordings.
      corpus: name of the run's corpus.
      builder: its builder.
      options: all options that the corpus was prepared with.
      log: callback for messages.

    Raises:
      UserError: the features of this corpus cannot be extracted without further settings; or
        videos have faults, which are all listed.
    """
    from jaxdep import extract
    from jaxdep.extract import layouts

    if corpus in layouts.REFUSED or corpus not in layouts.LAYOUTS:
        reason = layouts.REFUSED.get(corpus, "no extraction writes its files")
        raise UserError(
            f"{paths[0]}: features of {corpus} cannot be extracted from videos: {reason}; give the"
            " features of each recording as ID.npz, with one array for each feature"
        )
    if corpus != "dvlog":
        raise UserError(
            f"{paths[0]}: features of {corpus} can be extracted in several ways; use that of the"
            f" run's corpus, by jaxdep extract --like {corpus} --out DIR, and give DIR"
        )
    with TemporaryDirectory(prefix="jaxdep-") as folder:
        extract.extract(paths, folder, log=log)
        found = builder.recordings(Path(folder).resolve(), options)
        # Loaded at once: the folder is removed.
        loaded = {item.id: item.load() for item in found.items}
    found.items = [Item(name, "", lambda x=features: x) for name, features in loaded.items()]
    return found
