"""Reads recordings from video files: extracts their features as those of the run were extracted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from jaxdep.data.builder import Item, ManualBuilder, Scan
from jaxdep.errors import UserError
from jaxdep.inference.description import InputDescription

if TYPE_CHECKING:
    from jaxdep.extract import Settings

SUFFIXES = frozenset(
    {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".ts", ".webm", ".wmv"}
)
"""Suffixes of files that are taken for videos."""

_FROM_FEATURES_ALONE = ("dvlog", "avec2013", "avec2014", "folder")
"""Corpora whose recordings are read from what an extraction writes, without further files."""


def read(
    paths: list[Path],
    description: InputDescription,
    builder: type[ManualBuilder],
    options: Mapping[str, Any],
    log: Callable[[str], None],
) -> Scan:
    """Extracts features as those that the run was trained on, and reads them by their builder.

    Args:
      paths: videos, called after the ids of their recordings.
      description: inputs of the run.
      builder: builder of its corpus.
      options: all options that the corpus was prepared with.
      log: callback for messages.

    Raises:
      UserError: it is not known how the features of the run were made, or they cannot be made in
        this way here; or videos have faults, which are all listed.
    """
    from jaxdep import extract

    settings = _settings(paths[0], description, log)
    with TemporaryDirectory(prefix="jaxdep-") as folder:
        extract.extract(paths, folder, settings, log=log)
        found = builder.recordings(Path(folder).resolve(), options)
        # Loaded at once: the folder is removed.
        loaded = {item.id: item.load() for item in found.items}
    found.items = [Item(name, "", lambda x=features: x) for name, features in loaded.items()]
    return found


def _settings(
    path: Path, description: InputDescription, log: Callable[[str], None]
) -> Settings | None:
    """Settings that the features of a run were made with; None for the defaults.

    Args:
      path: a video, for messages.
      description: inputs of the run.
      log: callback for a warning, if the run does not say how its features were made.

    Raises:
      UserError: as `read`.
    """
    from jaxdep.extract import layouts, repeating

    corpus, recipes = description.corpus, description.extraction
    if corpus in layouts.REFUSED or corpus not in layouts.LAYOUTS:
        reason = layouts.REFUSED.get(corpus, "no extraction writes its files")
        raise UserError(
            f"{path}: features of {corpus} cannot be extracted from videos: {reason}; give the"
            " features of each recording as ID.npz, with one array for each feature"
        )
    if len(recipes) > 1:
        raise UserError(
            f"{path}: the run's features were extracted in {len(recipes)} ways, so that none is"
            " right for a video; extract all recordings by the same command, and train again"
        )
    if recipes and corpus in _FROM_FEATURES_ALONE:
        return repeating.settings_of(recipes[0])
    if corpus != "dvlog":
        raise UserError(
            f"{path}: features of {corpus} can be extracted in several ways; use that of the"
            f" run's corpus, by jaxdep extract --like {corpus} --out DIR, and give DIR"
        )
    log(
        "warning: the run's features were not made by jaxdep extract, or do not say how: videos are"
        " extracted with its default settings, which may not fit"
    )
    return None
