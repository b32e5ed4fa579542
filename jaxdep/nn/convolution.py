"""Convolutions over time."""

from __future__ import annotations

from typing import Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jaxtyping import Bool, Float

from jaxdep.errors import ModelError
from jaxdep.nn import initializers, masking
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer
from jaxdep.types import Array, Mask, Number, Scores, Sequence, Vector

Kernel = Float[Array, "taps feature channel"]
PerChannel = Float[Array, " channel"]

Convolved = Float[Array, "batch step channel"]
"""Sequence with as many channels as the kernel, and with steps of its own."""


class Conv1d(nn.Module):
    """A 1-D convolution (cross-correlation) over time, as `torch.nn.Conv1d`.

    Attributes:
      features: number of output channels O.
      kernel_size: kernel size K; odd unless `padding` is `valid`.
      stride: distance between consecutive outputs, in frames; 1 unless `padding` is `valid`.
      padding: `same`: (K - 1) / 2 zeros at both ends, which keeps the length; `circular`: as many
        frames wrapped around from the other end; `valid`: none, so that L frames give
        (L - K) // stride + 1 outputs, and no output if L < K.
      weight_init: initializer of the kernel; None: PyTorch's default.
    """

    features: int
    kernel_size: int
    stride: int = 1
    padding: Literal["same", "circular", "valid"] = "same"
    weight_init: Initializer | None = None

    def setup(self) -> None:
        """Checks that the kernel size and the stride suit the padding."""
        if self.padding != "valid" and (self.kernel_size % 2 == 0 or self.stride > 1):
            raise ModelError(
                f"with padding={self.padding!r}, kernel_size must be odd and stride 1; got"
                f" kernel_size={self.kernel_size} and stride={self.stride}"
            )

    @nn.compact
    def weights(self, channels: int) -> tuple[Kernel, PerChannel]:
        """Returns the kernel [K, I, O] and the bias [O], to be applied by the caller."""
        init = initializers.torch_uniform(self.kernel_size * channels)
        shape = (self.kernel_size, channels, self.features)
        kernel = self.param("kernel", self.weight_init or init, shape)
        return kernel, self.param("bias", init, (self.features,))

    def __call__(self, x: Sequence) -> Convolved:
        """Convolves [B, L, I] to [B, L', O]."""
        kernel, bias = self.weights(x.shape[-1])
        if self.padding == "same":
            return convolve(x, kernel) + bias[None, None]
        if self.padding == "circular":
            pad = (self.kernel_size - 1) // 2
            x = jnp.pad(x, ((0, 0), (pad, pad), (0, 0)), mode="wrap")
        if x.shape[1] < self.kernel_size:
            return jnp.zeros((x.shape[0], 0, self.features), kernel.dtype)
        x, kernel = promote_dtype(x, kernel)
        return correlate(x, kernel, self.stride) + bias[None, None]

    def mask(self, mask: Mask) -> Bool[Array, "batch step"]:
        """Mask of the outputs that depend on real frames only; real frames must come first."""
        if self.padding != "valid":
            return mask
        return mask[:, self.kernel_size - 1 :: self.stride]


def convolve(x: Sequence, kernel: Kernel) -> Convolved:
    """Cross-correlation of [B, L, I] with a kernel [K, I, O], K odd; zero-padded at both ends."""
    pad = (kernel.shape[0] - 1) // 2
    return correlate(jnp.pad(x, ((0, 0), (pad, pad), (0, 0))), kernel)


def correlate(x: Sequence, kernel: Kernel, stride: int = 1) -> Convolved:
    """Cross-correlation of [B, L, I] with a kernel [K, I, O], without padding: [B, L', O].

    Computed as matrix products, because XLA's own convolution is up to fifty times slower on a CPU
    if the batch is sharded over devices. Frames are grouped into blocks of `stride`, so that no
    gather is needed.

    Args:
      stride: distance between consecutive outputs, in frames.
    """
    taps, channels, features = kernel.shape
    length = (x.shape[1] - taps) // stride + 1
    blocks = -(-taps // stride)
    frames = (length + blocks - 1) * stride
    x = jnp.pad(x, ((0, 0), (0, max(0, frames - x.shape[1])), (0, 0)))[:, :frames]
    x = x.reshape(x.shape[0], -1, stride * channels)
    kernel = jnp.pad(kernel, ((0, blocks * stride - taps), (0, 0), (0, 0)))
    kernel = kernel.reshape(blocks, stride * channels, features)
    parts = [x[:, n : n + length] @ kernel[n] for n in range(blocks)]
    return sum(parts[1:], parts[0])


class CausalConv1d(nn.Module):
    """A causal convolution with weight normalisation, `w = g v / ||v||` per output channel.

    Attributes:
      features: number of output channels O.
      kernel_size: kernel size K; an output depends on its own frame and K - 1 earlier ones.
      dilation: spacing of the kernel's taps, in frames.
    """

    features: int
    kernel_size: int
    dilation: int = 1

    @nn.compact
    def __call__(self, x: Sequence, length: int | None = None) -> Convolved:
        """Convolves [B, L, I], with zeros before the first frame, to [B, L, O].

        Args:
          length: number of outputs to compute, counted from the end; None: all.
        """
        shape = (self.kernel_size, x.shape[-1], self.features)
        direction = self.param("weight_v", initializers.normal(0.01), shape)
        norm = lambda v: jnp.sqrt(jnp.square(v).sum((0, 1), keepdims=True))
        scale = self.param("weight_g", lambda _: norm(direction))
        bound = initializers.torch_uniform(self.kernel_size * x.shape[-1])
        bias = self.param("bias", bound, (self.features,))
        kernel = direction * (scale / norm(direction))
        past = (self.kernel_size - 1) * self.dilation
        steps = x.shape[1] if length is None else min(length, x.shape[1])
        x = x[:, -(steps + past) :]
        # One matrix product for all taps, then shifts of its few output channels.
        wide = kernel.swapaxes(0, 1).reshape(x.shape[-1], -1)
        taps = jnp.pad(x @ wide, ((0, 0), (steps + past - x.shape[1], 0), (0, 0)))
        taps = taps.reshape(*taps.shape[:2], self.kernel_size, self.features)
        starts = [tap * self.dilation for tap in range(self.kernel_size)]
        parts = [taps[:, start : start + steps, tap] for tap, start in enumerate(starts)]
        return sum(parts[1:], parts[0]) + bias[None, None]


class TCN(nn.Module):
    """A temporal convolutional network (Bai et al., 2018): residual blocks, dilated 1, 2, 4, ...

    Attributes:
      features: number of channels of every block.
      layers: number of blocks, of two convolutions each.
      kernel_size: kernel size K.
      dropout: dropout rate after each convolution.
      pooling: reduction over time: the `last` frame, which depends on `receptive_field` frames
        only, or the `mean` over the real frames.
    """

    features: int
    layers: int
    kernel_size: int
    dropout: Number = 0.0
    pooling: Literal["last", "mean"] = "last"

    @property
    def receptive_field(self) -> int:
        """Number of frames that the last output depends on, `1 + 2 (K - 1) (2^layers - 1)`."""
        return 1 + 2 * (self.kernel_size - 1) * (2**self.layers - 1)

    @nn.compact
    def __call__(
        self, x: Sequence, mask: Mask, train: bool = False
    ) -> Float[Array, "batch channel"]:
        """Encodes [B, L, I] as [B, features].

        Args:
          mask: [B, L], true where a frame is real; real frames come last.
        """
        if self.pooling == "mean":
            return self._mean(x, mask, train)
        # Each block computes only the frames that the last output depends on. Instead of dilating
        # its convolutions, each block reads every second frame of the block below.
        past = self.kernel_size - 1
        for number in range(self.layers):
            # Frames of this block that the last output depends on, two per frame of the next block.
            needed = 1 + 2 * past * (2 ** (self.layers - number) - 2)
            x = self._block(number, x, mask, train, lengths=(needed + past, needed))
            second = slice((x.shape[1] - 1) % 2, None, 2)
            x, mask = x[:, second], mask[:, -x.shape[1] :][:, second]
        return x[:, -1]

    def _mean(self, x: Sequence, mask: Mask, train: bool) -> Float[Array, "batch channel"]:
        """Averages the last block's output over the real frames."""
        for number in range(self.layers):
            x = self._block(number, x, mask, train, dilation=2**number)
        return masking.masked_mean(x, mask)

    def _block(
        self,
        number: int,
        x: Sequence,
        mask: Mask,
        train: bool,
        *,
        dilation: int = 1,
        lengths: tuple[int | None, int | None] = (None, None),
    ) -> Convolved:
        """Applies a residual block; each convolution computes its last `lengths` frames only."""
        block, y = f"network.{number}", x
        for index, length in enumerate(lengths, 1):
            y = masking.zero_padding(y, mask[:, -y.shape[1] :])
            convolution = CausalConv1d(
                self.features, self.kernel_size, dilation, name=f"{block}.conv{index}"
            )
            y = nn.relu(convolution(y, length))
            y = Dropout(self.dropout, name=f"{block}.dropout{index}")(y, train)
        x = x[:, -y.shape[1] :]
        if x.shape[-1] != self.features:
            x = Conv1d(self.features, 1, name=f"{block}.downsample")(x)
        return nn.relu(x + y)


class Maps(NamedTuple):
    """Feature maps [B, L, C] stored as an array."""

    x: Sequence

    @property
    def channels(self) -> int:
        """Number of channels C."""
        return self.x.shape[-1]

    def maps(self) -> Sequence:
        """Returns the array."""
        return self.x

    def scores(self, weight: PerChannel, bias: Number) -> Scores:
        """Computes `x . weight + bias` for each frame, [B, L]."""
        return self.x @ weight + bias

    def pool(self, attention: Scores) -> Vector:
        """Sums over time, weighted by `attention` [B, L]: [B, C]."""
        return jnp.einsum("bl,blc->bc", attention, self.x)


class FoldedMaps(NamedTuple):
    """Feature maps `convolve(y, kernel) + bias`, scored and pooled without being computed.

    No non-linearity follows the convolution, so scoring is itself a convolution to one channel, and
    pooling applies the kernel to weighted sums of shifted `y`. This takes on the order of K H + C
    instead of K H C operations per frame, and no [B, L, C] array in memory.
    """

    y: Sequence
    kernel: Kernel
    bias: PerChannel

    @property
    def channels(self) -> int:
        """Number of channels C."""
        return self.kernel.shape[-1]

    def maps(self) -> Sequence:
        """Computes the array."""
        return convolve(self.y, self.kernel) + self.bias[None, None]

    def scores(self, weight: PerChannel, bias: Number) -> Scores:
        """As `Maps.scores`."""
        tap_scores = self.y @ jnp.swapaxes(self.kernel @ weight, 0, 1)  # [B, L, K]
        taps = jnp.moveaxis(tap_scores, -1, 0)
        shifted = [_shift(tap, offset) for tap, offset in zip(taps, self._offsets, strict=True)]
        return sum(shifted[1:], shifted[0]) + self.bias @ weight + bias

    def pool(self, attention: Scores) -> Vector:
        """As `Maps.pool`."""
        # Frame t of the maps depends on y at t + offset, so y at t is weighted by attention at
        # t - offset.
        weights = jnp.stack([_shift(attention, -offset) for offset in self._offsets], 1)
        sums = jnp.einsum("bkl,blh->bkh", weights, self.y)
        total = attention.sum(1, keepdims=True)
        return jnp.einsum("bkh,khc->bc", sums, self.kernel) + total * self.bias[None]

    @property
    def _offsets(self) -> list[int]:
        size = self.kernel.shape[0]
        return [tap - (size - 1) // 2 for tap in range(size)]


def _shift(x: Scores, offset: int) -> Scores:
    """Shifts along time, `out[:, t] = x[:, t + offset]`, with zeros beyond the ends."""
    length = x.shape[1]
    if abs(offset) >= length:
        return jnp.zeros_like(x)
    if offset >= 0:
        return jnp.pad(x[:, offset:], ((0, 0), (0, offset)))
    return jnp.pad(x[:, :offset], ((0, 0), (-offset, 0)))
