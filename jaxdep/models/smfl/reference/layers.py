"""Layers of SMFL: temporal convolutions, joint attention and cross-attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jaxdep.models.torch_sequences import softmax


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float = 1.0):
    """Dot-product attention over [B, N, D]; returns the outputs and the weights [B, N, N]."""
    sim = torch.einsum("bid,bjd->bij", q, k) * scale  # (6)
    weights = softmax(sim, mask)
    return torch.einsum("bij,bjd->bid", weights, v), weights


class WeightNormConv1d(nn.Module):
    """Dilated convolution whose weight is `weight_g * weight_v / ||weight_v||` per output channel.

    The parameter names are those of `torch.nn.utils.weight_norm`, which is deprecated.
    """

    def __init__(self, width: int, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        layer = nn.Conv1d(width, channels, kernel)
        nn.init.normal_(layer.weight, 0.0, 0.01)
        self.dilation = dilation
        self.weight_v, self.bias = layer.weight, layer.bias
        self.weight_g = nn.Parameter(self._norm().detach())

    def forward(self, x: Tensor) -> Tensor:
        """Maps [N, width, T] to [N, channels, T - (kernel - 1) * dilation]."""
        weight = self.weight_g * self.weight_v / self._norm()
        return F.conv1d(x, weight, self.bias, dilation=self.dilation)

    def _norm(self) -> Tensor:
        return self.weight_v.norm(dim=(1, 2), keepdim=True)


class TemporalBlock(nn.Module):
    """Residual block of two causal dilated convolutions with weight normalisation."""

    def __init__(self, width: int, channels: int, kernel: int, dilation: int, dropout: float):
        super().__init__()
        self.left = (kernel - 1) * dilation
        self.conv1 = WeightNormConv1d(width, channels, kernel, dilation)
        self.conv2 = WeightNormConv1d(channels, channels, kernel, dilation)
        self.downsample = nn.Conv1d(width, channels, 1) if width != channels else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Maps [N, width, T] to [N, channels, T]; a frame depends on itself and earlier frames."""
        h = self.dropout(self.conv1(F.pad(x, (self.left, 0))).relu())
        h = self.dropout(self.conv2(F.pad(h, (self.left, 0))).relu())
        return (h + self.downsample(x)).relu()


class TemporalConvNet(nn.Module):
    """Temporal convolutional network: the dilation doubles with each block."""

    def __init__(self, width: int, channels: int, layers: int, kernel: int, dropout: float):
        super().__init__()
        widths = [width] + [channels] * layers
        self.network = nn.Sequential(
            *(TemporalBlock(widths[i], channels, kernel, 2**i, dropout) for i in range(layers))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps [N, T, width] to [N, T, channels]."""
        return self.network(x.mT).mT


class CrossModalJointAttention(nn.Module):
    """Cross-modal joint attention: a strong modality enhances a weak one.

    Attributes:
      mixture: Logits of the weights of the strong and the weak modality.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        scale: bool,
        permute: bool,
        dropout: float,
        classes: int | None,
    ):
        super().__init__()
        self.heads = heads
        self.scale = (channels // heads) ** -0.5 if scale else 1.0
        self.permute = permute
        self.qkv = nn.Linear(channels, 3 * channels)
        self.mixture = nn.Parameter(torch.tensor([math.log(3.0), math.log(1.0)]))
        self.proj = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)
        if classes is not None:
            self.head = nn.Linear(channels, classes)

    def split(self, x: Tensor) -> Tensor:
        """Moves the heads into the batch, [B, N, C] -> [B * H, N, C / H]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2).flatten(0, 1)

    def forward(
        self, strong: Tensor, weak: Tensor, strong_there: Tensor, weak_there: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Returns the enhanced weak sequence [B, S, C] and the weights [B, H, 2S, 2S]."""
        tokens = torch.cat([strong, weak], 1)
        present = torch.cat([strong_there, weak_there], 1)
        q, k, v = self.qkv(tokens).chunk(3, -1)  # (3) (4) (5)
        order = torch.arange(tokens.shape[1], device=tokens.device)
        if self.permute and self.training:
            order = torch.randperm(tokens.shape[1], device=tokens.device)
        q, k, v = (self.split(u[:, order]) for u in (q, k, v))
        mask = present[:, order].repeat_interleave(self.heads, 0)[:, None]
        out, weights = attend(q, k, v, mask, self.scale)
        inverse = order.argsort()
        weights = weights[:, inverse][:, :, inverse].unflatten(0, (-1, self.heads))
        out = out[:, inverse].unflatten(0, (-1, self.heads)).transpose(1, 2).flatten(2)
        out_strong, out_weak = out.chunk(2, 1)
        w_strong, w_weak = self.mixture.softmax(0)
        enhanced = self.dropout(self.proj(w_strong * out_strong + w_weak * out_weak))
        return enhanced, weights


class CrossAttention(nn.Module):
    """Cross-attention of the global fused features with the global features of a modality.

    Each feature is a token of width one, projected to the number of features.
    """

    def __init__(self, width: int):
        super().__init__()
        self.q = nn.Linear(1, width)
        self.k = nn.Linear(1, width)
        self.v = nn.Linear(1, width)
        self.out = nn.Linear(width, 1)

    def forward(self, fused: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the weighted fused features and their weights, [B, d] each."""
        q = self.q(fused[..., None])
        k, v = self.k(features[..., None]), self.v(features[..., None])
        attended = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) @ v
        weights = self.out(attended).squeeze(-1).softmax(-1)
        return weights * fused, weights
