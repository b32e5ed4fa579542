"""Layouts of corpora: which streams their files hold, where they are, and what cannot be made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from jaxdep.errors import UserError
from jaxdep.extract.settings import Settings

Arrays = dict[str, np.ndarray]

REFUSED = {
    "mmd2023": "its face files hold 68 points in space, of which one camera and dlib give no depth,"
    " and its transcripts say which sentences are the patient's, which no recogniser tells",
    "ewre": "it has one face and 1000 features of the voice for each of 24 words that are read; the"
    " authors say neither what these features are nor how the words are cut",
}
"""Corpora whose files cannot be made from recordings, and why."""

GAZE = 6
"""Columns of gaze in the pose files of AVEC, after the six of the head."""


@dataclass(frozen=True)
class Layout:
    """Files of a corpus that an extraction can write.

    Attributes:
      streams: streams that they hold, as in `streams.compute`.
      arrays: function from the streams to the arrays of the files, by their names.
      file: path of an array's file in the corpus, without suffix; receives `name`, the id of the
        recording, `array`, the name of the array, and `partition`.
      note: the same for the provenance.
      rate: rows per second by default.
      speech_rate: the same for hidden states of speech encoders; None for `rate`.
      widths: numbers of features of encoders that the builder of the corpus reads, by stream.
      ids: names of media files without suffix, with the id as group.
      names: what `ids` describes, for messages.
      needs: what is needed for training besides.
    """

    streams: tuple[str, ...]
    arrays: Callable[[Mapping[str, np.ndarray], Settings], Arrays]
    file: str
    note: str
    rate: float = 1.0
    speech_rate: float | None = None
    widths: Mapping[str, int] = field(default_factory=dict)
    ids: re.Pattern[str] = re.compile(r"(?P<id>.+)", re.DOTALL)
    names: str = "<id>"
    needs: str = ""


def _dvlog(streams: Mapping[str, np.ndarray], settings: Settings) -> Arrays:
    """Voice and face cut to the shorter one, zeros where no face was found, and the mask of them.

    The files of D-Vlog hold no mask; `visual_mask` is one file more, which its builder leaves
    alone.
    """
    voice, face = streams["acoustic"], streams["landmarks"]
    shorter = min(len(voice), len(face))
    visual, mask = _filled(face[:shorter])
    return {"acoustic": voice[:shorter], "visual": visual, "visual_mask": mask}


def _avec(streams: Mapping[str, np.ndarray], settings: Settings) -> Arrays:
    """Speech, and the pictures and head poses of the rows with a face; six columns without gaze."""
    kept = np.isfinite(streams["pose"][:, 0])
    pose = streams["pose"][kept]
    gaze = np.zeros((len(pose), GAZE), np.float32)
    visual = streams["images"][kept]
    return {
        "visual": visual,
        "acoustic": streams["speech"],
        "pose": np.concatenate([pose, gaze], 1),
    }


def _daicwoz(streams: Mapping[str, np.ndarray], settings: Settings) -> Arrays:
    return {"EGEMAPS": streams["acoustic"]}


def _folder(streams: Mapping[str, np.ndarray], settings: Settings) -> Arrays:
    """Every stream; where it may have gaps, zeros in them, and the mask."""
    found: Arrays = {}
    for name, array in streams.items():
        if name in ("landmarks", "pose", "images"):
            found[name], found[f"{name}_mask"] = _filled(array)
        else:
            found[name] = array
    return found


def _filled(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows with zeros in the gaps, and where there are none."""
    mask = np.isfinite(rows[:, 0])
    return np.where(mask[:, None], rows, np.float32(0)), mask


_AVEC = Layout(
    streams=("images", "speech", "pose"),
    arrays=_avec,
    file="features/{partition}/{name}_{array}",
    note="features/{partition}/{name}_extraction",
    speech_rate=50.0,
    widths={"images": 2048, "speech": 1024},
    ids=re.compile(r"(?P<id>\d+_\d+)(_cut_combined)?"),
    names="<subject>_<session> or <subject>_<session>_cut_combined",
    needs="<subject>_<session>_Depression.csv with the BDI-II total",
)

LAYOUTS = {
    "dvlog": Layout(
        streams=("acoustic", "landmarks"),
        arrays=_dvlog,
        file="{name}/{name}_{array}",
        note="{name}/{name}_extraction",
        needs="labels.csv (video_id,label,duration,gender,fold)",
    ),
    "avec2013": _AVEC,
    "avec2014": replace(
        _AVEC,
        ids=re.compile(r"(?P<id>\d+_\d+_(Northwind|Freeform))(_video)?"),
        names="<subject>_<session>_<Northwind|Freeform>, which _video may follow",
    ),
    "daicwoz": Layout(
        streams=("acoustic",),
        arrays=_daicwoz,
        file="{name}_P/{name}_{array}",
        note="{name}_P/{name}_extraction",
        rate=100.0,
        ids=re.compile(r"(?P<id>\d+)_AUDIO"),
        names="<id>_AUDIO, the sound of an interview. From other recordings this corpus cannot be"
        " made: its face files hold points in space, action units and gaze, and its transcripts"
        " say who speaks",
        needs="the other files of the corpus, and --set acoustic=egemaps",
    ),
    "folder": Layout(streams=(), arrays=_folder, file="{array}/{name}", note="extraction/{name}"),
}
"""Corpus -> its layout."""


def resolve(settings: Settings) -> Settings:
    """Fills in what the layout determines.

    Raises:
      UserError: the files cannot be made, or settings are missing or without effect; the message
        lists all of these.
    """
    if settings.like in REFUSED:
        raise UserError(
            f"--like {settings.like}: this corpus cannot be made from recordings:"
            f" {REFUSED[settings.like]}"
        )
    layout = LAYOUTS[settings.like]
    avec = settings.like.startswith("avec")
    folder = settings.like == "folder"
    streams = settings.streams if folder else layout.streams
    problems = []
    if folder and not streams:
        problems.append("--like folder needs --streams, such as acoustic landmarks")
    if settings.streams and not folder:
        problems.append(f"--streams is for --like folder; {settings.like} has its own")
    if "text" in streams and "words" not in streams:
        problems.append("--streams text needs words as well, whose sentences it embeds")
    for option, stream in _MODELS.items():
        given, flag = getattr(settings, option), "--" + option.replace("_", "-")
        if stream in streams and given is None:
            problems.append(f"{settings.like} needs {flag}: a Hugging Face name or folder")
        if stream not in streams and given is not None:
            problems.append(f"{flag} has no effect: {settings.like} holds no {stream}")
    if avec and settings.partition is None:
        problems.append("--partition is missing: training, development or testing")
    if avec and not settings.without_gaze:
        problems.append(
            "the pose files hold gaze, which landmarks do not show: --without-gaze writes zeros for"
            " its six columns; a model of such files must be trained on such files"
        )
    if not avec and (settings.partition is not None or settings.without_gaze):
        problems.append("--partition and --without-gaze are for avec2013 and avec2014")
    if settings.like == "daicwoz" and settings.rate not in (None, layout.rate):
        problems.append(f"--rate {settings.rate:g}: daicwoz has {layout.rate:g} rows a second")
    if problems:
        raise UserError("\n".join(problems))
    rate = settings.rate or layout.rate
    speech_rate = settings.speech_rate or layout.speech_rate or rate
    return replace(settings, streams=streams, rate=rate, speech_rate=speech_rate)


_MODELS = {
    "speech_encoder": "speech",
    "image_encoder": "images",
    "recogniser": "words",
    "text_encoder": "text",
}
"""Setting -> stream that it is for."""


def path_of(settings: Settings, name: str, array: str | None = None) -> str:
    """Path of a file of a recording without suffix, relative to the folder of the corpus.

    Args:
      settings: settings of the extraction.
      name: id of the recording.
      array: name of an array; None for the provenance.
    """
    layout = LAYOUTS[settings.like]
    pattern = layout.note if array is None else layout.file
    return pattern.format(name=name, array=array, partition=settings.partition)
