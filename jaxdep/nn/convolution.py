"""Convolutions over time."""

from __future__ import annotations

from typing import Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jaxtyping import Array, Float

from jaxdep.errors import ModelError
from jaxdep.nn import initializers, masking
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer
from jaxdep.types import Mask, Scores, Sequence, Vector


class Conv1d(nn.Module):
    """A 1-D convolution (cross-correlation) over time, as `torch.nn.Conv1d`.

    Attributes:
      features: output channels.
      kernel_size: K; odd where the length is kept.
      stride: frames from one output to the next.
      padding: `same`: (K - 1) / 2 zeros at both ends, which keeps the length; `circular`: as many
        frames of the other end; `valid`: none, so that L frames give (L - K) // stride + 1, and
        none where L < K.
      weight_init: None: PyTorch's default.
    """

    features: int
    kernel_size: int
    stride: int = 1
    padding: Literal["same", "circular", "valid"] = "same"
    weight_init: Initializer | None = None

    def setup(self) -> None:
        """Checks the kernel."""
        if self.padding != "valid" and (self.kernel_size % 2 == 0 or self.stride > 1):
            raise ModelError(
                "to keep the length, kernel_size must be odd and stride 1; got"
                f" {self.kernel_size} and {self.stride}"
            )

    @nn.compact
    def weights(self, channels: int) -> tuple[jax.Array, jax.Array]:
        """The kernel [K, I, O] and the bias [O], for those who apply them in another order."""
        init = initializers.torch_uniform(self.kernel_size * channels)
        shape = (self.kernel_size, channels, self.features)
        kernel = self.param("kernel", self.weight_init or init, shape)
        return kernel, self.param("bias", init, (self.features,))

    def __call__(self, x: Sequence) -> Sequence:
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

    def mask(self, mask: Mask) -> Mask:
        """Which outputs saw real frames alone; real frames come first."""
        if self.padding != "valid":
            return mask
        return mask[:, self.kernel_size - 1 :: self.stride]


def convolve(x: Sequence, kernel: jax.Array) -> Sequence:
    """Cross-correlation of [B, L, I] with a kernel [K, I, O], K odd, padded with zeros."""
    pad = (kernel.shape[0] - 1) // 2
    return correlate(jnp.pad(x, ((0, 0), (pad, pad), (0, 0))), kernel)


def correlate(x: Sequence, kernel: jax.Array, stride: int = 1) -> Sequence:
    """Cross-correlation of [B, L, I] with a kernel [K, I, O], without padding: [B, L', O].

    As matrix products: XLA's own convolution is up to fifty times slower on a CPU where its batch
    is spread over devices. Frames are read in blocks of `stride`, so that nothing is gathered.

    Args:
      stride: frames from one output to the next.
    """
    taps, channels, features = kernel.shape
    length = (x.shape[1] - taps) // stride + 1
    blocks = -(-taps // stride)
    frames = (length + blocks - 1) * stride
    x = jnp.pad(x, ((0, 0), (0, max(0, frames - x.shape[1])), (0, 0)))[:, :frames]
    x = x.reshape(len(x), -1, stride * channels)
    kernel = jnp.pad(kernel, ((0, blocks * stride - taps), (0, 0), (0, 0)))
    kernel = kernel.reshape(blocks, stride * channels, features)
    parts = [x[:, n : n + length] @ kernel[n] for n in range(blocks)]
    return sum(parts[1:], parts[0])


class CausalConv1d(nn.Module):
    """A causal convolution with weight normalisation, `w = g v / ||v||` of each output.

    Attributes:
      features: O, output channels.
      kernel_size: K; a frame reads itself and K - 1 before it.
      dilation: frames from one that is read to the next.
    """

    features: int
    kernel_size: int
    dilation: int = 1

    @nn.compact
    def __call__(self, x: Sequence, length: int | None = None) -> Sequence:
        """Convolves [B, L, I] to the last `length` of [B, L, O], or all; zeros lie ahead."""
        shape = (self.kernel_size, x.shape[-1], self.features)
        direction = self.param("weight_v", initializers.normal(0.01), shape)
        norm = lambda v: jnp.sqrt(jnp.square(v).sum((0, 1), keepdims=True))
        scale = self.param("weight_g", lambda _: norm(direction))
        bound = initializers.torch_uniform(self.kernel_size * x.shape[-1])
        bias = self.param("bias", bound, (self.features,))
        kernel = direction * (scale / norm(direction))
        back = (self.kernel_size - 1) * self.dilation
        read = x.shape[1] if length is None else min(length, x.shape[1])
        x = x[:, -(read + back) :]
        # One product for all taps, then shifts of the few channels that come out of it.
        wide = kernel.swapaxes(0, 1).reshape(x.shape[-1], -1)
        taps = jnp.pad(x @ wide, ((0, 0), (read + back - x.shape[1], 0), (0, 0)))
        taps = taps.reshape(*taps.shape[:2], self.kernel_size, self.features)
        starts = [tap * self.dilation for tap in range(self.kernel_size)]
        parts = [taps[:, start : start + read, tap] for tap, start in enumerate(starts)]
        return sum(parts[1:], parts[0]) + bias[None, None]


class TCN(nn.Module):
    """A temporal convolutional network (Bai et al., 2018): residual blocks, dilated 1, 2, 4, ...

    Attributes:
      features: channels of every block.
      layers: blocks, of two convolutions each.
      kernel_size: K.
      dropout: after each convolution.
      pooling: what is kept of a sequence: its `last` frame, which depends on `reach` frames alone,
        or the `mean` over its frames.
    """

    features: int
    layers: int
    kernel_size: int
    dropout: float = 0.0
    pooling: Literal["last", "mean"] = "last"

    @property
    def reach(self) -> int:
        """Frames that the last one depends on, `1 + 2 (K - 1) (2^layers - 1)`."""
        return 1 + 2 * (self.kernel_size - 1) * (2**self.layers - 1)

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask, train: bool = False) -> Vector:
        """Encodes [B, L, I] as [B, features].

        Args:
          mask: [B, L], true where a frame is real; real frames come last.
        """
        if self.pooling == "mean":
            return self._mean(x, mask, train)
        # Of every block only the frames that the last one depends on are computed, and a block
        # sees every second frame of the one below it in place of dilation.
        back = self.kernel_size - 1
        for number in range(self.layers):
            # Frames, two of this block for one of the next, that the end of all depends on.
            needed = 1 + 2 * back * (2 ** (self.layers - number) - 2)
            x = self._block(number, x, mask, train, lengths=(needed + back, needed))
            second = slice((x.shape[1] - 1) % 2, None, 2)
            x, mask = x[:, second], mask[:, -x.shape[1] :][:, second]
        return x[:, -1]

    def _mean(self, x: Sequence, mask: Mask, train: bool) -> Vector:
        """The mean over real frames of what the last block makes of all frames."""
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
    ) -> Sequence:
        """A residual block; of each of its convolutions the last `lengths` frames."""
        block, y = f"network.{number}", x
        for which, length in enumerate(lengths, 1):
            y = masking.zero_padding(y, mask[:, -y.shape[1] :])
            convolution = CausalConv1d(
                self.features, self.kernel_size, dilation, name=f"{block}.conv{which}"
            )
            y = nn.relu(convolution(y, length))
            y = Dropout(self.dropout, name=f"{block}.dropout{which}")(y, train)
        x = x[:, -y.shape[1] :]
        if x.shape[-1] != self.features:
            x = Conv1d(self.features, 1, name=f"{block}.downsample")(x)
        return nn.relu(x + y)


class Maps(NamedTuple):
    """Feature maps [B, L, C] as an array."""

    x: Sequence

    @property
    def channels(self) -> int:
        """C."""
        return self.x.shape[-1]

    def maps(self) -> Sequence:
        """The array itself."""
        return self.x

    def scores(self, weight: Float[Array, " C"], bias: Float[Array, ""]) -> Scores:
        """`x . weight + bias` for each frame, [B, L]."""
        return self.x @ weight + bias

    def pool(self, attention: Scores) -> Vector:
        """Sum over time weighted by `attention` [B, L]: [B, C]."""
        return jnp.einsum("bl,blc->bc", attention, self.x)


class FoldedMaps(NamedTuple):
    """The maps `convolve(y, kernel) + bias` that are scored and pooled without being made.

    Nothing non-linear stands between the convolution and what reads it, so scoring is itself a
    convolution to one channel, and pooling applies the kernel to weighted sums of shifted `y`:
    of order K H + C instead of K H C operations a frame, and no [B, L, C] in memory.
    """

    y: Sequence
    kernel: Float[Array, "K H C"]
    bias: Float[Array, " C"]

    @property
    def channels(self) -> int:
        """C."""
        return self.kernel.shape[-1]

    def maps(self) -> Sequence:
        """The array, made after all."""
        return convolve(self.y, self.kernel) + self.bias[None, None]

    def scores(self, weight: Float[Array, " C"], bias: Float[Array, ""]) -> Scores:
        """As `Maps.scores`."""
        of_frame = self.y @ jnp.swapaxes(self.kernel @ weight, 0, 1)  # [B, L, K]
        taps = jnp.moveaxis(of_frame, -1, 0)
        shifted = [_shift(tap, offset) for tap, offset in zip(taps, self._offsets, strict=True)]
        return sum(shifted[1:], shifted[0]) + self.bias @ weight + bias

    def pool(self, attention: Scores) -> Vector:
        """As `Maps.pool`."""
        # Frame t of the maps reads y's t + offset, so y's t weighs as attention's t - offset.
        moved = jnp.stack([_shift(attention, -offset) for offset in self._offsets], 1)
        sums = jnp.einsum("bkl,blh->bkh", moved, self.y)
        total = attention.sum(1, keepdims=True)
        return jnp.einsum("bkh,khc->bc", sums, self.kernel) + total * self.bias[None]

    @property
    def _offsets(self) -> list[int]:
        size = self.kernel.shape[0]
        return [tap - (size - 1) // 2 for tap in range(size)]


def _shift(x: Scores, offset: int) -> Scores:
    """`out[:, t] = x[:, t + offset]`, zero beyond the ends."""
    length = x.shape[1]
    if abs(offset) >= length:
        return jnp.zeros_like(x)
    if offset >= 0:
        return jnp.pad(x[:, offset:], ((0, 0), (0, offset)))
    return jnp.pad(x[:, :offset], ((0, 0), (-offset, 0)))
