"""Features of Hugging Face models: speech encoders, and image encoders of faces or pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np

from jaxdep.data import pretrained
from jaxdep.errors import BadFileError, UserError
from jaxdep.extract import pooling
from jaxdep.extract.packages import require

BATCH = 16
"""Pictures that a model sees at once."""

WINDOW, CONTEXT = 20.0, 1.0
"""Seconds of speech that a model sees at once, and those around them that it sees besides."""

_ENLARGED = 1.5  # a square of the face, relative to the extent of its landmarks


class Encoder:
    """A model and its preprocessor, on a GPU where there is one.

    Attributes:
      name: name or folder given by the user.
      identity: hash of the weights and the configuration.
      width: number of features.
    """

    def __init__(self, name: str, layer: int, kind: str, preprocessor: Any):
        require("torch", "transformers")
        import torch
        from transformers import AutoModel

        source, local = pretrained.locate(name, kind)
        loaders = {"preprocessor": preprocessor, "model": AutoModel}
        parts, weights = pretrained.load(name, source, local, loaders, kind)
        self.name, self.layer = name, layer
        self.identity = f"{weights}:{pretrained.config_text(parts['model'])}"
        self._preprocess = parts["preprocessor"]
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        # CLIP has one model for pictures and one for texts.
        self._model = getattr(parts["model"], "vision_model", parts["model"]).to(self._device)

    def _states(self, **inputs: np.ndarray) -> np.ndarray:
        """Hidden states of the chosen layer, with the batch as first axis."""
        import torch

        with torch.no_grad():
            given = {key: torch.from_numpy(value).to(self._device) for key, value in inputs.items()}
            states = self._model(**given, output_hidden_states=True).hidden_states
        if not -len(states) <= self.layer < len(states):
            raise UserError(
                f"layer {self.layer}: {self.name} has {len(states)} layers of states, from 0 (the"
                f" embeddings) to {len(states) - 1}; -1 is the last"
            )
        return states[self.layer].float().cpu().numpy()


class SpeechEncoder(Encoder):
    """Hidden states of wav2vec 2.0, HuBERT, WavLM and others with the same convolutions.

    Attributes:
      sampling_rate: samples per second that the model expects.
      rate: rows per second of its hidden states.
    """

    def __init__(self, name: str, layer: int):
        from transformers import AutoFeatureExtractor

        super().__init__(name, layer, "speech encoder", AutoFeatureExtractor)
        config = self._model.config
        if not (hasattr(config, "conv_stride") and hasattr(config, "conv_kernel")):
            raise UserError(
                f"{name} is no wav2vec 2.0, HuBERT or WavLM but a {type(self._model).__name__}:"
                " give one of those as --speech-encoder"
            )
        self.sampling_rate = int(self._preprocess.sampling_rate)
        self.width = int(config.hidden_size)
        self._stride, self._seen = 1, 1
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            self._seen += (kernel - 1) * self._stride
            self._stride *= stride
        self.rate = self.sampling_rate / self._stride

    def encode(self, samples: np.ndarray, rate: float) -> np.ndarray:
        """Averages the hidden states in each interval of 1 / `rate` seconds.

        The model sees windows of `WINDOW` seconds with `CONTEXT` seconds on both sides, since its
        attention needs memory for the square of the length. A state belongs to the middle of the
        samples that its convolutions see.

        Args:
          samples: [samples] float32, at `sampling_rate`.
          rate: rows per second of the result, at most `self.rate`.

        Returns:
          [T, width] float32; T counts complete intervals.

        Raises:
          BadFileError: there are too few samples for one row.
        """
        if rate > self.rate + 1e-6:
            raise UserError(
                f"{self.name} has {self.rate:g} rows a second; choose a lower rate than {rate:g}"
            )
        seconds = len(samples) / self.sampling_rate
        if seconds < 1 / rate or len(samples) < self._seen:
            raise BadFileError("too short", f"the sound lasts {seconds:.2f} s")
        given = self._preprocess(samples, sampling_rate=self.sampling_rate, return_tensors="np")
        whole = np.asarray(given["input_values"][0], np.float32)
        step = round(WINDOW * self.sampling_rate) // self._stride * self._stride
        around = round(CONTEXT * self.sampling_rate) // self._stride * self._stride
        cuts = [
            (max(0, start - around), min(len(whole), start + step + around), start)
            for start in range(0, len(whole), step)
        ]
        states, times = [], []
        for _, group in groupby(cuts, key=lambda cut: cut[1] - cut[0]):
            for some in _batches(list(group), 4):
                stacked = np.stack([whole[first:last] for first, last, _ in some])
                if stacked.shape[1] < self._seen:
                    continue
                for (first, _, start), rows in zip(
                    some, self._states(input_values=stacked), strict=True
                ):
                    middles = first + np.arange(len(rows)) * self._stride + self._seen / 2
                    kept = (middles >= start) & (middles < start + step)
                    states.append(rows[kept])
                    times.append(middles[kept] / self.sampling_rate)
        return pooling.by_time(np.concatenate(states), np.concatenate(times), seconds, rate)


class ImageEncoder(Encoder):
    """Hidden states of ViT, CLIP, ResNet and similar models, one vector for a picture."""

    def __init__(self, name: str, layer: int, pooling: str):
        from transformers import AutoImageProcessor

        super().__init__(name, layer, "image encoder", AutoImageProcessor)
        names = [name.rpartition(".")[2] for name, _ in self._model.named_parameters()]
        self._pooling = pooling
        self._has_token = bool({"cls_token", "class_embedding"} & set(names))
        if pooling == "cls" and not self._has_token:
            raise UserError(f"{name} has no class token: choose --image-pooling mean")
        self.width = self.encode([np.zeros((64, 64, 3), np.uint8)]).shape[1]

    def encode(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Encodes pictures [height, width, 3] uint8 as [N, width] float32.

        The vector is the state of the class token, or the mean over the patches of the picture.
        """
        found = []
        for some in _batches(list(images), BATCH):
            given = self._preprocess(images=some, return_tensors="np")
            states = self._states(pixel_values=np.asarray(given["pixel_values"], np.float32))
            if states.ndim == 4:  # [N, width, rows, columns] of a convolutional network
                found.append(states.mean((2, 3)))
            elif self._pooling == "cls":
                found.append(states[:, 0])
            else:
                found.append(states[:, int(self._has_token) :].mean(1))
        return np.concatenate(found).astype(np.float32)


@cache
def speech(name: str, layer: int) -> SpeechEncoder:
    """Loads a speech encoder, once in a process."""
    return SpeechEncoder(name, layer)


@cache
def images(name: str, layer: int, pooling: str) -> ImageEncoder:
    """Loads an image encoder, once in a process."""
    return ImageEncoder(name, layer, pooling)


def crop(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Cuts a square around a face; beyond the edges of the picture, its border is repeated.

    Args:
      image: [height, width, 3] uint8.
      points: [68, 2], landmarks in pixels.

    Returns:
      [size, size, 3] uint8, with 1.5 times the larger extent of the landmarks as size.
    """
    low, high = points.min(0), points.max(0)
    size = max(1, math.ceil(_ENLARGED * (high - low).max()))
    left, top = np.rint((low + high - size) / 2).astype(int)
    rows = np.clip(np.arange(top, top + size), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(left, left + size), 0, image.shape[1] - 1)
    return np.ascontiguousarray(image[rows][:, columns])


def _batches(items: list[Any], size: int) -> list[list[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
