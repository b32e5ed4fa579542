"""Extracts the features of one recording, as the files of a corpus hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.errors import Faults
from jaxdep.extract import layouts, models, streams
from jaxdep.extract.settings import Settings


def extract_file(path: str | Path, settings: Settings | None = None) -> dict[str, np.ndarray]:
    """Extracts the features of one recording.

    `jaxdep extract` writes exactly these arrays, so that a model can be applied to a recording as
    to those of its corpus.

    Args:
      path: media file in any format that FFmpeg reads.
      settings: settings of the extraction; None for those of D-Vlog.

    Returns:
      The arrays of the layout `settings.like`, by name. For `dvlog`:

      - `acoustic`: [T, 25] float32, means of the eGeMAPS descriptors in openSMILE's units.
      - `visual`: [T, 136] float32, x of the 68 landmarks in pixels, then y; zeros without a face.
      - `visual_mask`: [T] bool, where there is a face.

    Raises:
      UserError: the file has faults, which are all listed; a package of the extra or a model is
        missing; or settings contradict one another.
    """
    settings, faults = layouts.resolve(settings or Settings()), Faults()
    models.identities(settings)
    arrays, _ = arrays_and_facts(Path(path), settings, faults)
    faults.raise_if_any("features cannot be extracted:", "Give a recording without these faults.")
    return arrays


def arrays_and_facts(
    path: Path, settings: Settings, faults: Faults
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a recording's files, and what was found in the recording.

    Args:
      path: media file.
      settings: settings of the extraction, as `layouts.resolve` returns them.
      faults: receives all faults of the file; if there are any, there are no arrays.
    """
    found = streams.compute(path, settings.streams, settings, faults)
    if faults:
        return {}, found.facts
    return layouts.LAYOUTS[settings.like].arrays(found.arrays, settings), found.facts
