"""TFDS builder of AVEC2013: like AVEC2014, with one recording per session."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import ClassVar

from jaxdep.datasets.avec2014 import avec2014_dataset_builder as avec2014
from jaxdep.datasets.avec2014 import raw


class Builder(avec2014.Builder):
    """Face, voice and head pose of subjects in sessions of about 25 minutes; BDI-II score 0-63."""

    pkg_dir_path = pathlib.Path(__file__).parent
    LAYOUT = avec2014.LAYOUT.format(name="avec2013", task="")
    MANUAL_DOWNLOAD_INSTRUCTIONS = LAYOUT
    PUBLISHED: ClassVar[Mapping[str, int]] = dict.fromkeys(raw.PARTITIONS, 50)
    TASKS: ClassVar[tuple[str, ...]] = ()
