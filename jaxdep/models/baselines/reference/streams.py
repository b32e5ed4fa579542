"""Inputs, masks and outputs that the baselines' PyTorch references have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import reduce

import torch
from torch import Tensor, nn

from jaxdep.models.torch_sequences import zero

Stream = tuple[Tensor, Tensor | None]
"""Frames [B, T, D], zero at padding, and their mask [B, T]; no mask: all frames are real."""


class Baseline(nn.Module):
    """A network that reads some of its inputs and has one output.

    Args:
      modalities: Names of the inputs to read, in order.
      classes: Number of classes; None: one score per recording.
      task: Key of the output.
      widths: Input widths by argument, `<name>_width`; those of other inputs are ignored.

    Attributes:
      attention: Detached attention maps of the last forward pass by name.

    Raises:
      ValueError: a name is repeated or not a word, there is no modality or a single class, or the
        width of a modality is missing.
    """

    def __init__(
        self,
        modalities: Sequence[str],
        classes: int | None,
        task: str,
        widths: Mapping[str, int],
    ) -> None:
        super().__init__()
        if not modalities or len(set(modalities)) < len(modalities):
            raise ValueError(f"modalities must be different names, at least one: {modalities}")
        if wrong := [name for name in modalities if not re.fullmatch(r"\w+", name)]:
            raise ValueError(f"names of modalities must be words: {wrong}")
        if missing := [name for name in modalities if f"{name}_width" not in widths]:
            raise ValueError(f"the widths of these modalities are missing: {missing}")
        if classes is not None and classes < 2:
            raise ValueError(f"classes must be at least 2, or None, not {classes}")
        self.modalities = tuple(modalities)
        self.classes = classes
        self.task = task
        self.widths = {name: widths[f"{name}_width"] for name in modalities}
        self.maps: dict[str, Tensor] = {}

    @property
    def attention(self) -> dict[str, Tensor]:
        return self.maps

    @property
    def outputs(self) -> int:
        """Width of the last layer."""
        return self.classes or 1

    def read(self, inputs: Mapping[str, Tensor]) -> dict[str, Stream]:
        """Reads the modalities in order and forgets the maps of the previous forward pass.

        Args:
          inputs: Sequences [B, T, D], with their masks `<name>_mask` [B, T], true where a frame is
            real, and vectors [B, D], which are sequences of one frame; floating or uint8.

        Raises:
          KeyError: an input is missing.
          ValueError: an input has another rank or type.
        """
        self.maps = {}
        return {name: self._stream(inputs, name) for name in self.modalities}

    def _stream(self, inputs: Mapping[str, Tensor], name: str) -> Stream:
        if name not in inputs:
            raise KeyError(f"{type(self).__name__} reads the input {name}, which is missing")
        x, mask = inputs[name], inputs.get(f"{name}_mask")
        if x.ndim not in (2, 3):
            raise ValueError(f"{name} must be [batch, time, feature] or [batch, feature]")
        if x.ndim == 2:
            x, mask = x[:, None, :], None
        if x.dtype == torch.uint8:
            x = x.to(next(self.parameters()).dtype) / 255
        if not x.is_floating_point():
            raise ValueError(f"{name} must be floating or uint8, not {x.dtype}")
        return zero(x, mask), mask

    def output(self, y: Tensor) -> dict[str, Tensor]:
        """The output by task: [B, classes], or [B] for a score."""
        return {self.task: y[:, 0] if self.classes is None else y}


def either(masks: Sequence[Tensor | None]) -> Tensor | None:
    """Frames that are real in at least one mask; None, all frames, if any mask is None."""
    known = [mask for mask in masks if mask is not None]
    return reduce(torch.logical_or, known) if len(known) == len(masks) else None


def present(x: Tensor, mask: Tensor | None) -> Tensor:
    """Rows [B] with a real frame, of frames [B, T, D]."""
    if mask is None:
        return torch.ones(x.shape[0], dtype=torch.bool, device=x.device)
    return mask.any(1)


def last(x: Tensor, mask: Tensor | None) -> Tensor:
    """The last real frame, [B, T, D] -> [B, D]; zero without a real frame."""
    if mask is None:
        return x[:, -1]
    steps = torch.arange(x.shape[1], device=x.device)
    index = torch.where(mask, steps, 0).amax(1)
    frame = x[torch.arange(x.shape[0], device=x.device), index]
    return zero(frame, mask.any(1, keepdim=True).expand_as(frame))


def first(x: Tensor, mask: Tensor | None) -> Tensor:
    """The first real frame, [B, T, D] -> [B, D]; zero without a real frame."""
    return last(x.flip(1), None if mask is None else mask.flip(1))


def maximum(x: Tensor, mask: Tensor | None) -> Tensor:
    """Maximum over real frames, [B, T, D] -> [B, D]; zero without a real frame."""
    if mask is None:
        return x.amax(1)
    top = x.masked_fill(~mask[..., None], torch.finfo(x.dtype).min).amax(1)
    return zero(top, mask.any(1, keepdim=True).expand_as(top))
