"""PyTorch reference of TAMFN, the time-aware attention multimodal fusion network.

After Zhou et al., "TAMFN: Time-Aware Attention Multimodal Fusion Network for Depression Detection",
IEEE TNSRE 31, 2023.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.models.baselines.reference.blocks import head
from jaxdep.models.baselines.reference.streams import Baseline, Stream, either
from jaxdep.models.torch_sequences import mean, run, softmax, zero


class CausalConv(nn.Module):
    """Causal convolution with weight normalisation, [B, T, width] -> [B, T, channels].

    Args:
      width: Width of the input.
      channels: Width of the output.
      kernel_size: Number of taps K.
      dilation: Frames between taps.
    """

    def __init__(self, width: int, channels: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.weight_v = nn.Parameter(0.01 * torch.randn(channels, width, kernel_size))
        self.weight_g = nn.Parameter(self._norm().detach())
        bound = 1 / math.sqrt(width * kernel_size)
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))

    def _norm(self) -> Tensor:
        return self.weight_v.square().sum((1, 2), keepdim=True).sqrt()

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight_g * self.weight_v / self._norm()
        past = (weight.shape[-1] - 1) * self.dilation
        padded = functional.pad(x.transpose(1, 2), (past, 0))
        y = functional.conv1d(padded, weight, self.bias, dilation=self.dilation)  # (A1)
        return y.transpose(1, 2)


class Block(nn.Module):
    """Residual block of two causal convolutions and the mean over time (A2) to (A6).

    Args:
      width: Width I of the input.
      channels: Width c of the output.
      kernel_size: Number of taps of the convolutions.
      dilation: Dilation of both convolutions.
      dropout: Dropout rate after each convolution.
    """

    def __init__(
        self, width: int, channels: int, kernel_size: int, dilation: int, dropout: float
    ) -> None:
        super().__init__()
        self.conv1 = CausalConv(width, channels, kernel_size, dilation)
        self.conv2 = CausalConv(channels, channels, kernel_size, dilation)
        self.context = nn.Linear(width, channels)
        self.downsample = nn.Conv1d(width, channels, 1) if width != channels else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """[B, T, I] -> [B, T, c], zero at padding."""
        y1 = self.dropout(torch.relu(self.conv1(zero(x, mask))))  # (A2)
        y2 = self.dropout(torch.relu(self.conv2(zero(y1, mask))))  # (A3)
        q = torch.relu(self.context(mean(x, mask)))  # (A4)
        r = x
        if self.downsample is not None:
            r = self.downsample(x.transpose(1, 2)).transpose(1, 2)  # (A5)
        return zero(torch.relu(y2 + q[:, None, :] + r), mask)  # (A6)


class TAMF(nn.Module):
    """Time-aware attention fusion of two streams (A9) to (A14).

    Args:
      channels: Width c of the streams.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lstm1 = nn.LSTM(channels, channels, batch_first=True)
        self.lstm2 = nn.LSTM(channels, channels, batch_first=True)
        self.time = nn.LSTM(2, 2, batch_first=True, bidirectional=True)
        self.score = nn.Linear(4, 2, bias=False)

    def forward(self, one: Stream, two: Stream) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the fused vector [B, c] and the weights [B, T] of each stream."""
        (x_i, mask_i), (x_j, mask_j) = one, two
        h_i, h_j = run(self.lstm1, x_i, mask_i), run(self.lstm2, x_j, mask_j)  # (A9)
        s = torch.stack([h_i.mean(-1), h_j.mean(-1)], -1)  # (A10)
        v = run(self.time, s, either([mask_i, mask_j]))  # (A11)
        e = self.score(v)  # (A12)
        a_i, a_j = softmax(e[..., 0], mask_i), softmax(e[..., 1], mask_j)  # (A13)
        z = (a_i[..., None] * h_i + a_j[..., None] * h_j).sum(1)  # (A14)
        return z, a_i, a_j


class TAMFN(Baseline):
    """Temporal convolutions per modality and for all jointly, fused in pairs by attention.

    All modalities must have the same number of frames.

    Args:
      modalities: Inputs to read; none may be called "joint".
      classes: Number of classes; None: a score.
      task: Key of the output.
      channels: Width c of all streams, of the LSTMs and of the head.
      layers: Number of blocks L of each stream; block n has the dilation 2^n.
      kernel_size: Number of taps K of the convolutions.
      dropout: Dropout rate.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("acoustic", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        channels: int = 64,
        layers: int = 5,
        kernel_size: int = 3,
        dropout: float = 0.2,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        if "joint" in self.modalities:
            raise ValueError('no modality may be called "joint"')

        def blocks(width: int) -> nn.ModuleList:
            return nn.ModuleList(
                Block(channels if n else width, channels, kernel_size, 2**n, dropout)
                for n in range(layers)
            )

        self.gtcn = nn.ModuleDict({name: blocks(width) for name, width in self.widths.items()})
        self.ife = blocks(channels)
        pairs = combinations((*self.modalities, "joint"), 2)
        self.tamf = nn.ModuleList(TAMF(channels) for _ in pairs)
        self.fc = head(channels, channels, self.outputs, dropout)

    def _encode(self, streams: dict[str, Stream]) -> dict[str, Stream]:
        """Last features [B, T, c] of all modalities and of the joint stream."""
        features = {name: x for name, (x, _) in streams.items()}
        masks = {name: mask for name, (_, mask) in streams.items()}
        masks["joint"] = either(list(masks.values()))
        joint: Tensor | float = 0.0
        for n, ife in enumerate(self.ife):
            for name in self.modalities:
                blocks = self.gtcn[name]
                assert isinstance(blocks, nn.ModuleList)
                features[name] = blocks[n](features[name], masks[name])  # (A7)
            total = torch.stack([features[name] for name in self.modalities]).sum(0)
            joint = ife(joint + total, masks["joint"])  # (A8)
        assert isinstance(joint, Tensor)
        features["joint"] = joint
        return {name: (x, masks[name]) for name, x in features.items()}

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        streams = self.read(inputs)
        if len(lengths := {x.shape[1] for x, _ in streams.values()}) > 1:
            raise ValueError(f"the modalities have different numbers of frames: {sorted(lengths)}")
        streams = self._encode(streams)
        vectors = []
        for p, (i, j) in enumerate(combinations(streams, 2)):
            z, a_i, a_j = self.tamf[p](streams[i], streams[j])
            self.maps[f"tamf.{p}/A_1"] = a_i.detach()
            self.maps[f"tamf.{p}/A_2"] = a_j.detach()
            vectors.append(z)
        return self.output(self.fc(torch.stack(vectors).sum(0)))  # (A15), (A16)
