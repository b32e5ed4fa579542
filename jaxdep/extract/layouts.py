"""Layouts of corpora: which streams their files hold, and where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jaxdep.errors import BadFileError, UserError, closest
from jaxdep.extract.settings import Settings

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Layout:
    """Files of a corpus that an extraction can write.

    Attributes:
      streams: streams that they hold, as in `streams.compute`.
      arrays: function from the streams to the arrays of the files, by their names.
      file: path of an array's file in the corpus; receives `name`, the id of the recording, and
        `array`, the name of the array.
      needs: what is needed for training besides, as a message to the user; empty for nothing.
    """

    streams: tuple[str, ...]
    arrays: Callable[[Mapping[str, np.ndarray], Settings], Arrays]
    file: str
    needs: str = ""

    def path(self, name: str, array: str, suffix: str = ".npy") -> str:
        """Path of a file of a recording, relative to the folder of the corpus."""
        return self.file.format(name=name, array=array) + suffix


def _dvlog(streams: Mapping[str, np.ndarray], settings: Settings) -> Arrays:
    """Voice and face cut to the shorter one, zeros where no face was found, and the mask of them.

    The files of D-Vlog hold no mask; its `visual_mask` is one file more, which its builder does not
    read.
    """
    voice, face = _cut(streams["acoustic"], streams["landmarks"])
    mask = np.isfinite(face[:, 0])
    visual = np.where(mask[:, None], face, np.float32(0))
    return {"acoustic": voice, "visual": visual, "visual_mask": mask}


def _cut(voice: np.ndarray, face: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shorter, longer = sorted((len(voice), len(face)))
    if longer - shorter > max(5, 0.05 * longer):  # as the builder of D-Vlog
        detail = f"{len(voice)} rows of the voice, {len(face)} of the face"
        raise BadFileError("lengths differ", detail)
    return voice[:shorter], face[:shorter]


LAYOUTS = {
    "dvlog": Layout(
        streams=("acoustic", "landmarks"),
        arrays=_dvlog,
        file="{name}/{name}_{array}",
        needs="labels.csv (video_id,label,duration,gender,fold)",
    ),
}
"""Corpus -> its layout."""


def find(name: str) -> Layout:
    """Returns the layout of a corpus.

    Raises:
      UserError: there is none of this name.
    """
    if name not in LAYOUTS:
        raise UserError(
            f"--like {name}: {closest(name, LAYOUTS, 'choose one of ' + ', '.join(LAYOUTS))}"
        )
    return LAYOUTS[name]
