"""JAMFN in PyTorch (Zhou et al., Interspeech 2023), every feature map made literally."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jaxdep.parity.reference import sequences


class JointAttention(nn.Module):
    """Eq. 7-11 for one scale."""

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, 1)
        self.fc2 = nn.Linear(channels, 1)
        self.fc3 = nn.Linear(2 * length, 2 * length)

    def forward(
        self, x_a: Tensor, x_v: Tensor, mask_a: Tensor | None, mask_v: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        t_a, t_v = self.fc1(x_a)[..., 0], self.fc2(x_v)[..., 0]
        t_a, t_v = sequences.zero(t_a, mask_a), sequences.zero(t_v, mask_v)
        mixed_a, mixed_v = self.fc3(torch.cat([t_a, t_v], 1)).chunk(2, 1)
        return (
            sequences.softmax(t_a * mixed_a, mask_a),
            sequences.softmax(t_v * mixed_v, mask_v),
        )


class JAMFN(nn.Module):
    """Twin of `jaxdep.models.JAMFN`: the same fields, the state names of a checkpoint.

    Further arguments are what Flax takes from its inputs: frames L and features of each modality.
    `folded` changes nothing here: maps are always made.
    """

    def __init__(
        self,
        *,
        length: int,
        acoustic_width: int = 25,
        visual_width: int = 136,
        hidden: int = 200,
        layers: int = 6,
        scales: tuple[int, ...] = (1, 3, 5),
        channels: int = 512,
        fusion: str = "jaf",
        readout: str = "sum",
        masked: bool = False,
        dropout: float = 0.0,
        share_jaf: bool = False,
        folded: bool = True,
    ) -> None:
        super().__init__()
        self.fusion, self.readout = fusion, readout
        self.masked, self.share_jaf = masked, share_jaf
        lstm = lambda width: nn.LSTM(
            width,
            hidden,
            num_layers=layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if layers > 1 else 0.0,  # PyTorch warns where there is no layer between
        )
        conv = lambda: nn.ModuleList(
            nn.Conv1d(hidden, channels, k, padding=(k - 1) // 2) for k in scales
        )
        self.bilstm_a, self.bilstm_v = lstm(acoustic_width), lstm(visual_width)
        self.conv_a, self.conv_v = (conv(), conv()) if scales else (None, None)
        width = channels if scales else hidden
        if fusion == "jaf":
            own = 1 if share_jaf else max(len(scales), 1)
            self.jaf = nn.ModuleList(JointAttention(width, length) for _ in range(own))
            read = width * length if readout == "flatten" else width
        else:
            read = 2 * width if fusion == "concat" else width
        self.classifier = nn.Linear(read, 2)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        x_a, mask_a = self._encode(inputs, "acoustic", self.bilstm_a)
        x_v, mask_v = self._encode(inputs, "visual", self.bilstm_v)
        if self.conv_a is not None and self.conv_v is not None:
            maps_a = [conv(x_a.transpose(1, 2)).transpose(1, 2) for conv in self.conv_a]
            maps_v = [conv(x_v.transpose(1, 2)).transpose(1, 2) for conv in self.conv_v]
        else:
            maps_a, maps_v = [x_a], [x_v]
        real = None if mask_a is None or mask_v is None else mask_a | mask_v
        fused = []
        for scale, (a, v) in enumerate(zip(maps_a, maps_v, strict=True)):
            fused.append(self._fuse(scale, a, v, mask_a, mask_v))
        total = torch.stack(fused).sum(0)
        jaf = self.fusion == "jaf"
        if jaf and self.readout == "flatten":
            read = total.flatten(1)
        elif jaf and self.readout == "sum":
            read = total.sum(1)
        elif jaf:
            frames = total.shape[1] if real is None else real.sum(1, keepdim=True).clamp(min=1)
            read = total.sum(1) / frames
        else:
            read = sequences.mean(total, real)
        return {"depression": self.classifier(read)}

    def _encode(
        self, inputs: dict[str, Tensor], name: str, lstm: nn.LSTM
    ) -> tuple[Tensor, Tensor | None]:
        mask = inputs.get(f"{name}_mask")
        x = sequences.zero(inputs[name], mask)
        mask = mask if self.masked else None
        forward, backward = sequences.run(lstm, x, mask).chunk(2, -1)
        return forward + backward, mask

    def _fuse(
        self, scale: int, a: Tensor, v: Tensor, mask_a: Tensor | None, mask_v: Tensor | None
    ) -> Tensor:
        if self.fusion == "jaf":
            jaf = self.jaf[0 if self.share_jaf else scale]
            w_a, w_v = jaf(a, v, mask_a, mask_v)
            return w_a[..., None] * a + w_v[..., None] * v
        a, v = sequences.zero(a, mask_a), sequences.zero(v, mask_v)
        if self.fusion == "concat":
            return torch.cat([a, v], -1)
        return a + v if self.fusion == "add" else a * v
