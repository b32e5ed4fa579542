"""Cuts interviews into sentences and keeps the result in a temporary folder until it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data import dialogue, functionals
from jaxdep.data.builder import Item, Scan
from jaxdep.data.scratch import Scratch
from jaxdep.settings.kinds import CountOrNone

Streams = Mapping[str, np.ndarray]
Read = Callable[[str, Counter], "dict[str, dict[str, np.ndarray]] | None"]
"""Reads and cuts the interview with a given id and counts repairs.

Returns the arrays of each item that the interview consists of, by the id of the item, or None if
the interview has a fault.
"""


class Scale(NamedTuple):
    """Mean and standard deviation of each feature of a stream, [D]; 1 if a feature is constant."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, frames: np.ndarray) -> Scale:
        """Computes the scale of frames [T, D]."""
        if not len(frames):
            return cls(np.zeros(frames.shape[1]), np.ones(frames.shape[1]))
        deviation = frames.std(0)
        return cls(frames.mean(0), np.where(deviation > 1e-6, deviation, 1))

    def standardise(self, frames: np.ndarray) -> np.ndarray:
        """Scales each feature of frames [T, D] to mean 0 and variance 1, as float32."""
        return ((frames - self.mean) / self.deviation).astype(np.float32)


@dataclass(frozen=True)
class SentenceCutter:
    """Options for cutting interviews into sentences, shared by all interview corpora.

    Attributes:
      cut: `paper` cuts the sentences at their own times and concatenates them; `released` keeps the
        streams intact and computes windows as the network published by SMFL's authors does.
      max_sentences: maximum number of sentences; 0 for all.
      normalize: whether to standardise the features of each interview.
      fix_audio_start: see `dialogue.released_windows`; used by `cut="released"` only.
      absolute_time: see `dialogue.released_windows`; used by `cut="released"` only.
    """

    cut: Literal["paper", "released"] = "paper"
    max_sentences: CountOrNone = 0
    normalize: bool = True
    fix_audio_start: bool = False
    absolute_time: bool = False

    def __call__(
        self,
        times: dialogue.Times,
        streams: Streams,
        rates: Mapping[str, float],
        words: np.ndarray,
        counts: Sequence[int],
        scales: Mapping[str, Scale] | None = None,
    ) -> dict[str, np.ndarray]:
        """Cuts an interview, or a part of it.

        Args:
          times: start and end of each sentence, in seconds.
          streams: `acoustic` and `visual` frames, [T, D] each.
          rates: frames per second of each stream.
          words: text embeddings of all sentences, concatenated, [T, D].
          counts: number of rows of `words` in each sentence.
          scales: scale of each stream for `normalize`; None for those of the given sentences.

        Returns:
          `acoustic`, `visual`, `text` and `sentences`, in the format that
          `models.inputs.windows_of` expects; with `normalize`, also the functionals of the streams
          before normalisation.
        """
        limit = self.max_sentences or None
        times = np.asarray(times).reshape(-1, 2)[:limit]
        rows = np.asarray(counts, np.int64)[:limit]
        released = None
        if self.cut == "released":
            released = dialogue.released_windows(
                times, rates, self.fix_audio_start, self.absolute_time
            )
        outputs: dict[str, np.ndarray] = {}
        all_windows = []
        for name, stream in streams.items():
            if released is not None:
                windows = np.minimum(released[name], len(stream))
                # Without sentences the whole stream is kept; the model then reads its beginning.
                frames = stream[: max(int(windows.max()), 1)] if len(windows) else stream
            else:
                windows = dialogue.windows(times, rates[name], len(stream))
                frames, windows = dialogue.pack(stream, windows)
            if self.normalize:
                outputs[name + functionals.SUFFIX] = functionals.summarize(frames)
                frames = (scales[name] if scales else Scale.of(frames)).standardise(frames)
            outputs[name] = frames
            all_windows.append(windows)
        ends = rows.cumsum()
        all_windows.append(np.stack([ends - rows, ends], 1))
        outputs["text"] = words[: rows.sum()]
        outputs["sentences"] = np.concatenate(all_windows, 1).astype(np.int32)
        return outputs

    def scales(
        self, times: dialogue.Times, streams: Streams, rates: Mapping[str, float]
    ) -> dict[str, Scale]:
        """Scales of the streams over the frames of all sentences, as `cut="paper"` cuts them."""
        cut = lambda name, x: dialogue.pack(x, dialogue.windows(times, rates[name], len(x)))[0]
        return {name: Scale.of(cut(name, stream)) for name, stream in streams.items()}


def features(widths: Mapping[str, int], normalize: bool) -> dict[str, Any]:
    """TFDS features of an interview corpus: streams, sentence windows and label.

    Args:
      widths: feature dimension of each stream.
      normalize: see `SentenceCutter`.
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
    targets: Callable[[Any, str], Mapping[str, Any]],
    attributes: Callable[[Any], Mapping[str, str]],
) -> None:
    """Reads each interview once and adds its items to a scan; each is with another subject.

    The cut interviews are kept in a temporary folder, which is removed together with the scan.

    Args:
      found: scan that receives the items, warnings about repairs, and length statistics for the
        corpus card.
      labels: label of each interview, with its `split`.
      read: reads and cuts one interview.
      targets: converts a label and the id of an item to its target features.
      attributes: converts a label to `Item.attributes`.
    """
    scratch = Scratch(found)
    repairs: Counter[str] = Counter()
    lengths: list[dict[str, int]] = []
    for name, label in labels.items():
        items = read(name, repairs)
        if items is None:
            found.items.append(Item(name, label.split, dict, subject=name))
            continue
        for item, cut in items.items():
            stored = scratch.keep(item, cut)
            lengths.append({key: len(array) for key, array in cut.items() if array.ndim > 1})
            own = targets(label, item)
            load = lambda stored=stored, own=own: {**stored(), **own}
            found.items.append(
                Item(item, label.split, load, subject=name, attributes=dict(attributes(label)))
            )
    found.warnings += [
        f"repaired: {count} {what}" for what, count in sorted(repairs.items()) if count
    ]
    found.card |= _length_statistics(lengths) | {"repairs": dict(sorted(repairs.items()))}


def gather_unlabelled(found: Scan, names: Iterable[str], read: Read) -> None:
    """Reads interviews of which no labels are known, as `gather` does; their items have no split.

    Args:
      found: scan that receives the items, as in `gather`.
      names: ids of the interviews.
      read: reads and cuts one interview.
    """
    labels = dict.fromkeys(names, SimpleNamespace(split=""))
    gather(found, labels, read, lambda label, item: {}, lambda label: {})


def _length_statistics(items: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """Lengths of the streams, and the share of padding if all are padded to the longest."""
    if not items:
        return {}
    by_name = {name: np.array([one[name] for one in items]) for name in items[0]}
    return {
        "rows of an item, mean and longest": {
            name: f"{lengths.mean():.0f}, {lengths.max()}" for name, lengths in by_name.items()
        },
        "padding, if all are padded to the longest": {
            name: f"{dialogue.waste(lengths):.0%}" for name, lengths in by_name.items()
        },
    }
