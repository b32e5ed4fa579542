"""Interviews, each read once and cut into sentences; what was cut waits on disk to be stored."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data import dialogue, functionals
from jaxdep.data.builder import Item, Scan
from jaxdep.errors import UserError

Streams = Mapping[str, np.ndarray]
Read = Callable[[str, Counter], "dict[str, np.ndarray] | None"]
"""Cuts the interview of a name, and counts what was repaired; None if it has a fault."""


@dataclass(frozen=True)
class Cutting:
    """How an interview is cut; the options of every corpus of interviews.

    Attributes:
      cut: sentences by their own times and laid end to end, or as the network that SMFL's authors
        published cuts streams that stay as they are (`paper`, `released`).
      max_sentences: how many at most; 0: all.
      normalize: whether each interview's features are standardised.
      fix_audio_start: and the rest: as in `dialogue.released_windows`; of `cut="released"`.
    """

    cut: str = "paper"
    max_sentences: int = 0
    normalize: bool = True
    fix_audio_start: bool = False
    absolute_time: bool = False

    CUTS: ClassVar[tuple[str, ...]] = ("paper", "released")

    def __call__(
        self,
        times: dialogue.Times,
        streams: Streams,
        rates: Mapping[str, float],
        words: np.ndarray,
        counts: Sequence[int],
    ) -> dict[str, np.ndarray]:
        """Cuts an interview.

        Args:
          times: of its sentences.
          streams: `acoustic` and `visual`, [T, D] each.
          rates: frames a second of the streams.
          words: embeddings of one sentence after the other, [T, D].
          counts: of each sentence, how many of these rows.

        Returns:
          `acoustic`, `visual`, `text` and `sentences`, as `models.inputs.windows_of` reads them;
          of normalised streams the functionals from before.
        """
        most = self.max_sentences or None
        times = np.asarray(times).reshape(-1, 2)[:most]
        rows = np.asarray(counts, np.int64)[:most]
        own = None
        if self.cut == "released":
            own = dialogue.released_windows(times, rates, self.fix_audio_start, self.absolute_time)
        made: dict[str, np.ndarray] = {}
        places = []
        for name, stream in streams.items():
            if own is not None:
                windows = np.minimum(own[name], len(stream))
                # Of one who says nothing the beginning of the face is read.
                frames = stream[: max(int(windows.max()), 1)] if len(windows) else stream
            else:
                windows = dialogue.windows(times, rates[name], len(stream))
                frames, windows = dialogue.pack(stream, windows)
            if self.normalize:
                made[name + functionals.SUFFIX] = functionals.summarize(frames)
                frames = _standardised(frames)
            made[name] = frames
            places.append(windows)
        ends = rows.cumsum()
        places.append(np.stack([ends - rows, ends], 1))
        made["text"] = words[: rows.sum()]
        made["sentences"] = np.concatenate(places, 1).astype(np.int32)
        return made


def refuse_unknown(corpus: str, options: Mapping[str, Any], **choices: Sequence[str]) -> None:
    """Checks options that are one of a few words.

    Raises:
      UserError: names the option and what there is.
    """
    for name, known in {"cut": Cutting.CUTS, **choices}.items():
        if options[name] not in known:
            raise UserError(f"{corpus}: {name}={options[name]!r}: there are {', '.join(known)}")


def features(widths: Mapping[str, int], normalize: bool) -> dict[str, Any]:
    """TFDS features of the streams of these widths, of where their sentences are, of the label.

    Args:
      normalize: as in `Cutting`.
    """
    stream = lambda width, dtype: tfds.features.Tensor(
        shape=(None, width), dtype=dtype, encoding="bytes"
    )
    summarized = ("acoustic", "visual") if normalize else ()
    vector = lambda width: tfds.features.Tensor(
        shape=(len(functionals.FUNCTIONALS) * width,), dtype=np.float32
    )
    return {
        **{name: stream(width, np.float32) for name, width in widths.items()},
        **{name + functionals.SUFFIX: vector(widths[name]) for name in summarized},
        "sentences": stream(6, np.int32),
        "depression": tfds.features.ClassLabel(names=["normal", "depression"]),
    }


def gather(
    found: Scan,
    labels: Mapping[str, Any],
    read: Read,
    targets: Callable[[Any], Mapping[str, Any]],
) -> None:
    """Reads interviews, each once; what was cut of them waits in a folder that goes with the scan.

    Args:
      found: gets their items, warnings of what was repaired, and their lengths for its card.
      labels: of each interview, with its `split`.
      read: cuts one.
      targets: the features that a label makes.
    """
    folder = Path(tempfile.mkdtemp(prefix="jaxdep-"))
    weakref.finalize(found, shutil.rmtree, folder, ignore_errors=True)
    repairs: Counter[str] = Counter()
    lengths: list[dict[str, int]] = []
    for name, label in labels.items():
        cut = read(name, repairs)
        load: Callable[[], dict[str, Any]] = dict
        if cut is not None:
            path = folder / f"{name}.npz"
            np.savez(path, **cut)
            lengths.append({key: len(array) for key, array in cut.items() if array.ndim > 1})
            # The folder lives as long as the scan, and that as long as what loads from it.
            load = lambda path=path, label=label, _=found: {**_read(path), **targets(label)}
        found.items.append(Item(name, label.split, load, subject=name))
    found.warnings += [
        f"repaired: {count} {what}" for what, count in sorted(repairs.items()) if count
    ]
    found.card |= _lengths(lengths) | {"repairs": dict(sorted(repairs.items()))}


def _lengths(each: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """What padding would waste."""
    if not each:
        return {}
    of = {name: np.array([one[name] for one in each]) for name in each[0]}
    return {
        "rows of an interview, mean and longest": {
            name: f"{lengths.mean():.0f}, {lengths.max()}" for name, lengths in of.items()
        },
        "padding, if all are padded to the longest": {
            name: f"{dialogue.waste(lengths):.0%}" for name, lengths in of.items()
        },
    }


def _read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as cut:
        streams = {name: cut[name] for name in cut.files}
    # TFDS takes no empty tensor of unknown length.
    return {
        name: x if len(x) else np.zeros((1, *x.shape[1:]), x.dtype) for name, x in streams.items()
    }


def _standardised(frames: np.ndarray) -> np.ndarray:
    """Each feature with mean 0 and variance 1 over what is kept of the interview."""
    if not len(frames):
        return frames
    deviation = frames.std(0)
    return ((frames - frames.mean(0)) / np.where(deviation > 1e-6, deviation, 1)).astype(np.float32)
