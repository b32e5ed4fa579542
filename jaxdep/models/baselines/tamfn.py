"""TAMFN: time-aware attention multimodal fusion network (Zhou et al., IEEE TNSRE 2022)."""

from __future__ import annotations

import functools
import itertools

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Float

from jaxdep.errors import ModelError
from jaxdep.models.baselines.head import Prediction, classify
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn import masking
from jaxdep.nn.convolution import CausalConv1d, Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.rnn import LSTM
from jaxdep.settings.kinds import Classes, Count, Layers, Rate, Width
from jaxdep.types import Array, Encoding, Inputs, Mask, Number, Sequence, Vector, traceable

JOINT = "joint"
"""Name of the stream that IFE makes of all modalities."""

Stream = tuple[Float[Array, "batch time _"], Mask | None]
"""Frames [B, T, *], zero at padding, and their mask [B, T]; each stream has its own width."""


class TAMFN(nn.Module):
    """Classifies or scores recordings by temporal convolutions and time-aware attention.

    After Zhou et al., IEEE TNSRE 31, 2022, see README.md; equation numbers are those of README.md.

    Inputs: for each modality m, a sequence `m` [B, T, D_m] with an optional mask `m_mask` [B, T];
    all of the same length T. A vector [B, D_m] is a sequence of length 1.

    Attributes:
      modalities: names of the inputs; `joint` is reserved.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      channels: width of the convolutions, of the LSTMs and of the hidden layer of the output.
      layers: number of blocks of two convolutions, dilated 1, 2, 4, ...
      kernel_size: kernel size of the convolutions.
      dropout: rate after each convolution and before the output layer.
    """

    modalities: tuple[Modality, ...] = ("acoustic", "visual")
    classes: Classes | None = 2
    task: str = "depression"
    channels: Width = 64
    layers: Layers = 5
    kernel_size: Count = 3
    dropout: Rate = traceable(0.2)

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities, reserved=(JOINT,))
        streams = {name: frames(inputs, name, self) for name in self.modalities}
        _check_lengths(streams)
        streams = self._convolved(streams, train)
        fused = [
            TimeAwareFusion(name=f"tamf.{number}")(streams[first], streams[second])  # A9 to A14
            for number, (first, second) in enumerate(
                itertools.combinations((*self.modalities, JOINT), 2)
            )
        ]
        z = sum(fused[1:], fused[0])  # A15
        return {self.task: classify(z, self.channels, self.classes, self.dropout, train)}  # A16

    def _convolved(self, inputs: dict[str, Stream], train: bool) -> dict[str, Stream]:
        """Applies the blocks of GTCN to each modality and those of IFE to all of them together."""
        features = {name: x for name, (x, _) in inputs.items()}
        masks = {name: mask for name, (_, mask) in inputs.items()}
        union = functools.reduce(masking.either, masks.values())
        first = features[self.modalities[0]]
        joint = jnp.zeros((*first.shape[:2], self.channels), first.dtype)
        for number in range(self.layers):
            block = functools.partial(
                Block, self.channels, self.kernel_size, 2**number, self.dropout
            )
            features = {
                name: block(name=f"gtcn.{name}.{number}")(x, masks[name], train)  # A7
                for name, x in features.items()
            }
            joint = sum(features.values(), joint)
            joint = block(name=f"ife.{number}")(joint, union, train)  # A8
        convolved: dict[str, Stream] = {name: (x, masks[name]) for name, x in features.items()}
        return {**convolved, JOINT: (joint, union)}


class Block(nn.Module):
    """A residual block of two causal convolutions, with a branch for the whole recording.

    Attributes:
      features: number of channels.
      kernel_size: kernel size of both convolutions.
      dilation: dilation of both convolutions, in frames.
      dropout: rate after each convolution.
    """

    features: int
    kernel_size: int
    dilation: int
    dropout: Number

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask | None, train: bool) -> Encoding:
        """Transforms [B, T, I] to [B, T, features], zero at padding."""
        y = x
        for number in (1, 2):  # A2, A3
            convolution = CausalConv1d(
                self.features, self.kernel_size, self.dilation, name=f"conv{number}"
            )
            y = nn.relu(convolution(masking.zero_padding(y, mask)))
            y = Dropout(self.dropout, name=f"dropout{number}")(y, train)
        context = Linear(self.features, name="context")
        q = nn.relu(context(masking.masked_mean(x, mask)))  # A4
        if x.shape[-1] != self.features:
            x = Conv1d(self.features, 1, name="downsample")(x)  # A5
        return masking.zero_padding(nn.relu(y + q[:, None, :] + x), mask)  # A6


class TimeAwareFusion(nn.Module):
    """Fuses two streams by weights over time that depend on both."""

    @nn.compact
    def __call__(self, first: Stream, second: Stream) -> Vector:
        """Sums the LSTM outputs of both streams over time.

        Args:
          first: frames [B, T, D] of one stream, and their mask [B, T].
          second: the same of the other stream.

        Returns:
          [B, D]; the weights [B, T] of the streams are sown as `A_1` and `A_2`.
        """
        streams = (first, second)
        encoded = [
            LSTM(x.shape[-1], name=f"lstm{number}")(x, mask)  # A9
            for number, (x, mask) in enumerate(streams, 1)
        ]
        s = jnp.stack([h.mean(-1) for h in encoded], -1)  # A10
        either = masking.either(first[1], second[1])
        v = LSTM(2, bidirectional=True, name="time")(s, either)  # A11
        scores = Linear(2, use_bias=False, name="score")(v)  # A12
        pooled = []
        for number, (h, (_, mask)) in enumerate(zip(encoded, streams, strict=True)):
            weights = masking.masked_softmax(scores[..., number], mask)  # A13
            self.sow("intermediates", f"A_{number + 1}", weights)
            pooled.append(jnp.einsum("bt,btd->bd", weights, h))
        return sum(pooled[1:], pooled[0])  # A14


def _check_lengths(streams: dict[str, Stream]) -> None:
    """Raises `ModelError` if the modalities differ in length."""
    lengths = {name: x.shape[1] for name, (x, _) in streams.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ModelError(
            f"all modalities must have the same length; got {found} frames: pad them to one length,"
            " or leave some out of model.modalities"
        )
