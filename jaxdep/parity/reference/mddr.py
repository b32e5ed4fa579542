"""MDDR in PyTorch (MM 2024), its encoder PyTorch's own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.parity.reference import sequences


class Project(nn.Module):
    """Alignment of the face: linear, normalised, rectified."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.proj, self.norm = nn.Linear(width, features), nn.LayerNorm(features)

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        return self.norm(self.proj(x)).relu(), mask


class Convolve(nn.Module):
    """Alignment of voice and head: convolutions, each normalised over channels and rectified."""

    def __init__(self, widths: list[int], kernels: list[int], strides: list[int]) -> None:
        super().__init__()
        sizes = zip(widths, widths[1:], kernels, strides, strict=False)
        self.conv = nn.ModuleList(nn.Conv1d(i, o, k, s) for i, o, k, s in sizes)
        self.norm = nn.ModuleList(nn.LayerNorm(width) for width in widths[1:])

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        for conv, norm in zip(self.conv, self.norm, strict=True):
            (kernel,), (stride,) = conv.kernel_size, conv.stride
            if x.shape[1] < kernel:
                x = x.new_zeros(len(x), 0, conv.out_channels)
            else:
                x = norm(conv(x.transpose(1, 2)).transpose(1, 2)).relu()
            if mask is not None:
                outputs = ((mask.sum(1) - kernel) // stride + 1).clamp(min=0)
                mask = torch.arange(x.shape[1], device=x.device) < outputs[:, None]
        return x, mask


class Score(nn.Module):
    """A number for each vector."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x)[..., 0]


class MDDR(nn.Module):
    """Twin of `jaxdep.models.MDDR`: the same fields, the state names of the specification."""

    def __init__(
        self,
        *,
        visual_width: int = 2048,
        acoustic_width: int = 1024,
        pose_width: int = 12,
        modalities: tuple[str, ...] = ("visual", "acoustic", "pose"),
        features: int = 512,
        kernels: tuple[int, ...] = (10, 5, 3),
        strides: tuple[int, ...] = (5, 5, 2),
        filters: tuple[int, ...] = (128, 256),
        align: str = "pad",
        faa: bool = True,
        sea: bool = True,
        score_hidden: int = 128,
        layers: int = 6,
        heads: int = 8,
        feed_forward: int = 2048,
        head_hidden: int = 128,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.modalities, self.align, self.features = modalities, align, features
        if "visual" in modalities:
            self.visual_align = Project(visual_width, features)
        if "acoustic" in modalities:
            widths = [acoustic_width, *filters, features]
            self.acoustic_align = Convolve(widths, list(kernels), list(strides))
        if "pose" in modalities:
            self.pose_align = Convolve([pose_width, features], [1], [1])
        self.faa = Score(features, score_hidden) if faa else None
        self.encoder = self.pool = None
        if sea:
            layer = nn.TransformerEncoderLayer(
                features, heads, feed_forward, dropout, batch_first=True
            )
            self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
            self.pool = Score(features, score_hidden)
            self.drop = nn.Dropout(dropout)
        self.head = nn.Sequential(
            nn.Linear(features, head_hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(head_hidden, 1),
        )

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        made = []
        for name in self.modalities:
            mask = inputs.get(f"{name}_mask")
            network = getattr(self, f"{name}_align")
            made.append(network(sequences.zero(inputs[name], mask), mask))
        lead, mask = made[0]
        aligned = [sequences.zero(lead, mask)]
        aligned += [self._line_up(x, own, lead, mask) for x, own in made[1:]]
        stacked = torch.stack(aligned, 2)
        if self.faa is None:
            fused = stacked.mean(2)
        else:
            fused = (self.faa(stacked).softmax(-1)[..., None] * stacked).sum(2)
        if self.encoder is None or self.pool is None:
            whole = sequences.mean(fused, mask)
        else:
            x = self.drop(fused + self._positions(fused))
            x = self.encoder(x, src_key_padding_mask=None if mask is None else ~mask)
            whole = (sequences.softmax(self.pool(x), mask)[..., None] * x).sum(1)
        return {"depression": self.head(whole)[:, 0]}

    def _line_up(self, x: Tensor, own: Tensor | None, lead: Tensor, mask: Tensor | None) -> Tensor:
        length = lead.shape[1]
        x = sequences.zero(x, own)
        if self.align == "pad" or not x.shape[1]:
            return functional.pad(x[:, :length], (0, 0, 0, max(length - x.shape[1], 0)))
        rows = []
        for row in range(len(x)):
            steps = x.shape[1] if own is None else int(own[row].sum())
            wanted = length if mask is None else int(mask[row].sum())
            made = x.new_zeros(length, x.shape[2])
            if steps and wanted:
                real = x[row : row + 1, :steps].transpose(1, 2)
                made[:wanted] = functional.interpolate(real, wanted, mode="linear")[0].T
            rows.append(made)
        return torch.stack(rows)

    def _positions(self, x: Tensor) -> Tensor:
        places = torch.arange(x.shape[1], dtype=torch.float64)[:, None]
        even = torch.arange(0, self.features, 2, dtype=torch.float64)
        angles = places * torch.exp(-math.log(10000.0) * even / self.features)
        table = torch.zeros(x.shape[1], self.features, dtype=torch.float64)
        table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
        return table.to(x)
